      *****************************************************************
      * LIBC09 - WHAT DB2 KNOWS OF A MEMBER, FOR THE DESK.            *
      *                                                               *
      * LINKED TO BY LIBC02 AND LIBC03. FUNCTIONS:                    *
      *   C CHECK     L LENT      R RETURNED                          *
      *   Q WHO RESERVED IT       H HOLD IT FOR A MEMBER              *
      *                                                               *
      * CHANGES                                                       *
      * 1994-09-26 RH  WRITTEN.                                       *
      * 1997-06-16 MO  Q AND H.                                       *
      * 2002-11-04 JT  DVDS ARE COUNTED.                              *
      *****************************************************************
       IDENTIFICATION DIVISION.
       PROGRAM-ID. LIBC09.
       AUTHOR. R HALVARD.
       ENVIRONMENT DIVISION.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
           EXEC SQL INCLUDE SQLCA END-EXEC.
           EXEC SQL INCLUDE DCLMEMB END-EXEC.
           EXEC SQL INCLUDE DCLRESV END-EXEC.
       01  WS-BLOCKED-NULL             PIC S9(4) COMP.
       01  WS-OWED                     PIC S9(7)V99 COMP-3.
       01  WS-OWED-NULL                PIC S9(4) COMP.
       01  WS-DVD                      PIC S9(4) COMP.
       01  WS-TODAY                    PIC X(10).

       LINKAGE SECTION.
       01  DFHCOMMAREA.
           COPY MEMCOMM REPLACING ==01  MEMBER-COMMAREA.==
                               BY ==03  MEMBER-COMMAREA.==.

       PROCEDURE DIVISION.
       0000-MAIN-LINE.
           IF EIBCALEN < LENGTH OF MEMBER-COMMAREA
               EXEC CICS ABEND ABCODE('LC09') END-EXEC
           END-IF.
           MOVE 0 TO MC-RETURN MC-SQLCODE.
           EVALUATE TRUE
               WHEN MC-CHECK
                   PERFORM 1000-CHECK THRU 1000-EXIT
               WHEN MC-LENT
                   PERFORM 2000-LENT THRU 2000-EXIT
               WHEN MC-RETURNED
                   PERFORM 3000-RETURNED
               WHEN MC-RESERVED
                   PERFORM 4000-WHO-RESERVED THRU 4000-EXIT
               WHEN MC-HOLD
                   PERFORM 5000-HOLD
               WHEN OTHER
                   SET MC-DB2-ERROR TO TRUE
           END-EVALUATE.
           EXEC CICS RETURN END-EXEC.

       1000-CHECK.
           EXEC SQL
               SELECT NAME, KIND, CARD_EXPIRES, LOANS_OUT,
                      DVDS_OUT, BLOCKED_ON, CURRENT DATE
                 INTO :NAME, :KIND, :CARD-EXPIRES, :LOANS-OUT,
                      :DVDS-OUT, :BLOCKED-ON :WS-BLOCKED-NULL,
                      :WS-TODAY
                 FROM LIB.MEMBER
                WHERE MEMBER_ID = :MC-MEMBER-ID
           END-EXEC.
           IF SQLCODE = 100
               SET MC-UNKNOWN TO TRUE
               GO TO 1000-EXIT.
           IF SQLCODE NOT = 0
               PERFORM 9000-DB2-ERROR
               GO TO 1000-EXIT.
           MOVE NAME-TEXT (1:NAME-LEN) TO MC-NAME.
           MOVE KIND      TO MC-KIND.
           MOVE LOANS-OUT TO MC-LOANS-OUT.
           MOVE DVDS-OUT  TO MC-DVDS-OUT.
           EXEC SQL
               SELECT SUM(AMOUNT - PAID)
                 INTO :WS-OWED :WS-OWED-NULL
                 FROM LIB.FEE
                WHERE MEMBER_ID = :MC-MEMBER-ID
           END-EXEC.
           IF SQLCODE NOT = 0
               PERFORM 9000-DB2-ERROR
               GO TO 1000-EXIT.
           IF WS-OWED-NULL < 0
               MOVE 0 TO WS-OWED
           END-IF.
           MOVE WS-OWED TO MC-OWED.
           IF WS-BLOCKED-NULL NOT < 0
               SET MC-BLOCKED TO TRUE
           ELSE
               IF CARD-EXPIRES < WS-TODAY
                   SET MC-EXPIRED TO TRUE.
       1000-EXIT.
           EXIT.

      * THE MEMBER'S OWN RESERVATION, IF ANY, IS DONE WITH.
       2000-LENT.
           PERFORM 8000-IS-IT-A-DVD.
           EXEC SQL
               UPDATE LIB.MEMBER
                  SET LOANS_OUT = LOANS_OUT + 1,
                      DVDS_OUT = DVDS_OUT + :WS-DVD
                WHERE MEMBER_ID = :MC-MEMBER-ID
           END-EXEC.
           IF SQLCODE NOT = 0
               PERFORM 9000-DB2-ERROR
               GO TO 2000-EXIT.
           EXEC SQL
               UPDATE LIB.RESERVATION
                  SET STATUS = 'F'
                WHERE TITLE_ID = :MC-TITLE-ID
                  AND MEMBER_ID = :MC-MEMBER-ID
                  AND STATUS IN ('W', 'H')
           END-EXEC.
           IF SQLCODE < 0
               PERFORM 9000-DB2-ERROR.
       2000-EXIT.
           EXIT.

       3000-RETURNED.
           PERFORM 8000-IS-IT-A-DVD.
           EXEC SQL
               UPDATE LIB.MEMBER
                  SET LOANS_OUT = LOANS_OUT - 1,
                      DVDS_OUT = DVDS_OUT - :WS-DVD
                WHERE MEMBER_ID = :MC-MEMBER-ID
                  AND LOANS_OUT > 0
           END-EXEC.
           IF SQLCODE < 0
               PERFORM 9000-DB2-ERROR
           END-IF.

      * FIRST THE MEMBER THIS COPY IS HELD FOR, THEN THE FIRST IN
      * THE QUEUE FOR THE TITLE.
       4000-WHO-RESERVED.
           MOVE SPACES TO MC-RESERVED-BY.
           EXEC SQL
               SELECT MEMBER_ID
                 INTO :RV-MEMBER-ID
                 FROM LIB.RESERVATION
                WHERE BOOK_ID = :MC-BOOK-ID
                  AND STATUS = 'H'
           END-EXEC.
           IF SQLCODE = 0
               MOVE RV-MEMBER-ID TO MC-RESERVED-BY
               GO TO 4000-EXIT.
           IF SQLCODE NOT = 100
               PERFORM 9000-DB2-ERROR
               GO TO 4000-EXIT.
           EXEC SQL
               SELECT MEMBER_ID
                 INTO :RV-MEMBER-ID
                 FROM LIB.RESERVATION
                WHERE TITLE_ID = :MC-TITLE-ID
                  AND STATUS = 'W'
                  AND PLACED_AT =
                      (SELECT MIN(PLACED_AT)
                         FROM LIB.RESERVATION
                        WHERE TITLE_ID = :MC-TITLE-ID
                          AND STATUS = 'W')
           END-EXEC.
           EVALUATE SQLCODE
               WHEN 0
                   MOVE RV-MEMBER-ID TO MC-RESERVED-BY
               WHEN 100
                   SET MC-NOT-RESERVED TO TRUE
               WHEN OTHER
                   PERFORM 9000-DB2-ERROR
           END-EVALUATE.
       4000-EXIT.
           EXIT.

       5000-HOLD.
           EXEC SQL
               UPDATE LIB.RESERVATION
                  SET STATUS = 'H',
                      BOOK_ID = :MC-BOOK-ID,
                      HELD_SINCE = CURRENT DATE
                WHERE TITLE_ID = :MC-TITLE-ID
                  AND MEMBER_ID = :MC-MEMBER-ID
                  AND STATUS = 'W'
           END-EXEC.
           IF SQLCODE < 0
               PERFORM 9000-DB2-ERROR
           END-IF.

       8000-IS-IT-A-DVD.
           IF MC-MEDIUM = 'DV'
               MOVE 1 TO WS-DVD
           ELSE
               MOVE 0 TO WS-DVD
           END-IF.

       9000-DB2-ERROR.
           SET MC-DB2-ERROR TO TRUE.
           MOVE SQLCODE TO MC-SQLCODE.
