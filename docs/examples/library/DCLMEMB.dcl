      ******************************************************************
      * DCLGEN TABLE(LIB.MEMBER)                                       *
      *        LIBRARY(LIB.PROD.DCLGEN(DCLMEMB))                       *
      *        LANGUAGE(COBOL) STRUCTURE(DCLMEMBER) APOST              *
      * ... IS THE DCLGEN COMMAND THAT MADE THE FOLLOWING STATEMENTS   *
      ******************************************************************
           EXEC SQL DECLARE LIB.MEMBER TABLE
           ( MEMBER_ID                      CHAR(8) NOT NULL,
             NAME                           VARCHAR(60) NOT NULL,
             KIND                           CHAR(1) NOT NULL,
             BRANCH                         CHAR(3) NOT NULL,
             CARD_EXPIRES                   DATE NOT NULL,
             LOANS_OUT                      SMALLINT NOT NULL,
             DVDS_OUT                       SMALLINT NOT NULL,
             NO_SHOWS                       SMALLINT NOT NULL,
             BLOCKED_ON                     DATE
           ) END-EXEC.
       01  DCLMEMBER.
           10 MEMBER-ID            PIC X(8).
           10 NAME.
              49 NAME-LEN          PIC S9(4) USAGE COMP.
              49 NAME-TEXT         PIC X(60).
           10 KIND                 PIC X(1).
           10 BRANCH               PIC X(3).
           10 CARD-EXPIRES         PIC X(10).
           10 LOANS-OUT            PIC S9(4) USAGE COMP.
           10 DVDS-OUT             PIC S9(4) USAGE COMP.
           10 NO-SHOWS             PIC S9(4) USAGE COMP.
           10 BLOCKED-ON           PIC X(10).
      ******************************************************************
      * THE NUMBER OF COLUMNS DESCRIBED BY THIS DECLARATION IS 9       *
      ******************************************************************
