      *****************************************************************
      * LIBC02 - LENDING DESK, TRANSACTION LIBL.                      *
      *                                                               *
      * A MEMBER AND A COPY ARE KEYED IN, OR SCANNED. THE LOAN IS     *
      * WRITTEN WHEN ALL THE RULES SAY YES. LIBC09 KNOWS THE MEMBER.  *
      *                                                               *
      * CHANGES                                                       *
      * 1994-09-12 RH  WRITTEN.                                       *
      * 1997-06-16 MO  RESERVATIONS.                                  *
      * 1998-09-14 MO  DATES WITH CENTURY.                            *
      * 1999-02-08 MO  TERM FROM THE TARIFF FILE.                     *
      * 2002-11-04 JT  FIVE DVDS AT MOST.                             *
      * 2006-04-24 JT  NOTHING IS DUE ON A SUNDAY.                    *
      *****************************************************************
       IDENTIFICATION DIVISION.
       PROGRAM-ID. LIBC02.
       AUTHOR. R HALVARD.
       ENVIRONMENT DIVISION.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
           COPY LIBCOMM.
           COPY MEMCOMM.
           COPY LIBSET.
           COPY DFHAID.
           COPY LOANREC REPLACING ==:TAG:== BY ==WS==.
           COPY CATREC.
           COPY TARFREC.
           COPY MSGTAB.
       01  WS-MEMBER-PGM               PIC X(8)     VALUE 'LIBC09'.
       01  WS-RESP                     PIC S9(8) COMP.
       01  WS-LOAN-RESP                PIC S9(8) COMP.
       01  WS-MSG                      PIC S9(4) COMP VALUE 0.
       01  WS-HOUSE-RULES.
           05  WS-HOUSE-TERM           PIC 9(3)     VALUE 28.
           05  WS-HOUSE-MAX-LOANS      PIC 9(3)     VALUE 20.
           05  WS-MAX-DVDS             PIC 9(3)     VALUE 5.
       01  WS-DATES.
           05  WS-ABSTIME              PIC S9(15) COMP-3.
           05  WS-TODAY-TEXT           PIC X(8).
           05  WS-TODAY REDEFINES WS-TODAY-TEXT
                                       PIC 9(8).
           05  WS-DAY-NUMBER           PIC S9(9) COMP.
           05  WS-WEEK                 PIC S9(9) COMP.
           05  WS-WEEKDAY              PIC S9(4) COMP.
       01  WS-OWED-OUT                 PIC ZZ,ZZ9.99.

       LINKAGE SECTION.
       01  DFHCOMMAREA                 PIC X(22).

       PROCEDURE DIVISION.
       0000-MAIN-LINE.
           IF EIBCALEN = 0
               MOVE SPACES TO LIB-COMMAREA
               MOVE 0 TO LC-COUNT
               SET LC-FIRST-TIME TO TRUE
           ELSE
               MOVE DFHCOMMAREA TO LIB-COMMAREA
           END-IF.
           IF LC-FIRST-TIME
               MOVE LOW-VALUES TO LIBLOANO
               MOVE 1 TO WS-MSG
               PERFORM 8000-SHOW-NEW
               GO TO 9000-WAIT.
           EVALUATE EIBAID
               WHEN DFHENTER
                   PERFORM 1000-LEND THRU 1000-EXIT
                   PERFORM 8100-SHOW-AGAIN
               WHEN DFHPF3
                   EXEC CICS XCTL PROGRAM('LIBC01')
                       COMMAREA(LIB-COMMAREA)
                   END-EXEC
               WHEN DFHCLEAR
                   MOVE SPACES TO LC-MEMBER-ID
                   MOVE LOW-VALUES TO LIBLOANO
                   MOVE 1 TO WS-MSG
                   PERFORM 8000-SHOW-NEW
               WHEN OTHER
                   MOVE LOW-VALUES TO LIBLOANO
                   MOVE 19 TO WS-MSG
                   PERFORM 8100-SHOW-AGAIN
           END-EVALUATE.
           GO TO 9000-WAIT.

      * THE RULES IN ORDER. THE FIRST THAT SAYS NO ENDS IT.
       1000-LEND.
           EXEC CICS RECEIVE MAP('LIBLOAN') MAPSET('LIBSET')
               INTO(LIBLOANI) RESP(WS-RESP)
           END-EXEC.
           IF LMEMBRL > 0
               MOVE LMEMBRI TO LC-MEMBER-ID
           END-IF.
           IF LC-MEMBER-ID = SPACES OR LBOOKL NOT > 0
               MOVE 1 TO WS-MSG
               GO TO 1000-EXIT.
           PERFORM 2000-CHECK-MEMBER.
           IF WS-MSG > 0
               GO TO 1000-EXIT.
           PERFORM 3000-CHECK-COPY.
           IF WS-MSG > 0
               GO TO 1000-EXIT.
           PERFORM 4000-CHECK-LIMITS.
           IF WS-MSG > 0
               GO TO 1000-EXIT.
           PERFORM 5000-CHECK-RESERVED.
           IF WS-MSG > 0
               GO TO 1000-EXIT.
           PERFORM 6000-WRITE-LOAN.
       1000-EXIT.
           EXIT.

       2000-CHECK-MEMBER.
           SET MC-CHECK TO TRUE.
           MOVE LC-MEMBER-ID TO MC-MEMBER-ID.
           EXEC CICS LINK PROGRAM(WS-MEMBER-PGM)
               COMMAREA(MEMBER-COMMAREA)
           END-EXEC.
           EVALUATE TRUE
               WHEN MC-OK
                   MOVE MC-NAME TO LNAMEO
                   MOVE MC-OWED TO WS-OWED-OUT
                   MOVE WS-OWED-OUT TO LOWEDO
               WHEN MC-UNKNOWN
                   MOVE 2 TO WS-MSG
               WHEN MC-BLOCKED
                   MOVE MC-OWED TO WS-OWED-OUT
                   MOVE WS-OWED-OUT TO LOWEDO
                   MOVE 3 TO WS-MSG
               WHEN MC-EXPIRED
                   MOVE 4 TO WS-MSG
               WHEN OTHER
                   MOVE 20 TO WS-MSG
           END-EVALUATE.

       3000-CHECK-COPY.
           EXEC CICS READ FILE('CATALOG') INTO(CATALOG-RECORD)
               RIDFLD(LBOOKI) RESP(WS-RESP)
           END-EXEC.
           EVALUATE TRUE
               WHEN WS-RESP = DFHRESP(NOTFND)
                   MOVE 5 TO WS-MSG
               WHEN WS-RESP NOT = DFHRESP(NORMAL)
                   MOVE 20 TO WS-MSG
               WHEN CT-REFERENCE-ONLY
                   MOVE 6 TO WS-MSG
               WHEN OTHER
                   MOVE CT-TITLE TO LTITLEO
           END-EVALUATE.
           IF WS-MSG = 0
               PERFORM 3100-IS-IT-OUT
           END-IF.

      * A COPY THAT CAME BACK LATE TODAY STAYS UNTIL FEES01 HAS SEEN
      * IT, OR THE FEE WOULD BE LOST WITH THE OLD RECORD.
       3100-IS-IT-OUT.
           EXEC CICS READ FILE('LOANMST') INTO(WS-RECORD)
               RIDFLD(LBOOKI) UPDATE RESP(WS-LOAN-RESP)
           END-EXEC.
           IF WS-LOAN-RESP = DFHRESP(NORMAL)
               EVALUATE TRUE
                   WHEN WS-IS-OUT
                       MOVE 7 TO WS-MSG
                   WHEN WS-IS-LOST
                       MOVE 15 TO WS-MSG
                   WHEN WS-DATE-BACK > WS-DATE-DUE
                       MOVE 8 TO WS-MSG
               END-EVALUATE
           ELSE
               IF WS-LOAN-RESP NOT = DFHRESP(NOTFND)
                   MOVE 20 TO WS-MSG
               END-IF
           END-IF.

       4000-CHECK-LIMITS.
           MOVE MC-KIND   TO TR-KIND.
           MOVE CT-MEDIUM TO TR-MEDIUM.
           EXEC CICS READ FILE('TARIFF') INTO(TARIFF-RECORD)
               RIDFLD(TR-KEY) RESP(WS-RESP)
           END-EXEC.
           IF WS-RESP NOT = DFHRESP(NORMAL)
               MOVE WS-HOUSE-TERM      TO TR-TERM-DAYS
               MOVE WS-HOUSE-MAX-LOANS TO TR-MAX-LOANS
           END-IF.
           IF MC-LOANS-OUT NOT < TR-MAX-LOANS
               MOVE 9 TO WS-MSG
           ELSE
               IF CT-MEDIUM = 'DV' AND MC-DVDS-OUT NOT < WS-MAX-DVDS
                   MOVE 10 TO WS-MSG
               END-IF
           END-IF.

       5000-CHECK-RESERVED.
           SET MC-RESERVED TO TRUE.
           MOVE LBOOKI TO MC-BOOK-ID.
           EXEC CICS LINK PROGRAM(WS-MEMBER-PGM)
               COMMAREA(MEMBER-COMMAREA)
           END-EXEC.
           EVALUATE TRUE
               WHEN MC-NOT-RESERVED
                   CONTINUE
               WHEN MC-OK
                   IF MC-RESERVED-BY NOT = LC-MEMBER-ID
                       MOVE 11 TO WS-MSG
                   END-IF
               WHEN OTHER
                   MOVE 20 TO WS-MSG
           END-EVALUATE.

       6000-WRITE-LOAN.
           PERFORM 6100-DUE-DATE.
           MOVE LBOOKI       TO WS-BOOK-ID.
           MOVE LC-MEMBER-ID TO WS-MEMBER-ID.
           MOVE MC-KIND      TO WS-MEMBER-KIND.
           MOVE CT-MEDIUM    TO WS-MEDIUM.
           MOVE LC-BRANCH    TO WS-BRANCH.
           MOVE WS-TODAY     TO WS-DATE-OUT.
           MOVE 0            TO WS-DATE-BACK WS-RENEWALS.
           SET WS-IS-OUT     TO TRUE.
           MOVE CT-PRICE     TO WS-PRICE.
           IF WS-LOAN-RESP = DFHRESP(NORMAL)
               EXEC CICS REWRITE FILE('LOANMST') FROM(WS-RECORD)
                   RESP(WS-RESP)
               END-EXEC
           ELSE
               EXEC CICS WRITE FILE('LOANMST') FROM(WS-RECORD)
                   RIDFLD(WS-BOOK-ID) RESP(WS-RESP)
               END-EXEC
           END-IF.
           IF WS-RESP NOT = DFHRESP(NORMAL)
               MOVE 20 TO WS-MSG
           ELSE
               SET MC-LENT TO TRUE
               MOVE CT-MEDIUM TO MC-MEDIUM
               EXEC CICS LINK PROGRAM(WS-MEMBER-PGM)
                   COMMAREA(MEMBER-COMMAREA)
               END-EXEC
               IF MC-OK
                   ADD 1 TO LC-COUNT
                   MOVE WS-DATE-DUE TO LDUEO
                   MOVE 12 TO WS-MSG
               ELSE
                   EXEC CICS SYNCPOINT ROLLBACK END-EXEC
                   MOVE 20 TO WS-MSG
               END-IF
           END-IF.

      * DAY 1 OF THE CALENDAR FUNCTION WAS A MONDAY.
       6100-DUE-DATE.
           EXEC CICS ASKTIME ABSTIME(WS-ABSTIME) END-EXEC.
           EXEC CICS FORMATTIME ABSTIME(WS-ABSTIME)
               YYYYMMDD(WS-TODAY-TEXT)
           END-EXEC.
           COMPUTE WS-DAY-NUMBER =
               FUNCTION INTEGER-OF-DATE (WS-TODAY) + TR-TERM-DAYS.
           DIVIDE WS-DAY-NUMBER BY 7
               GIVING WS-WEEK REMAINDER WS-WEEKDAY.
           IF WS-WEEKDAY = 0
               ADD 1 TO WS-DAY-NUMBER
           END-IF.
           COMPUTE WS-DATE-DUE =
               FUNCTION DATE-OF-INTEGER (WS-DAY-NUMBER).

       8000-SHOW-NEW.
           MOVE MSG-TEXT (WS-MSG) TO LMSGO.
           MOVE -1 TO LMEMBRL.
           EXEC CICS SEND MAP('LIBLOAN') MAPSET('LIBSET')
               FROM(LIBLOANO) ERASE CURSOR FREEKB
           END-EXEC.

       8100-SHOW-AGAIN.
           MOVE MSG-TEXT (WS-MSG) TO LMSGO.
           MOVE -1 TO LBOOKL.
           EXEC CICS SEND MAP('LIBLOAN') MAPSET('LIBSET')
               FROM(LIBLOANO) DATAONLY CURSOR FREEKB
           END-EXEC.

       9000-WAIT.
           SET LC-ASKED TO TRUE.
           MOVE 'LIBC02' TO LC-FROM-PGM.
           EXEC CICS RETURN TRANSID('LIBL')
               COMMAREA(LIB-COMMAREA)
           END-EXEC.
