      *****************************************************************
      * LIBC03 - RETURNS AND RENEWALS, TRANSACTION LIBR.              *
      *                                                               *
      * ENTER RETURNS THE COPY, PF5 RENEWS IT.                        *
      *                                                               *
      * CHANGES                                                       *
      * 1994-09-19 RH  WRITTEN.                                       *
      * 1995-10-02 RH  RENEWALS (PF5).                                *
      * 1997-06-16 MO  RESERVATIONS.                                  *
      * 1998-09-14 MO  DATES WITH CENTURY.                            *
      * 2014-06-16 KV  LOST COPIES ARE NOT TAKEN BACK HERE.           *
      *****************************************************************
       IDENTIFICATION DIVISION.
       PROGRAM-ID. LIBC03.
       AUTHOR. R HALVARD.
       ENVIRONMENT DIVISION.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
           COPY LIBCOMM.
           COPY MEMCOMM.
           COPY LIBSET.
           COPY DFHAID.
           COPY LOANREC REPLACING ==:TAG:== BY ==WS==.
           COPY TARFREC.
           COPY MSGTAB.
       01  WS-MSG                      PIC S9(4) COMP VALUE 0.
       01  WS-RESP                     PIC S9(8) COMP.
       01  WS-HOUSE-RULES.
           05  WS-HOUSE-TERM           PIC 9(3)     VALUE 28.
           05  WS-HOUSE-RENEWALS       PIC 9        VALUE 2.
           05  WS-TOO-LATE-TO-RENEW    PIC 9(3)     VALUE 7.
       01  WS-DATES.
           05  WS-ABSTIME              PIC S9(15) COMP-3.
           05  WS-TODAY-TEXT           PIC X(8).
           05  WS-TODAY REDEFINES WS-TODAY-TEXT
                                       PIC 9(8).
           05  WS-TODAY-NUMBER         PIC S9(9) COMP.
           05  WS-DAYS-LATE            PIC S9(9) COMP.
       01  WS-LATE-OUT                 PIC ZZZZ9.

       LINKAGE SECTION.
       01  DFHCOMMAREA                 PIC X(22).

       PROCEDURE DIVISION.
       0000-MAIN-LINE.
           EXEC CICS HANDLE CONDITION
               NOTFND(7100-NO-COPY)
               MAPFAIL(7200-NOTHING-KEYED)
               ERROR(7300-TROUBLE)
           END-EXEC.
           IF EIBCALEN = 0
               MOVE SPACES TO LIB-COMMAREA
               MOVE 0 TO LC-COUNT
               SET LC-FIRST-TIME TO TRUE
           ELSE
               MOVE DFHCOMMAREA TO LIB-COMMAREA
           END-IF.
           IF LC-FIRST-TIME OR EIBAID = DFHCLEAR
               MOVE LOW-VALUES TO LIBRETNO
               EXEC CICS SEND MAP('LIBRETN') MAPSET('LIBSET')
                   FROM(LIBRETNO) ERASE FREEKB
               END-EXEC
               GO TO 9000-WAIT.
           IF EIBAID = DFHPF3
               EXEC CICS XCTL PROGRAM('LIBC01')
                   COMMAREA(LIB-COMMAREA)
               END-EXEC.
           IF EIBAID NOT = DFHENTER AND EIBAID NOT = DFHPF5
               MOVE LOW-VALUES TO LIBRETNO
               MOVE 19 TO WS-MSG
               GO TO 8000-SHOW.
           PERFORM 1000-READ-LOAN.
           EVALUATE TRUE
               WHEN WS-IS-LOST
                   MOVE 15 TO WS-MSG
               WHEN WS-IS-BACK
                   MOVE 13 TO WS-MSG
               WHEN EIBAID = DFHPF5
                   PERFORM 3000-RENEW THRU 3000-EXIT
               WHEN OTHER
                   PERFORM 2000-RETURN
           END-EVALUATE.
           GO TO 8000-SHOW.

       1000-READ-LOAN.
           EXEC CICS RECEIVE MAP('LIBRETN') MAPSET('LIBSET')
               INTO(LIBRETNI)
           END-EXEC.
           EXEC CICS READ FILE('LOANMST') INTO(WS-RECORD)
               RIDFLD(RBOOKI) UPDATE
           END-EXEC.
           EXEC CICS ASKTIME ABSTIME(WS-ABSTIME) END-EXEC.
           EXEC CICS FORMATTIME ABSTIME(WS-ABSTIME)
               YYYYMMDD(WS-TODAY-TEXT)
           END-EXEC.
           COMPUTE WS-TODAY-NUMBER =
               FUNCTION INTEGER-OF-DATE (WS-TODAY).
           COMPUTE WS-DAYS-LATE = WS-TODAY-NUMBER
               - FUNCTION INTEGER-OF-DATE (WS-DATE-DUE).
           MOVE WS-MEMBER-ID TO RMEMBRO.
           MOVE WS-DATE-DUE  TO RDUEO.
           IF WS-DAYS-LATE > 0
               MOVE WS-DAYS-LATE TO WS-LATE-OUT
               MOVE WS-LATE-OUT  TO RLATEO
           END-IF.

      * THE FEE IS NOT WORKED OUT HERE: FEES01 DOES IT AT NIGHT. THE
      * DAYS SHOWN ARE DAYS OF THE CALENDAR, SO MEMBERS ARE TOLD MORE
      * DAYS THAN THEY PAY FOR.
       2000-RETURN.
           MOVE WS-TODAY TO WS-DATE-BACK.
           SET WS-IS-BACK TO TRUE.
           EXEC CICS REWRITE FILE('LOANMST') FROM(WS-RECORD)
           END-EXEC.
           SET MC-RETURNED TO TRUE.
           MOVE WS-MEMBER-ID TO MC-MEMBER-ID.
           MOVE WS-BOOK-ID   TO MC-BOOK-ID.
           MOVE WS-MEDIUM    TO MC-MEDIUM.
           EXEC CICS LINK PROGRAM('LIBC09')
               COMMAREA(MEMBER-COMMAREA)
           END-EXEC.
           IF NOT MC-OK
               GO TO 7300-TROUBLE.
           ADD 1 TO LC-COUNT.
           MOVE 13 TO WS-MSG.
           SET MC-RESERVED TO TRUE.
           EXEC CICS LINK PROGRAM('LIBC09')
               COMMAREA(MEMBER-COMMAREA)
           END-EXEC.
           IF MC-OK
               SET MC-HOLD TO TRUE
               MOVE MC-RESERVED-BY TO MC-MEMBER-ID
               EXEC CICS LINK PROGRAM('LIBC09')
                   COMMAREA(MEMBER-COMMAREA)
               END-EXEC
               MOVE MC-RESERVED-BY TO RMEMBRO
               MOVE 14 TO WS-MSG
           END-IF.

      * A RENEWAL FORGIVES THE DAYS ALREADY LATE. KNOWN SINCE 1995,
      * THE COMMITTEE DID NOT MIND.
       3000-RENEW.
           MOVE WS-MEMBER-KIND TO TR-KIND.
           MOVE WS-MEDIUM      TO TR-MEDIUM.
           EXEC CICS READ FILE('TARIFF') INTO(TARIFF-RECORD)
               RIDFLD(TR-KEY) RESP(WS-RESP)
           END-EXEC.
           IF WS-RESP NOT = DFHRESP(NORMAL)
               MOVE WS-HOUSE-TERM     TO TR-TERM-DAYS
               MOVE WS-HOUSE-RENEWALS TO TR-MAX-RENEWALS
           END-IF.
           IF WS-RENEWALS NOT < TR-MAX-RENEWALS
               MOVE 17 TO WS-MSG
               GO TO 3000-EXIT.
           IF WS-DAYS-LATE > WS-TOO-LATE-TO-RENEW
               MOVE 18 TO WS-MSG
               GO TO 3000-EXIT.
           SET MC-RESERVED TO TRUE.
           MOVE WS-BOOK-ID TO MC-BOOK-ID.
           EXEC CICS LINK PROGRAM('LIBC09')
               COMMAREA(MEMBER-COMMAREA)
           END-EXEC.
           IF MC-OK
               MOVE 11 TO WS-MSG
               GO TO 3000-EXIT.
           IF NOT MC-NOT-RESERVED
               MOVE 20 TO WS-MSG
               GO TO 3000-EXIT.
           ADD 1 TO WS-RENEWALS.
           COMPUTE WS-DATE-DUE = FUNCTION DATE-OF-INTEGER
               (WS-TODAY-NUMBER + TR-TERM-DAYS).
           EXEC CICS REWRITE FILE('LOANMST') FROM(WS-RECORD)
           END-EXEC.
           MOVE WS-DATE-DUE TO RDUEO.
           MOVE 16 TO WS-MSG.
       3000-EXIT.
           EXIT.

       7100-NO-COPY.
           MOVE 5 TO WS-MSG.
           GO TO 8000-SHOW.
       7200-NOTHING-KEYED.
           MOVE LOW-VALUES TO LIBRETNO.
           MOVE 1 TO WS-MSG.
           GO TO 8000-SHOW.
       7300-TROUBLE.
           EXEC CICS SYNCPOINT ROLLBACK NOHANDLE END-EXEC.
           MOVE 20 TO WS-MSG.

       8000-SHOW.
           MOVE MSG-TEXT (WS-MSG) TO RMSGO.
           MOVE -1 TO RBOOKL.
           EXEC CICS SEND MAP('LIBRETN') MAPSET('LIBSET')
               FROM(LIBRETNO) DATAONLY CURSOR FREEKB
           END-EXEC.

       9000-WAIT.
           SET LC-ASKED TO TRUE.
           MOVE 'LIBC03' TO LC-FROM-PGM.
           EXEC CICS RETURN TRANSID('LIBR')
               COMMAREA(LIB-COMMAREA)
           END-EXEC.
