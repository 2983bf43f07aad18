      *****************************************************************
      * MAIL02 - LETTERS TO MEMBERS WITH LOANS OVERDUE.               *
      *                                                               *
      * NOTICES COME IN ORDER OF MEMBER. A MEMBER GETS ONE LETTER     *
      * A NIGHT, IN THE TONE OF HIS WORST NOTICE.                     *
      *                                                               *
      * CHANGES                                                       *
      * 1994-04-11 RH  WRITTEN (MAIL01 ONLY PRINTED LABELS).   *
      * 1996-11-25 RH  LETTERS TO PARENTS: LETT02.                    *
      * 2002-01-02 MO  BRANCH NAMES IN FULL.                          *
      * 2014-06-09 KV  BILLS (LEVEL 4).                               *
      *****************************************************************
       IDENTIFICATION DIVISION.
       PROGRAM-ID. MAIL02.
       AUTHOR. R HALVARD.
       ENVIRONMENT DIVISION.
       INPUT-OUTPUT SECTION.
       FILE-CONTROL.
           SELECT NOTICE-FILE ASSIGN TO NOTICES
               FILE STATUS IS WS-NOTICE-STATUS.
           SELECT ADDRESS-FILE ASSIGN TO ADDRMST
               ORGANIZATION IS INDEXED
               ACCESS MODE IS RANDOM
               RECORD KEY IS AR-MEMBER-ID
               FILE STATUS IS WS-ADDRESS-STATUS.
           SELECT LETTER-FILE ASSIGN TO LETTERS.
       DATA DIVISION.
       FILE SECTION.
       FD  NOTICE-FILE
           RECORDING MODE IS F
           BLOCK CONTAINS 0 RECORDS.
           COPY NOTREC.
       FD  ADDRESS-FILE.
           COPY ADRREC.
       FD  LETTER-FILE
           RECORDING MODE IS F.
       01  LETTER-LINE                 PIC X(80).

       WORKING-STORAGE SECTION.
       01  WS-NOTICE-STATUS            PIC XX.
           88  NO-MORE-NOTICES         VALUE '10'.
       01  WS-ADDRESS-STATUS           PIC XX.
           88  ADDRESS-FOUND           VALUE '00'.
           88  ADDRESS-OPEN-OK         VALUE '00' '97'.
       01  WS-LETTER-PGM               PIC X(8).

       01  WS-BRANCH-VALUES.
           05  FILLER PIC X(23) VALUE 'BUSBOOK BUS'.
           05  FILLER PIC X(23) VALUE 'CENCENTRAL LIBRARY'.
           05  FILLER PIC X(23) VALUE 'HBRHARBOR BRANCH'.
           05  FILLER PIC X(23) VALUE 'MILMILL LANE BRANCH'.
           05  FILLER PIC X(23) VALUE 'NORNORTH PARK BRANCH'.
       01  WS-BRANCH-TABLE REDEFINES WS-BRANCH-VALUES.
           05  WS-BRANCH OCCURS 5 TIMES
                         ASCENDING KEY IS WS-B-ID
                         INDEXED BY BX.
               10  WS-B-ID             PIC X(3).
               10  WS-B-NAME           PIC X(20).

       01  WS-THIS-MEMBER.
           05  WS-MEMBER-ID            PIC X(8).
           05  WS-KIND                 PIC X.
               88  WS-CHILD            VALUE 'C'.
           05  WS-BRANCH-ID            PIC X(3).
           05  WS-WORST                PIC 9.
           05  WS-BOOKS                PIC 9(3).
           05  WS-TOTAL                PIC 9(5)V99.
           05  WS-BOOK-LINE OCCURS 20 TIMES
                                       PIC X(80).
       01  WS-EDIT-LINE.
           05  FILLER                  PIC X(5)     VALUE SPACES.
           05  WE-BOOK-ID              PIC X(10).
           05  FILLER                  PIC X(3)     VALUE SPACES.
           05  WE-DAYS                 PIC ZZZZ9.
           05  FILLER                  PIC X(13)
                                       VALUE ' DAYS LATE   '.
           05  WE-FEE                  PIC ZZ,ZZ9.99.
           05  FILLER                  PIC X(35)    VALUE SPACES.
       01  WS-I                        PIC S9(4) COMP.
       01  WS-LETTERS                  PIC 9(7)     VALUE 0.
       01  WS-NO-ADDRESS               PIC 9(7)     VALUE 0.
           COPY LETTPRM.

       PROCEDURE DIVISION.
       0000-MAIN-LINE.
           OPEN INPUT NOTICE-FILE ADDRESS-FILE
                OUTPUT LETTER-FILE.
           IF NOT ADDRESS-OPEN-OK
               DISPLAY 'MAIL02 ADDRMST WILL NOT OPEN '
                       WS-ADDRESS-STATUS
               MOVE 16 TO RETURN-CODE
               GOBACK
           END-IF.
           PERFORM 1000-READ-NOTICE.
           PERFORM 2000-ONE-MEMBER THRU 2000-EXIT
               UNTIL NO-MORE-NOTICES.
           CLOSE NOTICE-FILE ADDRESS-FILE LETTER-FILE.
           DISPLAY 'MAIL02 LETTERS    ' WS-LETTERS.
           DISPLAY 'MAIL02 NO ADDRESS ' WS-NO-ADDRESS.
           IF WS-NO-ADDRESS > 0
               MOVE 4 TO RETURN-CODE
           END-IF.
           GOBACK.

       1000-READ-NOTICE.
           READ NOTICE-FILE
               AT END
                   MOVE HIGH-VALUES TO NR-MEMBER-ID
           END-READ.

       2000-ONE-MEMBER.
           MOVE NR-MEMBER-ID TO WS-MEMBER-ID.
           MOVE NR-KIND      TO WS-KIND.
           MOVE NR-BRANCH    TO WS-BRANCH-ID.
           MOVE 0 TO WS-WORST WS-BOOKS WS-TOTAL.
           PERFORM 2100-ONE-NOTICE
               UNTIL NR-MEMBER-ID NOT = WS-MEMBER-ID.
           MOVE WS-MEMBER-ID TO AR-MEMBER-ID.
           READ ADDRESS-FILE
               INVALID KEY
                   ADD 1 TO WS-NO-ADDRESS
                   DISPLAY 'MAIL02 NO ADDRESS FOR ' WS-MEMBER-ID
           END-READ.
           IF NOT ADDRESS-FOUND
               GO TO 2000-EXIT.
           PERFORM 3000-WRITE-LETTER.
       2000-EXIT.
           EXIT.

      * MORE THAN 20 BOOKS: THE REST ARE IN THE TOTAL, NOT IN THE
      * LIST.
       2100-ONE-NOTICE.
           ADD 1 TO WS-BOOKS.
           ADD NR-FEE TO WS-TOTAL.
           IF NR-LEVEL > WS-WORST
               MOVE NR-LEVEL TO WS-WORST
           END-IF.
           IF WS-BOOKS NOT > 20
               MOVE NR-BOOK-ID   TO WE-BOOK-ID
               MOVE NR-DAYS-LATE TO WE-DAYS
               MOVE NR-FEE       TO WE-FEE
               MOVE WS-EDIT-LINE TO WS-BOOK-LINE (WS-BOOKS)
           END-IF.
           PERFORM 1000-READ-NOTICE.

       3000-WRITE-LETTER.
           MOVE AR-NAME     TO LP-NAME.
           MOVE AR-GUARDIAN TO LP-GUARDIAN.
           MOVE WS-WORST    TO LP-LEVEL.
           MOVE WS-BOOKS    TO LP-BOOKS.
           MOVE WS-TOTAL    TO LP-TOTAL.
           IF WS-CHILD
               MOVE 'LETT02' TO WS-LETTER-PGM
           ELSE
               MOVE 'LETT01' TO WS-LETTER-PGM
           END-IF.
           CALL WS-LETTER-PGM USING LETTER-PARM.
           PERFORM 3100-HEAD.
           PERFORM VARYING WS-I FROM 1 BY 1
                   UNTIL WS-I > LP-LINE-COUNT
               MOVE LP-LINE (WS-I) TO LETTER-LINE
               WRITE LETTER-LINE
           END-PERFORM.
           PERFORM VARYING WS-I FROM 1 BY 1
                   UNTIL WS-I > WS-BOOKS OR WS-I > 20
               WRITE LETTER-LINE FROM WS-BOOK-LINE (WS-I)
           END-PERFORM.
           ADD 1 TO WS-LETTERS.

      * A LINE OF 1 IN THE FIRST COLUMN TELLS THE FOLDING MACHINE
      * THAT A NEW LETTER BEGINS.
       3100-HEAD.
           MOVE '1' TO LETTER-LINE.
           WRITE LETTER-LINE.
           SEARCH ALL WS-BRANCH
               AT END
                   MOVE 'THE LIBRARY' TO LETTER-LINE
               WHEN WS-B-ID (BX) = WS-BRANCH-ID
                   MOVE WS-B-NAME (BX) TO LETTER-LINE
           END-SEARCH.
           WRITE LETTER-LINE.
           IF WS-CHILD AND AR-GUARDIAN NOT = SPACES
               WRITE LETTER-LINE FROM AR-GUARDIAN
           ELSE
               WRITE LETTER-LINE FROM AR-NAME
           END-IF.
           WRITE LETTER-LINE FROM AR-STREET.
           MOVE SPACES TO LETTER-LINE.
           STRING AR-POSTCODE DELIMITED BY SPACE
                  ' '         DELIMITED BY SIZE
                  AR-TOWN     DELIMITED BY SIZE
               INTO LETTER-LINE.
           WRITE LETTER-LINE.
