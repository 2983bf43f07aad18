      *****************************************************************
      * FEES02 - POSTS THE CHARGES OF FEES01 IN DB2.                  *
      *                                                               *
      * CHARGES COME IN ORDER OF MEMBER. AFTER THE LAST CHARGE OF A   *
      * MEMBER, WHAT HE OWES DECIDES WHETHER HE IS BLOCKED. AT THE    *
      * END MEMBERS WHO HAVE PAID ARE LET IN AGAIN.                   *
      *                                                               *
      * MAY BE RUN AGAIN: A CHARGE THAT IS ALREADY THERE IS SKIPPED.  *
      *                                                               *
      * CHANGES                                                       *
      * 1994-05-02 RH  WRITTEN.                                       *
      * 1995-02-13 RH  COMMIT EVERY 100 MEMBERS (LOCKED THE DESK).    *
      * 1998-09-07 MO  DATES WITH CENTURY.                            *
      * 2000-10-30 MO  LIMIT 20.00, WAS 15.00.                        *
      * 2003-05-12 JT  STAFF ARE NEVER BLOCKED.                       *
      *****************************************************************
       IDENTIFICATION DIVISION.
       PROGRAM-ID. FEES02.
       AUTHOR. R HALVARD.
       ENVIRONMENT DIVISION.
       INPUT-OUTPUT SECTION.
       FILE-CONTROL.
           SELECT FEE-FILE ASSIGN TO FEEIN
               FILE STATUS IS WS-FEE-STATUS.
           SELECT REPORT-FILE ASSIGN TO FEERPT.
       DATA DIVISION.
       FILE SECTION.
       FD  FEE-FILE
           RECORDING MODE IS F
           BLOCK CONTAINS 0 RECORDS.
           COPY FEEREC.
       FD  REPORT-FILE
           RECORDING MODE IS F.
       01  REPORT-LINE                 PIC X(80).

       WORKING-STORAGE SECTION.
           EXEC SQL INCLUDE SQLCA END-EXEC.
           EXEC SQL INCLUDE DCLMEMB END-EXEC.
           EXEC SQL INCLUDE DCLFEE END-EXEC.

       01  WS-FEE-STATUS               PIC XX.
           88  NO-MORE-FEES            VALUE '10'.
       01  WS-RULES.
           05  WS-BLOCK-OVER           PIC S9(5)V99 COMP-3
                                       VALUE 20.00.
           05  WS-COMMIT-EVERY         PIC S9(4) COMP VALUE 100.
       01  WS-WORK.
           05  WS-MEMBER-ID            PIC X(8).
           05  WS-OWED                 PIC S9(7)V99 COMP-3.
           05  WS-OWED-NULL            PIC S9(4) COMP.
           05  WS-SINCE-COMMIT         PIC S9(4) COMP VALUE 0.
           05  WS-WHERE                PIC X(20).
           05  WS-SQLCODE-OUT          PIC -(8)9.
       01  WS-DATE-IN                  PIC 9(8).
       01  WS-DATE-PARTS REDEFINES WS-DATE-IN.
           05  WS-YEAR                 PIC X(4).
           05  WS-MONTH                PIC XX.
           05  WS-DAY                  PIC XX.
       01  WS-CURSOR-SWITCH            PIC X        VALUE 'N'.
           88  NO-MORE-BLOCKED         VALUE 'Y'.
       01  WS-COUNTS.
           05  WS-POSTED               PIC 9(7)     VALUE 0.
           05  WS-SKIPPED              PIC 9(7)     VALUE 0.
           05  WS-BLOCKED              PIC 9(7)     VALUE 0.
           05  WS-LET-IN               PIC 9(7)     VALUE 0.
       01  WS-REPORT.
           05  WR-MEMBER-ID            PIC X(8).
           05  FILLER                  PIC XX       VALUE SPACES.
           05  WR-WHAT                 PIC X(12).
           05  WR-OWED                 PIC Z,ZZZ,ZZ9.99-.
           05  FILLER                  PIC X(45)    VALUE SPACES.

           EXEC SQL
               DECLARE C-BLOCKED CURSOR WITH HOLD FOR
               SELECT M.MEMBER_ID
                 FROM LIB.MEMBER M
                WHERE M.BLOCKED_ON IS NOT NULL
                  AND NOT EXISTS
                      (SELECT 1
                         FROM LIB.FEE F
                        WHERE F.MEMBER_ID = M.MEMBER_ID
                          AND F.AMOUNT > F.PAID)
           END-EXEC.

       PROCEDURE DIVISION.
       0000-MAIN-LINE.
           OPEN INPUT FEE-FILE OUTPUT REPORT-FILE.
           IF WS-FEE-STATUS NOT = '00'
               DISPLAY 'FEES02 FEEIN WILL NOT OPEN ' WS-FEE-STATUS
               MOVE 16 TO RETURN-CODE
               GOBACK
           END-IF.
           PERFORM 1000-READ-FEE.
           PERFORM 2000-ONE-MEMBER UNTIL NO-MORE-FEES.
           PERFORM 4000-LET-IN THRU 4000-EXIT.
           EXEC SQL COMMIT END-EXEC.
           CLOSE FEE-FILE REPORT-FILE.
           DISPLAY 'FEES02 POSTED  ' WS-POSTED.
           DISPLAY 'FEES02 SKIPPED ' WS-SKIPPED.
           DISPLAY 'FEES02 BLOCKED ' WS-BLOCKED.
           DISPLAY 'FEES02 LET IN  ' WS-LET-IN.
           GOBACK.

       1000-READ-FEE.
           READ FEE-FILE
               AT END
                   MOVE HIGH-VALUES TO FR-MEMBER-ID
           END-READ.

       2000-ONE-MEMBER.
           MOVE FR-MEMBER-ID TO WS-MEMBER-ID.
           PERFORM 2100-POST-FEE
               UNTIL FR-MEMBER-ID NOT = WS-MEMBER-ID.
           PERFORM 3000-WHAT-IS-OWED.
           ADD 1 TO WS-SINCE-COMMIT.
           IF WS-SINCE-COMMIT NOT < WS-COMMIT-EVERY
               EXEC SQL COMMIT END-EXEC
               MOVE 0 TO WS-SINCE-COMMIT
           END-IF.

       2100-POST-FEE.
           MOVE FR-MEMBER-ID  TO FE-MEMBER-ID.
           MOVE FR-BOOK-ID    TO FE-BOOK-ID.
           MOVE FR-CHARGED-ON TO WS-DATE-IN.
           STRING WS-YEAR '-' WS-MONTH '-' WS-DAY
               DELIMITED BY SIZE INTO FE-CHARGED-ON.
           MOVE FR-REASON     TO FE-REASON.
           MOVE FR-AMOUNT     TO FE-AMOUNT.
           MOVE 0             TO FE-PAID.
           EXEC SQL
               INSERT INTO LIB.FEE
                   (MEMBER_ID, BOOK_ID, CHARGED_ON,
                    REASON, AMOUNT, PAID)
               VALUES
                   (:FE-MEMBER-ID, :FE-BOOK-ID, :FE-CHARGED-ON,
                    :FE-REASON, :FE-AMOUNT, :FE-PAID)
           END-EXEC.
           EVALUATE SQLCODE
               WHEN 0
                   ADD 1 TO WS-POSTED
               WHEN -803
                   ADD 1 TO WS-SKIPPED
               WHEN -530
                   DISPLAY 'FEES02 NO MEMBER ' FR-MEMBER-ID
                   MOVE 4 TO RETURN-CODE
               WHEN OTHER
                   MOVE 'INSERT FEE' TO WS-WHERE
                   GO TO 9900-SQL-ERROR
           END-EVALUATE.
           PERFORM 1000-READ-FEE.

      * MORE THAN THE LIMIT BLOCKS, THE LIMIT ITSELF DOES NOT. ONE
      * BOOK AT ITS HIGHEST FEE THEREFORE BLOCKS NOBODY.
       3000-WHAT-IS-OWED.
           EXEC SQL
               SELECT SUM(AMOUNT - PAID)
                 INTO :WS-OWED :WS-OWED-NULL
                 FROM LIB.FEE
                WHERE MEMBER_ID = :WS-MEMBER-ID
           END-EXEC.
           IF SQLCODE NOT = 0
               MOVE 'SELECT OWED' TO WS-WHERE
               GO TO 9900-SQL-ERROR.
           IF WS-OWED-NULL < 0
               MOVE 0 TO WS-OWED
           END-IF.
           IF WS-OWED > WS-BLOCK-OVER
               PERFORM 3100-BLOCK
           END-IF.

       3100-BLOCK.
           EXEC SQL
               UPDATE LIB.MEMBER
                  SET BLOCKED_ON = CURRENT DATE
                WHERE MEMBER_ID = :WS-MEMBER-ID
                  AND BLOCKED_ON IS NULL
                  AND KIND <> 'T'
           END-EXEC.
           EVALUATE SQLCODE
               WHEN 0
                   ADD 1 TO WS-BLOCKED
                   MOVE WS-MEMBER-ID TO WR-MEMBER-ID
                   MOVE 'BLOCKED' TO WR-WHAT
                   MOVE WS-OWED TO WR-OWED
                   WRITE REPORT-LINE FROM WS-REPORT
               WHEN 100
                   CONTINUE
               WHEN OTHER
                   MOVE 'UPDATE BLOCK' TO WS-WHERE
                   GO TO 9900-SQL-ERROR
           END-EVALUATE.

      * A BLOCK IS LIFTED WHEN ALL IS PAID, NOT WHEN THE DEBT IS
      * UNDER THE LIMIT AGAIN. MEMBERS COMPLAIN; IT IS MEANT SO.
       4000-LET-IN.
           EXEC SQL OPEN C-BLOCKED END-EXEC.
           IF SQLCODE NOT = 0
               MOVE 'OPEN C-BLOCKED' TO WS-WHERE
               GO TO 9900-SQL-ERROR.
           PERFORM 4100-FETCH.
           PERFORM UNTIL NO-MORE-BLOCKED
               PERFORM 4200-UNBLOCK
               PERFORM 4100-FETCH
           END-PERFORM.
           EXEC SQL CLOSE C-BLOCKED END-EXEC.
       4000-EXIT.
           EXIT.

       4100-FETCH.
           EXEC SQL
               FETCH C-BLOCKED INTO :MEMBER-ID
           END-EXEC.
           EVALUATE SQLCODE
               WHEN 0
                   CONTINUE
               WHEN 100
                   SET NO-MORE-BLOCKED TO TRUE
               WHEN OTHER
                   MOVE 'FETCH C-BLOCKED' TO WS-WHERE
                   GO TO 9900-SQL-ERROR
           END-EVALUATE.

       4200-UNBLOCK.
           EXEC SQL
               UPDATE LIB.MEMBER
                  SET BLOCKED_ON = NULL
                WHERE MEMBER_ID = :MEMBER-ID
           END-EXEC.
           IF SQLCODE NOT = 0
               MOVE 'UPDATE LET IN' TO WS-WHERE
               GO TO 9900-SQL-ERROR.
           ADD 1 TO WS-LET-IN.
           MOVE MEMBER-ID TO WR-MEMBER-ID.
           MOVE 'LET IN' TO WR-WHAT.
           MOVE 0 TO WR-OWED.
           WRITE REPORT-LINE FROM WS-REPORT.

       9900-SQL-ERROR.
           MOVE SQLCODE TO WS-SQLCODE-OUT.
           DISPLAY 'FEES02 ' WS-WHERE ' SQLCODE ' WS-SQLCODE-OUT.
           DISPLAY 'FEES02 MEMBER ' WS-MEMBER-ID.
           EXEC SQL ROLLBACK END-EXEC.
           MOVE 16 TO RETURN-CODE.
           GOBACK.
