      *****************************************************************
      * LOAN01 - CLOSES THE DAY IN THE LOAN MASTER.                   *
      *                                                               *
      * BROWSES LOANMST FROM END TO END:                              *
      *   BACK IN TIME    DELETED                                     *
      *   BACK LATE       WRITTEN TO LOANS, THEN DELETED              *
      *   OUT AND LATE    WRITTEN TO LOANS, KEPT                      *
      *   OUT TOO LONG    MARKED LOST, WRITTEN TO LOANS ONCE, KEPT    *
      *                                                               *
      * RUNS WITH THE DESK DOWN (LOANMST IS CLOSED TO CICS).          *
      * NOT TO BE RUN TWICE: THE DELETED LOANS ARE GONE. RESTORE      *
      * LOANMST FIRST, SEE THE HANDBOOK.                              *
      *                                                               *
      * CHANGES                                                       *
      * 1994-03-14 RH  WRITTEN.                                       *
      * 1998-08-26 MO  DATES WITH CENTURY.                            *
      * 2014-06-02 KV  LOST AFTER 120 DAYS.                           *
      * 2015-02-23 KV  ... BUT NOT STAFF.                             *
      *****************************************************************
       IDENTIFICATION DIVISION.
       PROGRAM-ID. LOAN01.
       AUTHOR. R HALVARD.
       ENVIRONMENT DIVISION.
       INPUT-OUTPUT SECTION.
       FILE-CONTROL.
           SELECT LOAN-MASTER ASSIGN TO LOANMST
               ORGANIZATION IS INDEXED
               ACCESS MODE IS SEQUENTIAL
               RECORD KEY IS MAST-BOOK-ID
               FILE STATUS IS WS-MASTER-STATUS.
           SELECT LOAN-FILE ASSIGN TO LOANS
               FILE STATUS IS WS-LOAN-STATUS.
       DATA DIVISION.
       FILE SECTION.
       FD  LOAN-MASTER.
           COPY LOANREC REPLACING ==:TAG:== BY ==MAST==.
       FD  LOAN-FILE
           RECORDING MODE IS F
           BLOCK CONTAINS 0 RECORDS.
           COPY LOANREC REPLACING ==:TAG:== BY ==LOAN==.

       WORKING-STORAGE SECTION.
       01  WS-MASTER-STATUS            PIC XX.
           88  MASTER-OK               VALUE '00'.
           88  MASTER-OPEN-OK          VALUE '00' '97'.
           88  MASTER-END              VALUE '10'.
       01  WS-LOAN-STATUS              PIC XX.
       01  WS-LOST-AFTER               PIC 9(3)     VALUE 120.
       01  WS-TODAY                    PIC 9(8).
       01  WS-COUNTS.
           05  WS-READ                 PIC 9(7)     VALUE 0.
           05  WS-WRITTEN              PIC 9(7)     VALUE 0.
           05  WS-DELETED              PIC 9(7)     VALUE 0.
           05  WS-LOST                 PIC 9(7)     VALUE 0.
           COPY DAYSPRM.
      * NOT FILLED HERE: FUNCTION A DOES NOT LOOK AT HOLIDAYS.
           COPY HOLTAB.

       LINKAGE SECTION.
       01  LK-PARM.
           05  LK-LENGTH               PIC S9(4) COMP.
           05  LK-RUN-DATE             PIC 9(8).

       PROCEDURE DIVISION USING LK-PARM.
       0000-MAIN-LINE.
           PERFORM 1000-START.
           PERFORM 2000-ONE-LOAN THRU 2000-EXIT
               UNTIL MASTER-END.
           CLOSE LOAN-MASTER LOAN-FILE.
           DISPLAY 'LOAN01 READ    ' WS-READ.
           DISPLAY 'LOAN01 WRITTEN ' WS-WRITTEN.
           DISPLAY 'LOAN01 DELETED ' WS-DELETED.
           DISPLAY 'LOAN01 LOST    ' WS-LOST.
           GOBACK.

       1000-START.
           IF LK-LENGTH = 8
               MOVE LK-RUN-DATE TO WS-TODAY
           ELSE
               ACCEPT WS-TODAY FROM DATE YYYYMMDD
           END-IF.
           MOVE 0 TO HT-COUNT.
           OPEN I-O LOAN-MASTER.
           IF NOT MASTER-OPEN-OK
               DISPLAY 'LOAN01 LOANMST WILL NOT OPEN '
                       WS-MASTER-STATUS
               GO TO 9900-STOP
           END-IF.
           OPEN OUTPUT LOAN-FILE.
           IF WS-LOAN-STATUS NOT = '00'
               DISPLAY 'LOAN01 LOANS WILL NOT OPEN ' WS-LOAN-STATUS
               GO TO 9900-STOP
           END-IF.
           PERFORM 2900-READ-NEXT.

       2000-ONE-LOAN.
           EVALUATE TRUE
               WHEN MAST-IS-BACK
                AND MAST-DATE-BACK > MAST-DATE-DUE
                   PERFORM 2100-PUT-ASIDE
                   PERFORM 2200-DELETE
               WHEN MAST-IS-BACK
                   PERFORM 2200-DELETE
               WHEN MAST-IS-OUT
                AND MAST-DATE-DUE < WS-TODAY
                   PERFORM 2300-LATE-AND-OUT
               WHEN MAST-IS-LOST
                   CONTINUE
               WHEN MAST-IS-OUT
                   CONTINUE
               WHEN OTHER
                   DISPLAY 'LOAN01 STATUS? ' MAST-RECORD
                   MOVE 4 TO RETURN-CODE
           END-EVALUATE.
           PERFORM 2900-READ-NEXT.
       2000-EXIT.
           EXIT.

       2100-PUT-ASIDE.
           MOVE MAST-RECORD TO LOAN-RECORD.
           WRITE LOAN-RECORD.
           IF WS-LOAN-STATUS NOT = '00'
               DISPLAY 'LOAN01 WRITE ' WS-LOAN-STATUS
               GO TO 9900-STOP.
           ADD 1 TO WS-WRITTEN.

       2200-DELETE.
           DELETE LOAN-MASTER RECORD.
           IF NOT MASTER-OK
               DISPLAY 'LOAN01 DELETE ' WS-MASTER-STATUS
                       ' ' MAST-BOOK-ID
               GO TO 9900-STOP.
           ADD 1 TO WS-DELETED.

      * 120 DAYS OF THE CALENDAR, SHUT OR NOT. STAFF NEVER LOSE
      * A BOOK.
       2300-LATE-AND-OUT.
           SET DP-ALL-DAYS TO TRUE.
           MOVE MAST-DATE-DUE TO DP-FROM.
           MOVE WS-TODAY      TO DP-TO.
           MOVE MAST-BRANCH   TO DP-BRANCH.
           CALL 'DAYS01' USING DAYS-PARM HOLIDAY-TABLE.
           IF DP-OK AND DP-DAYS > WS-LOST-AFTER
                    AND NOT MAST-IS-STAFF
               SET MAST-IS-LOST TO TRUE
               REWRITE MAST-RECORD
               IF NOT MASTER-OK
                   DISPLAY 'LOAN01 REWRITE ' WS-MASTER-STATUS
                   GO TO 9900-STOP
               END-IF
               ADD 1 TO WS-LOST
           END-IF.
           PERFORM 2100-PUT-ASIDE.

       2900-READ-NEXT.
           READ LOAN-MASTER NEXT RECORD
               AT END
                   CONTINUE
               NOT AT END
                   ADD 1 TO WS-READ
           END-READ.
           IF NOT MASTER-OK AND NOT MASTER-END
               DISPLAY 'LOAN01 READ ' WS-MASTER-STATUS
               GO TO 9900-STOP.

       9900-STOP.
           DISPLAY 'LOAN01 STOPPED AFTER ' WS-READ.
           MOVE 16 TO RETURN-CODE.
           GOBACK.
