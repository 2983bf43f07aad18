      *****************************************************************
      * FEES01 - NIGHTLY FEES FOR LOANS THAT ARE OVERDUE.             *
      *                                                               *
      * READS THE LOANS THAT LOAN01 PUT ASIDE, IN ORDER OF MEMBER.    *
      * A COPY THAT IS BACK LATE, OR LOST, IS CHARGED (FEEOUT).       *
      * A COPY THAT IS STILL OUT IS ONLY WRITTEN ABOUT (NOTICES).     *
      *                                                               *
      * CHANGES                                                       *
      * 1994-03-07 RH  WRITTEN.                                       *
      * 1995-01-09 RH  FLAT FEE GONE, CENTS A DAY INSTEAD.            *
      * 1996-11-18 RH  CHILDREN PAY HALF.                             *
      * 1998-08-24 MO  DATES WITH CENTURY. LOANREC GREW TO 80.        *
      * 1999-02-01 MO  TARIFF FROM VSAM, NO LONGER IN THE PROGRAM.    *
      * 2003-05-12 JT  STAFF PAY NOTHING. COMMITTEE OF 2003-04-30.    *
      * 2008-10-06 JT  SENIORS: THREE DAYS OF GRACE.                  *
      * 2014-06-02 KV  LOST COPIES ARE BILLED.                        *
      *****************************************************************
       IDENTIFICATION DIVISION.
       PROGRAM-ID. FEES01.
       AUTHOR. R HALVARD.
       DATE-WRITTEN. MARCH 1994.
       ENVIRONMENT DIVISION.
       INPUT-OUTPUT SECTION.
       FILE-CONTROL.
           SELECT LOAN-FILE ASSIGN TO LOANS
               FILE STATUS IS WS-LOAN-STATUS.
           SELECT TARIFF-FILE ASSIGN TO TARIFF
               ORGANIZATION IS INDEXED
               ACCESS MODE IS SEQUENTIAL
               RECORD KEY IS TR-KEY
               FILE STATUS IS WS-TARIFF-STATUS.
           SELECT HOLIDAY-FILE ASSIGN TO HOLIDAYS
               FILE STATUS IS WS-HOLIDAY-STATUS.
           SELECT FEE-FILE ASSIGN TO FEEOUT
               FILE STATUS IS WS-FEE-STATUS.
           SELECT NOTICE-FILE ASSIGN TO NOTICES
               FILE STATUS IS WS-NOTICE-STATUS.
       DATA DIVISION.
       FILE SECTION.
       FD  LOAN-FILE
           RECORDING MODE IS F
           BLOCK CONTAINS 0 RECORDS.
           COPY LOANREC REPLACING ==:TAG:== BY ==LOAN==.
       FD  TARIFF-FILE.
           COPY TARFREC.
       FD  HOLIDAY-FILE
           RECORDING MODE IS F
           BLOCK CONTAINS 0 RECORDS.
       01  HOLIDAY-LINE.
           05  HL-DATE                 PIC 9(8).
           05  HL-BRANCH               PIC X(3).
           05  HL-WHAT                 PIC X(69).
       FD  FEE-FILE
           RECORDING MODE IS F
           BLOCK CONTAINS 0 RECORDS.
           COPY FEEREC.
       FD  NOTICE-FILE
           RECORDING MODE IS F
           BLOCK CONTAINS 0 RECORDS.
           COPY NOTREC.

       WORKING-STORAGE SECTION.
       01  WS-STATUSES.
           05  WS-LOAN-STATUS          PIC XX.
               88  NO-MORE-LOANS       VALUE '10'.
           05  WS-TARIFF-STATUS        PIC XX.
               88  NO-MORE-TARIFF      VALUE '10'.
           05  WS-HOLIDAY-STATUS       PIC XX.
               88  NO-MORE-HOLIDAYS    VALUE '10'.
           05  WS-FEE-STATUS           PIC XX.
           05  WS-NOTICE-STATUS        PIC XX.
       01  WS-PROGRAMS.
           05  WS-DAYS-PGM             PIC X(8)     VALUE 'DAYS01'.

      * WHEN THE TARIFF HAS NO LINE FOR A LOAN, THIS ONE IS TAKEN.
       01  WS-HOUSE-TARIFF.
           05  WS-HOUSE-FEE-A-DAY      PIC 9(3)V99  VALUE 0.25.
           05  WS-HOUSE-FEE-LIMIT      PIC 9(3)V99  VALUE 20.00.
       01  WS-RULES.
           05  WS-SENIOR-GRACE         PIC 9(3)     VALUE 3.
           05  WS-LOST-HANDLING        PIC 9(3)V99  VALUE 5.00.
           05  WS-LOST-NO-PRICE        PIC 9(3)V99  VALUE 25.00.

       01  WS-TARIFF-COUNT             PIC S9(4) COMP VALUE 0.
       01  WS-TARIFF-TABLE.
           05  WS-TARIFF OCCURS 50 TIMES
                         INDEXED BY TX.
               10  WS-T-KIND           PIC X.
               10  WS-T-MEDIUM         PIC XX.
               10  WS-T-FEE-A-DAY      PIC 9(3)V99.
               10  WS-T-FEE-LIMIT      PIC 9(3)V99.

           COPY HOLTAB.
           COPY DAYSPRM.

       01  WS-WORK.
           05  WS-TODAY                PIC 9(8).
           05  WS-DAYS-LATE            PIC S9(5) COMP-3.
           05  WS-FEE                  PIC S9(7)V99 COMP-3.
           05  WS-FEE-A-DAY            PIC 9(3)V99.
           05  WS-FEE-LIMIT            PIC 9(3)V99.
           05  WS-LEVEL                PIC 9.
           05  WS-BAD-FILE             PIC X(8).
           05  WS-BAD-STATUS           PIC XX.
       01  WS-COUNTS.
           05  WS-READ                 PIC 9(7)     VALUE 0.
           05  WS-CHARGED              PIC 9(7)     VALUE 0.
           05  WS-NOTICED              PIC 9(7)     VALUE 0.
           05  WS-FREE                 PIC 9(7)     VALUE 0.
           05  WS-NO-TARIFF            PIC 9(7)     VALUE 0.

       LINKAGE SECTION.
       01  LK-PARM.
           05  LK-LENGTH               PIC S9(4) COMP.
           05  LK-RUN-DATE             PIC 9(8).

       PROCEDURE DIVISION USING LK-PARM.
       0000-MAIN-LINE.
           PERFORM 1000-START THRU 1000-EXIT.
           PERFORM 2000-ONE-LOAN THRU 2000-EXIT
               UNTIL NO-MORE-LOANS.
           PERFORM 8000-END.
           GOBACK.

      * A RUN DATE IN THE PARM IS FOR RERUNS. WITHOUT ONE IT IS TODAY.
       1000-START.
           IF LK-LENGTH = 8
               MOVE LK-RUN-DATE TO WS-TODAY
           ELSE
               ACCEPT WS-TODAY FROM DATE YYYYMMDD
           END-IF.
           OPEN INPUT LOAN-FILE.
           IF WS-LOAN-STATUS NOT = '00'
               MOVE 'LOANS' TO WS-BAD-FILE
               MOVE WS-LOAN-STATUS TO WS-BAD-STATUS
               GO TO 9900-STOP.
           OPEN INPUT TARIFF-FILE.
           IF WS-TARIFF-STATUS NOT = '00' AND NOT = '97'
               MOVE 'TARIFF' TO WS-BAD-FILE
               MOVE WS-TARIFF-STATUS TO WS-BAD-STATUS
               GO TO 9900-STOP.
           OPEN INPUT HOLIDAY-FILE.
           IF WS-HOLIDAY-STATUS NOT = '00'
               MOVE 'HOLIDAYS' TO WS-BAD-FILE
               MOVE WS-HOLIDAY-STATUS TO WS-BAD-STATUS
               GO TO 9900-STOP.
           OPEN OUTPUT FEE-FILE NOTICE-FILE.
           IF WS-FEE-STATUS NOT = '00'
               MOVE 'FEEOUT' TO WS-BAD-FILE
               MOVE WS-FEE-STATUS TO WS-BAD-STATUS
               GO TO 9900-STOP.
           PERFORM 1100-LOAD-TARIFF UNTIL NO-MORE-TARIFF.
           MOVE 0 TO HT-COUNT.
           PERFORM 1200-LOAD-HOLIDAY UNTIL NO-MORE-HOLIDAYS.
           PERFORM 2100-READ-LOAN.
       1000-EXIT.
           EXIT.

       1100-LOAD-TARIFF.
           READ TARIFF-FILE NEXT RECORD
               AT END
                   CONTINUE
               NOT AT END
                   ADD 1 TO WS-TARIFF-COUNT
                   SET TX TO WS-TARIFF-COUNT
                   MOVE TR-KIND      TO WS-T-KIND (TX)
                   MOVE TR-MEDIUM    TO WS-T-MEDIUM (TX)
                   MOVE TR-FEE-A-DAY TO WS-T-FEE-A-DAY (TX)
                   MOVE TR-FEE-LIMIT TO WS-T-FEE-LIMIT (TX)
           END-READ.

       1200-LOAD-HOLIDAY.
           READ HOLIDAY-FILE
               AT END
                   CONTINUE
               NOT AT END
                   IF HT-COUNT < 200
                       ADD 1 TO HT-COUNT
                       MOVE HL-DATE   TO HT-DATE (HT-COUNT)
                       MOVE HL-BRANCH TO HT-BRANCH (HT-COUNT)
                   ELSE
                       DISPLAY 'FEES01 HOLIDAYS FULL, LOST ' HL-DATE
                   END-IF
           END-READ.

       2000-ONE-LOAN.
           IF LOAN-IS-STAFF
               ADD 1 TO WS-FREE
               GO TO 2000-NEXT.
           PERFORM 2200-FIND-TARIFF.
           PERFORM 2300-COUNT-DAYS.
           IF WS-DAYS-LATE NOT > 0
               ADD 1 TO WS-FREE
               GO TO 2000-NEXT.
           PERFORM 2400-WORK-OUT-FEE.
           EVALUATE TRUE
               WHEN LOAN-IS-BACK
                   PERFORM 3000-WRITE-CHARGE
               WHEN LOAN-IS-LOST
                   PERFORM 3000-WRITE-CHARGE
                   MOVE 4 TO WS-LEVEL
                   PERFORM 3100-WRITE-NOTICE
               WHEN LOAN-IS-OUT
                   PERFORM 2500-NOTICE-LEVEL
                   IF WS-LEVEL > 0
                       PERFORM 3100-WRITE-NOTICE
                   END-IF
               WHEN OTHER
                   DISPLAY 'FEES01 STATUS? ' LOAN-RECORD
           END-EVALUATE.
       2000-NEXT.
           PERFORM 2100-READ-LOAN.
       2000-EXIT.
           EXIT.

       2100-READ-LOAN.
           READ LOAN-FILE
               NOT AT END
                   ADD 1 TO WS-READ
           END-READ.

       2200-FIND-TARIFF.
           MOVE WS-HOUSE-FEE-A-DAY TO WS-FEE-A-DAY.
           MOVE WS-HOUSE-FEE-LIMIT TO WS-FEE-LIMIT.
           SET TX TO 1.
           SEARCH WS-TARIFF
               AT END
                   ADD 1 TO WS-NO-TARIFF
               WHEN TX > WS-TARIFF-COUNT
                   ADD 1 TO WS-NO-TARIFF
               WHEN WS-T-KIND (TX) = LOAN-MEMBER-KIND
                AND WS-T-MEDIUM (TX) = LOAN-MEDIUM
                   MOVE WS-T-FEE-A-DAY (TX) TO WS-FEE-A-DAY
                   MOVE WS-T-FEE-LIMIT (TX) TO WS-FEE-LIMIT
           END-SEARCH.

      * ONLY DAYS ON WHICH THE BRANCH WAS OPEN ARE COUNTED.
       2300-COUNT-DAYS.
           SET DP-OPEN-DAYS TO TRUE.
           MOVE LOAN-DATE-DUE TO DP-FROM.
           MOVE LOAN-BRANCH   TO DP-BRANCH.
           IF LOAN-IS-BACK
               MOVE LOAN-DATE-BACK TO DP-TO
           ELSE
               MOVE WS-TODAY TO DP-TO
           END-IF.
           CALL WS-DAYS-PGM USING DAYS-PARM HOLIDAY-TABLE.
           IF DP-OK
               MOVE DP-DAYS TO WS-DAYS-LATE
           ELSE
               MOVE 0 TO WS-DAYS-LATE
               DISPLAY 'FEES01 DAYS01 SAYS ' DP-RETURN
                       ' FOR COPY ' LOAN-BOOK-ID
           END-IF.
           IF LOAN-IS-SENIOR
               IF WS-DAYS-LATE NOT > WS-SENIOR-GRACE
                   MOVE 0 TO WS-DAYS-LATE.

       2400-WORK-OUT-FEE.
           COMPUTE WS-FEE = WS-DAYS-LATE * WS-FEE-A-DAY.
           IF LOAN-IS-CHILD
               COMPUTE WS-FEE = WS-FEE / 2
           END-IF.
           IF WS-FEE > WS-FEE-LIMIT
               MOVE WS-FEE-LIMIT TO WS-FEE
           END-IF.
           IF LOAN-IS-LOST
               IF LOAN-PRICE > 0
                   COMPUTE WS-FEE = LOAN-PRICE + WS-LOST-HANDLING
               ELSE
                   COMPUTE WS-FEE = WS-LOST-NO-PRICE
                                  + WS-LOST-HANDLING
               END-IF
           END-IF.

      * WRITTEN IN AN EVENING FOR THE COMMITTEE AND NEVER PUT RIGHT.
      * 0 IS NO LETTER TONIGHT.
       2500-NOTICE-LEVEL.
           MOVE 0 TO WS-LEVEL.
           IF LOAN-IS-CHILD
               IF WS-DAYS-LATE = 7
                   MOVE 1 TO WS-LEVEL
               ELSE
                   IF WS-DAYS-LATE = 28
                       IF LOAN-IS-DVD
                           MOVE 3 TO WS-LEVEL
                       ELSE
                           IF LOAN-PRICE > 50
                               MOVE 3 TO WS-LEVEL
                           ELSE
                               MOVE 2 TO WS-LEVEL
                   ELSE
                       IF WS-DAYS-LATE = 56
                           IF LOAN-RENEWALS > 0
                               MOVE 3 TO WS-LEVEL
                           ELSE
                               IF LOAN-IS-MAGAZINE
                                   MOVE 0 TO WS-LEVEL
                               ELSE
                                   MOVE 3 TO WS-LEVEL
                       ELSE
                           NEXT SENTENCE
           ELSE
               IF WS-DAYS-LATE = 3 AND LOAN-IS-DVD
                   MOVE 1 TO WS-LEVEL
               ELSE
                   IF WS-DAYS-LATE = 7 AND NOT LOAN-IS-DVD
                       MOVE 1 TO WS-LEVEL
                   ELSE
                       IF WS-DAYS-LATE = 21
                           IF LOAN-IS-SENIOR
                               MOVE 1 TO WS-LEVEL
                           ELSE
                               IF LOAN-PRICE > 50
                                   MOVE 3 TO WS-LEVEL
                               ELSE
                                   MOVE 2 TO WS-LEVEL
                       ELSE
                           IF WS-DAYS-LATE = 42
                               MOVE 3 TO WS-LEVEL.

      * THE FLAT FEE OF 1994: 1.00 A LOAN, HOWEVER LATE.
       2900-OLD-FLAT-FEE.
           MOVE 1.00 TO WS-FEE.
           IF LOAN-IS-MAGAZINE
               MOVE 0.50 TO WS-FEE.

       3000-WRITE-CHARGE.
           MOVE SPACES TO FEE-RECORD.
           MOVE LOAN-MEMBER-ID TO FR-MEMBER-ID.
           MOVE LOAN-BOOK-ID   TO FR-BOOK-ID.
           MOVE WS-TODAY       TO FR-CHARGED-ON.
           IF LOAN-IS-LOST
               SET FR-LOST TO TRUE
           ELSE
               SET FR-OVERDUE TO TRUE
           END-IF.
           MOVE WS-FEE TO FR-AMOUNT.
           WRITE FEE-RECORD.
           ADD 1 TO WS-CHARGED.

       3100-WRITE-NOTICE.
           MOVE SPACES TO NOTICE-RECORD.
           MOVE LOAN-MEMBER-ID   TO NR-MEMBER-ID.
           MOVE LOAN-MEMBER-KIND TO NR-KIND.
           MOVE WS-LEVEL         TO NR-LEVEL.
           MOVE LOAN-BOOK-ID     TO NR-BOOK-ID.
           MOVE WS-DAYS-LATE     TO NR-DAYS-LATE.
           MOVE WS-FEE           TO NR-FEE.
           MOVE LOAN-BRANCH      TO NR-BRANCH.
           WRITE NOTICE-RECORD.
           ADD 1 TO WS-NOTICED.

      * NO LOANS AT ALL IS STRANGE BUT NOT WRONG: CODE 4.
       8000-END.
           CLOSE LOAN-FILE TARIFF-FILE HOLIDAY-FILE
                 FEE-FILE NOTICE-FILE.
           DISPLAY 'FEES01 RUN DATE   ' WS-TODAY.
           DISPLAY 'FEES01 READ       ' WS-READ.
           DISPLAY 'FEES01 CHARGED    ' WS-CHARGED.
           DISPLAY 'FEES01 NOTICES    ' WS-NOTICED.
           DISPLAY 'FEES01 FREE       ' WS-FREE.
           DISPLAY 'FEES01 NO TARIFF  ' WS-NO-TARIFF.
           IF WS-READ = 0
               MOVE 4 TO RETURN-CODE.

       9900-STOP.
           DISPLAY 'FEES01 CANNOT OPEN ' WS-BAD-FILE
                   ' STATUS ' WS-BAD-STATUS.
           MOVE 16 TO RETURN-CODE.
           GOBACK.
