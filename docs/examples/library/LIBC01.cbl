      *****************************************************************
      * LIBC01 - DESK MENU, TRANSACTION LIBM.                         *
      *                                                               *
      * 1 LENDING (LIBC02)   2 RETURNS AND RENEWALS (LIBC03)          *
      *                                                               *
      * CHANGES                                                       *
      * 1994-09-05 RH  WRITTEN.                                       *
      * 1999-11-15 MO  BRANCH IS ASKED HERE, ONCE.                    *
      *****************************************************************
       IDENTIFICATION DIVISION.
       PROGRAM-ID. LIBC01.
       AUTHOR. R HALVARD.
       ENVIRONMENT DIVISION.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
           COPY LIBCOMM.
           COPY LIBSET.
           COPY DFHAID.
       01  WS-NEXT-PGM                 PIC X(8).
       01  WS-BYE                      PIC X(30)
                               VALUE 'GOOD NIGHT. CLEAR THE DESK.'.
       01  WS-RESP                     PIC S9(8) COMP.

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
           IF LC-FIRST-TIME OR LC-FROM-PGM NOT = 'LIBC01'
               PERFORM 1000-SHOW-MENU
               GO TO 9000-WAIT.
           EVALUATE EIBAID
               WHEN DFHENTER
                   PERFORM 2000-READ-CHOICE THRU 2000-EXIT
               WHEN DFHPF3
                   GO TO 9900-GOODBYE
               WHEN DFHCLEAR
                   PERFORM 1000-SHOW-MENU
               WHEN OTHER
                   MOVE LOW-VALUES TO LIBMENUO
                   MOVE 'WRONG KEY' TO MMSGO
                   PERFORM 1100-SHOW-AGAIN
           END-EVALUATE.
           GO TO 9000-WAIT.

       1000-SHOW-MENU.
           MOVE LOW-VALUES TO LIBMENUO.
           IF LC-BRANCH NOT = SPACES
               MOVE LC-BRANCH TO MBRNCHO
           END-IF.
           EXEC CICS SEND MAP('LIBMENU') MAPSET('LIBSET')
               FROM(LIBMENUO) ERASE FREEKB
           END-EXEC.

       1100-SHOW-AGAIN.
           EXEC CICS SEND MAP('LIBMENU') MAPSET('LIBSET')
               FROM(LIBMENUO) DATAONLY FREEKB
           END-EXEC.

       2000-READ-CHOICE.
           EXEC CICS RECEIVE MAP('LIBMENU') MAPSET('LIBSET')
               INTO(LIBMENUI) RESP(WS-RESP)
           END-EXEC.
           IF MBRNCHL > 0
               MOVE MBRNCHI TO LC-BRANCH
           END-IF.
           IF LC-BRANCH = SPACES
               MOVE LOW-VALUES TO LIBMENUO
               MOVE 'WHICH BRANCH?' TO MMSGO
               PERFORM 1100-SHOW-AGAIN
               GO TO 2000-EXIT.
           EVALUATE MCHOICI
               WHEN '1'
                   MOVE 'LIBC02' TO WS-NEXT-PGM
               WHEN '2'
                   MOVE 'LIBC03' TO WS-NEXT-PGM
               WHEN OTHER
                   MOVE LOW-VALUES TO LIBMENUO
                   MOVE 'CHOOSE 1 OR 2' TO MMSGO
                   PERFORM 1100-SHOW-AGAIN
                   GO TO 2000-EXIT
           END-EVALUATE.
           SET LC-FIRST-TIME TO TRUE.
           MOVE 'LIBC01' TO LC-FROM-PGM.
           EXEC CICS XCTL PROGRAM(WS-NEXT-PGM)
               COMMAREA(LIB-COMMAREA)
           END-EXEC.
       2000-EXIT.
           EXIT.

       9000-WAIT.
           SET LC-ASKED TO TRUE.
           MOVE 'LIBC01' TO LC-FROM-PGM.
           EXEC CICS RETURN TRANSID('LIBM')
               COMMAREA(LIB-COMMAREA)
           END-EXEC.

       9900-GOODBYE.
           EXEC CICS SEND TEXT FROM(WS-BYE) ERASE FREEKB
           END-EXEC.
           EXEC CICS RETURN END-EXEC.
