      ******************************************************************
      * DCLGEN TABLE(LIB.FEE)                                          *
      *        LIBRARY(LIB.PROD.DCLGEN(DCLFEE))                        *
      *        LANGUAGE(COBOL) STRUCTURE(DCLFEE) APOST                 *
      *        NAMES(FE-)                                              *
      * ... IS THE DCLGEN COMMAND THAT MADE THE FOLLOWING STATEMENTS   *
      ******************************************************************
           EXEC SQL DECLARE LIB.FEE TABLE
           ( MEMBER_ID                      CHAR(8) NOT NULL,
             BOOK_ID                        CHAR(10) NOT NULL,
             CHARGED_ON                     DATE NOT NULL,
             REASON                         CHAR(1) NOT NULL,
             AMOUNT                         DECIMAL(7, 2) NOT NULL,
             PAID                           DECIMAL(7, 2) NOT NULL
           ) END-EXEC.
       01  DCLFEE.
           10 FE-MEMBER-ID         PIC X(8).
           10 FE-BOOK-ID           PIC X(10).
           10 FE-CHARGED-ON        PIC X(10).
           10 FE-REASON            PIC X(1).
           10 FE-AMOUNT            PIC S9(5)V9(2) USAGE COMP-3.
           10 FE-PAID              PIC S9(5)V9(2) USAGE COMP-3.
      ******************************************************************
      * THE NUMBER OF COLUMNS DESCRIBED BY THIS DECLARATION IS 6       *
      ******************************************************************
