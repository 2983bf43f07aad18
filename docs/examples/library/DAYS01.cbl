      *****************************************************************
      * DAYS01 - DAYS BETWEEN TWO DATES.                              *
      *                                                               *
      * FUNCTION O  DAYS ON WHICH THE BRANCH WAS OPEN                 *
      * FUNCTION A  ALL DAYS                                          *
      * THE FIRST DATE IS NOT COUNTED, THE LAST ONE IS.               *
      *                                                               *
      * CHANGES                                                       *
      * 1994-03-21 RH  WRITTEN.                                       *
      * 1998-09-02 MO  OUR OWN DATE SUMS OUT, ZDATECV IN (Y2K).       *
      * 2001-07-16 MO  HOLIDAYS OF ONE BRANCH.                        *
      * 2011-01-10 KV  HARBOR BRANCH (HBR) IS SHUT ON MONDAYS.        *
      *****************************************************************
       IDENTIFICATION DIVISION.
       PROGRAM-ID. DAYS01.
       AUTHOR. R HALVARD.
       ENVIRONMENT DIVISION.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
      * THE VENDOR'S PARAMETERS. THE COPYBOOK IS IN HIS LIBRARY,
      * ZDATE.V4R1.COPYLIB, NOT IN OURS.
           COPY ZDATEPRM.
       01  WS-WORK.
           05  WS-FIRST-DAY            PIC S9(9) COMP.
           05  WS-LAST-DAY             PIC S9(9) COMP.
           05  WS-DAY                  PIC S9(9) COMP.
           05  WS-DATE                 PIC 9(8).
           05  WS-WEEKDAY              PIC 9.
               88  WS-MONDAY           VALUE 1.
               88  WS-SUNDAY           VALUE 7.
           05  WS-OPEN-SWITCH          PIC X.
               88  WS-OPEN             VALUE 'Y'.
               88  WS-SHUT             VALUE 'N'.
           05  WS-DAYS                 PIC S9(5) COMP-3.

       LINKAGE SECTION.
           COPY DAYSPRM.
           COPY HOLTAB.

       PROCEDURE DIVISION USING DAYS-PARM HOLIDAY-TABLE.
       0000-MAIN-LINE.
           MOVE 0 TO DP-DAYS.
           SET DP-OK TO TRUE.
           PERFORM 1000-BOTH-DATES THRU 1000-EXIT.
           IF NOT DP-OK
               GOBACK
           END-IF.
           EVALUATE TRUE
               WHEN DP-ALL-DAYS
                   COMPUTE DP-DAYS = WS-LAST-DAY - WS-FIRST-DAY
               WHEN DP-OPEN-DAYS
                   PERFORM 2000-OPEN-DAYS
                   MOVE WS-DAYS TO DP-DAYS
               WHEN OTHER
                   SET DP-BAD-FUNCTION TO TRUE
           END-EVALUATE.
           GOBACK.

      * BOTH DATES TO DAY NUMBERS. THE LAST BEFORE THE FIRST IS
      * NO ERROR: RETURN 04 AND NO DAYS.
       1000-BOTH-DATES.
           MOVE 'N' TO ZD-FUNCTION.
           MOVE DP-FROM TO ZD-DATE.
           CALL 'ZDATECV' USING ZDATE-PARM.
           IF ZD-RETURN NOT = 0
               SET DP-BAD-DATE TO TRUE
               GO TO 1000-EXIT.
           MOVE ZD-DAY-NUMBER TO WS-FIRST-DAY.
           MOVE 'N' TO ZD-FUNCTION.
           MOVE DP-TO TO ZD-DATE.
           CALL 'ZDATECV' USING ZDATE-PARM.
           IF ZD-RETURN NOT = 0
               SET DP-BAD-DATE TO TRUE
               GO TO 1000-EXIT.
           MOVE ZD-DAY-NUMBER TO WS-LAST-DAY.
           IF WS-LAST-DAY < WS-FIRST-DAY
               SET DP-NEGATIVE TO TRUE.
       1000-EXIT.
           EXIT.

       2000-OPEN-DAYS.
           MOVE 0 TO WS-DAYS.
           COMPUTE WS-DAY = WS-FIRST-DAY + 1.
           PERFORM UNTIL WS-DAY > WS-LAST-DAY
               PERFORM 2100-IS-IT-OPEN
               IF WS-OPEN
                   ADD 1 TO WS-DAYS
               END-IF
               ADD 1 TO WS-DAY
           END-PERFORM.

       2100-IS-IT-OPEN.
           SET WS-OPEN TO TRUE.
           MOVE 'D' TO ZD-FUNCTION.
           MOVE WS-DAY TO ZD-DAY-NUMBER.
           CALL 'ZDATECV' USING ZDATE-PARM.
           MOVE ZD-DATE TO WS-DATE.
           MOVE ZD-WEEKDAY TO WS-WEEKDAY.
           IF WS-SUNDAY
               SET WS-SHUT TO TRUE
           END-IF.
           IF WS-MONDAY AND DP-BRANCH = 'HBR'
               SET WS-SHUT TO TRUE
           END-IF.
           IF WS-OPEN AND HT-COUNT > 0
               PERFORM 2200-LOOK-FOR-HOLIDAY
           END-IF.

       2200-LOOK-FOR-HOLIDAY.
           SET HT-IX TO 1.
           SEARCH HT-ENTRY
               AT END
                   CONTINUE
               WHEN HT-IX > HT-COUNT
                   CONTINUE
               WHEN HT-DATE (HT-IX) = WS-DATE
                AND (HT-BRANCH (HT-IX) = DP-BRANCH
                     OR HT-BRANCH (HT-IX) = '***')
                   SET WS-SHUT TO TRUE
           END-SEARCH.
