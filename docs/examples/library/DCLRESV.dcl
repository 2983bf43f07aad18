      ******************************************************************
      * DCLGEN TABLE(LIB.RESERVATION)                                  *
      *        LIBRARY(LIB.PROD.DCLGEN(DCLRESV))                       *
      *        LANGUAGE(COBOL) STRUCTURE(DCLRESV) APOST                *
      *        NAMES(RV-)                                              *
      * ... IS THE DCLGEN COMMAND THAT MADE THE FOLLOWING STATEMENTS   *
      ******************************************************************
           EXEC SQL DECLARE LIB.RESERVATION TABLE
           ( TITLE_ID                       CHAR(7) NOT NULL,
             MEMBER_ID                      CHAR(8) NOT NULL,
             PLACED_AT                      TIMESTAMP NOT NULL,
             STATUS                         CHAR(1) NOT NULL,
             PICKUP_BRANCH                  CHAR(3) NOT NULL,
             BOOK_ID                        CHAR(10),
             HELD_SINCE                     DATE
           ) END-EXEC.
       01  DCLRESV.
           10 RV-TITLE-ID          PIC X(7).
           10 RV-MEMBER-ID         PIC X(8).
           10 RV-PLACED-AT         PIC X(26).
           10 RV-STATUS            PIC X(1).
           10 RV-PICKUP-BRANCH     PIC X(3).
           10 RV-BOOK-ID           PIC X(10).
           10 RV-HELD-SINCE        PIC X(10).
      ******************************************************************
      * THE NUMBER OF COLUMNS DESCRIBED BY THIS DECLARATION IS 7       *
      ******************************************************************
