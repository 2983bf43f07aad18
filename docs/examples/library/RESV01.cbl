      *****************************************************************
      * RESV01 - RESERVATIONS: CLEARS THE HOLD SHELF.                 *
      *                                                               *
      * A COPY IS HELD FOR SEVEN DAYS. AFTER THAT THE NEXT MEMBER     *
      * IN THE QUEUE GETS IT, OR IT GOES BACK ON THE OPEN SHELF.      *
      *                                                               *
      * CHANGES                                                       *
      * 1997-06-09 MO  WRITTEN.                                       *
      * 2004-02-16 JT  NO-SHOWS ARE COUNTED.                          *
      * 2009-09-14 KV  THREE NO-SHOWS END ALL THE MEMBER WAITS FOR.   *
      *****************************************************************
       IDENTIFICATION DIVISION.
       PROGRAM-ID. RESV01.
       AUTHOR. M OSEI.
       ENVIRONMENT DIVISION.
       INPUT-OUTPUT SECTION.
       FILE-CONTROL.
           SELECT HOLD-FILE ASSIGN TO HOLDS
               FILE STATUS IS WS-HOLD-STATUS.
       DATA DIVISION.
       FILE SECTION.
       FD  HOLD-FILE
           RECORDING MODE IS F
           BLOCK CONTAINS 0 RECORDS.
       01  HOLD-LINE.
           05  HD-BRANCH               PIC X(3).
           05  FILLER                  PIC X.
           05  HD-BOOK-ID              PIC X(10).
           05  FILLER                  PIC X.
           05  HD-MEMBER-ID            PIC X(8).
           05  FILLER                  PIC X.
           05  HD-WHAT                 PIC X(24).
           05  FILLER                  PIC X(32).

       WORKING-STORAGE SECTION.
           EXEC SQL INCLUDE SQLCA END-EXEC.
           EXEC SQL INCLUDE DCLRESV END-EXEC.
           EXEC SQL INCLUDE DCLMEMB END-EXEC.

       01  WS-HOLD-STATUS              PIC XX.
       01  WS-SWITCHES.
           05  WS-END-SWITCH           PIC X        VALUE 'N'.
               88  NO-MORE-STALE       VALUE 'Y'.
           05  WS-NEXT-SWITCH          PIC X        VALUE 'N'.
               88  SOMEBODY-WAITS      VALUE 'Y'.
               88  NOBODY-WAITS        VALUE 'N'.
       01  WS-MAX-NO-SHOWS             PIC S9(4) COMP VALUE 3.
       01  WS-NEXT.
           05  WS-NEXT-MEMBER          PIC X(8).
           05  WS-NEXT-PLACED          PIC X(26).
           05  WS-NEXT-BRANCH          PIC X(3).
       01  WS-COUNTS.
           05  WS-EXPIRED              PIC 9(5)     VALUE 0.
           05  WS-OFFERED              PIC 9(5)     VALUE 0.
           05  WS-SHELVED              PIC 9(5)     VALUE 0.
           05  WS-CANCELLED            PIC 9(5)     VALUE 0.
       01  WS-WHERE                    PIC X(20).
       01  WS-SQLCODE-OUT              PIC -(8)9.

           EXEC SQL
               DECLARE C-STALE CURSOR WITH HOLD FOR
               SELECT TITLE_ID, MEMBER_ID, PLACED_AT,
                      PICKUP_BRANCH, BOOK_ID
                 FROM LIB.RESERVATION
                WHERE STATUS = 'H'
                  AND HELD_SINCE < CURRENT DATE - 7 DAYS
                  FOR UPDATE OF STATUS
           END-EXEC.

       PROCEDURE DIVISION.
       0000-MAIN-LINE.
           OPEN OUTPUT HOLD-FILE.
           IF WS-HOLD-STATUS NOT = '00'
               DISPLAY 'RESV01 HOLDS WILL NOT OPEN ' WS-HOLD-STATUS
               MOVE 16 TO RETURN-CODE
               GOBACK
           END-IF.
           EXEC SQL OPEN C-STALE END-EXEC.
           IF SQLCODE NOT = 0
               MOVE 'OPEN C-STALE' TO WS-WHERE
               GO TO 9900-SQL-ERROR
           END-IF.
           PERFORM 1000-FETCH.
           PERFORM 2000-ONE-HOLD THRU 2000-EXIT
               UNTIL NO-MORE-STALE.
           EXEC SQL CLOSE C-STALE END-EXEC.
           PERFORM 5000-SWEEP.
           EXEC SQL COMMIT END-EXEC.
           CLOSE HOLD-FILE.
           DISPLAY 'RESV01 EXPIRED   ' WS-EXPIRED.
           DISPLAY 'RESV01 OFFERED   ' WS-OFFERED.
           DISPLAY 'RESV01 SHELVED   ' WS-SHELVED.
           DISPLAY 'RESV01 CANCELLED ' WS-CANCELLED.
           GOBACK.

       1000-FETCH.
           EXEC SQL
               FETCH C-STALE
                INTO :RV-TITLE-ID, :RV-MEMBER-ID, :RV-PLACED-AT,
                     :RV-PICKUP-BRANCH, :RV-BOOK-ID
           END-EXEC.
           EVALUATE SQLCODE
               WHEN 0
                   CONTINUE
               WHEN 100
                   SET NO-MORE-STALE TO TRUE
               WHEN OTHER
                   MOVE 'FETCH C-STALE' TO WS-WHERE
                   GO TO 9900-SQL-ERROR
           END-EVALUATE.

       2000-ONE-HOLD.
           EXEC SQL
               UPDATE LIB.RESERVATION
                  SET STATUS = 'X'
                WHERE CURRENT OF C-STALE
           END-EXEC.
           IF SQLCODE NOT = 0
               MOVE 'UPDATE STALE' TO WS-WHERE
               GO TO 9900-SQL-ERROR.
           ADD 1 TO WS-EXPIRED.
           PERFORM 3000-NO-SHOW.
           PERFORM 4000-WHO-IS-NEXT.
           IF SOMEBODY-WAITS
               PERFORM 4100-OFFER
           ELSE
               MOVE SPACES TO HOLD-LINE
               MOVE RV-PICKUP-BRANCH TO HD-BRANCH
               MOVE RV-BOOK-ID TO HD-BOOK-ID
               MOVE 'TO THE OPEN SHELF' TO HD-WHAT
               WRITE HOLD-LINE
               ADD 1 TO WS-SHELVED
           END-IF.
           PERFORM 1000-FETCH.
       2000-EXIT.
           EXIT.

       3000-NO-SHOW.
           EXEC SQL
               UPDATE LIB.MEMBER
                  SET NO_SHOWS = NO_SHOWS + 1
                WHERE MEMBER_ID = :RV-MEMBER-ID
           END-EXEC.
           IF SQLCODE NOT = 0
               MOVE 'UPDATE NO-SHOWS' TO WS-WHERE
               GO TO 9900-SQL-ERROR.
           EXEC SQL
               SELECT NO_SHOWS
                 INTO :NO-SHOWS
                 FROM LIB.MEMBER
                WHERE MEMBER_ID = :RV-MEMBER-ID
           END-EXEC.
           IF SQLCODE NOT = 0
               MOVE 'SELECT NO-SHOWS' TO WS-WHERE
               GO TO 9900-SQL-ERROR.
           IF NO-SHOWS NOT < WS-MAX-NO-SHOWS
               PERFORM 3100-CANCEL-THE-REST
           END-IF.

      * THE COUNT STARTS AGAIN AT ZERO: THREE MORE AND IT HAPPENS
      * AGAIN.
       3100-CANCEL-THE-REST.
           EXEC SQL
               DELETE FROM LIB.RESERVATION
                WHERE MEMBER_ID = :RV-MEMBER-ID
                  AND STATUS = 'W'
           END-EXEC.
           IF SQLCODE = 0
               ADD SQLERRD (3) TO WS-CANCELLED
           ELSE
               IF SQLCODE NOT = 100
                   MOVE 'DELETE WAITING' TO WS-WHERE
                   GO TO 9900-SQL-ERROR.
           EXEC SQL
               UPDATE LIB.MEMBER
                  SET NO_SHOWS = 0
                WHERE MEMBER_ID = :RV-MEMBER-ID
           END-EXEC.

      * BLOCKED MEMBERS KEEP THEIR PLACE BUT ARE PASSED OVER.
       4000-WHO-IS-NEXT.
           SET NOBODY-WAITS TO TRUE.
           EXEC SQL
               SELECT R.MEMBER_ID, R.PLACED_AT, R.PICKUP_BRANCH
                 INTO :WS-NEXT-MEMBER, :WS-NEXT-PLACED,
                      :WS-NEXT-BRANCH
                 FROM LIB.RESERVATION R
                WHERE R.TITLE_ID = :RV-TITLE-ID
                  AND R.STATUS = 'W'
                  AND R.PLACED_AT =
                      (SELECT MIN(Q.PLACED_AT)
                         FROM LIB.RESERVATION Q, LIB.MEMBER M
                        WHERE Q.TITLE_ID = :RV-TITLE-ID
                          AND Q.STATUS = 'W'
                          AND M.MEMBER_ID = Q.MEMBER_ID
                          AND M.BLOCKED_ON IS NULL)
           END-EXEC.
           EVALUATE SQLCODE
               WHEN 0
                   SET SOMEBODY-WAITS TO TRUE
               WHEN 100
                   CONTINUE
               WHEN OTHER
                   MOVE 'SELECT NEXT' TO WS-WHERE
                   GO TO 9900-SQL-ERROR
           END-EVALUATE.

       4100-OFFER.
           EXEC SQL
               UPDATE LIB.RESERVATION
                  SET STATUS = 'H',
                      BOOK_ID = :RV-BOOK-ID,
                      HELD_SINCE = CURRENT DATE
                WHERE TITLE_ID = :RV-TITLE-ID
                  AND MEMBER_ID = :WS-NEXT-MEMBER
                  AND PLACED_AT = :WS-NEXT-PLACED
           END-EXEC.
           IF SQLCODE NOT = 0
               MOVE 'UPDATE OFFER' TO WS-WHERE
               GO TO 9900-SQL-ERROR.
           MOVE SPACES TO HOLD-LINE.
           MOVE WS-NEXT-BRANCH TO HD-BRANCH.
           MOVE RV-BOOK-ID TO HD-BOOK-ID.
           MOVE WS-NEXT-MEMBER TO HD-MEMBER-ID.
           IF WS-NEXT-BRANCH = RV-PICKUP-BRANCH
               MOVE 'HOLD FOR THIS MEMBER' TO HD-WHAT
           ELSE
               MOVE 'SEND HERE, THEN HOLD' TO HD-WHAT
           END-IF.
           WRITE HOLD-LINE.
           ADD 1 TO WS-OFFERED.

       5000-SWEEP.
           EXEC SQL
               DELETE FROM LIB.RESERVATION
                WHERE STATUS IN ('F', 'X')
                  AND HELD_SINCE < CURRENT DATE - 90 DAYS
           END-EXEC.
           IF SQLCODE < 0
               MOVE 'DELETE OLD' TO WS-WHERE
               GO TO 9900-SQL-ERROR.

       9900-SQL-ERROR.
           MOVE SQLCODE TO WS-SQLCODE-OUT.
           DISPLAY 'RESV01 ' WS-WHERE ' SQLCODE ' WS-SQLCODE-OUT.
           EXEC SQL ROLLBACK END-EXEC.
           MOVE 16 TO RETURN-CODE.
           GOBACK.
