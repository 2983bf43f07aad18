      *****************************************************************
      * LETT02 - WORDS OF A LETTER ABOUT A CHILD'S LOANS, TO THE      *
      *          PARENT OR GUARDIAN.                                  *
      *                                                               *
      * CHANGES                                                       *
      * 1996-11-25 RH  COPIED FROM LETT01.                            *
      * 2005-03-14 JT  NO SECOND LETTER IS SHARP, IT IS A CHILD.      *
      * 2014-06-09 KV  BILLS.                                         *
      *****************************************************************
       IDENTIFICATION DIVISION.
       PROGRAM-ID. LETT02.
       ENVIRONMENT DIVISION.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       01  WS-BOOKS                    PIC ZZ9.
       01  WS-TOTAL                    PIC ZZ,ZZ9.99.
       LINKAGE SECTION.
           COPY LETTPRM.

       PROCEDURE DIVISION USING LETTER-PARM.
       0000-MAIN-LINE.
           MOVE 0 TO LP-LINE-COUNT.
           MOVE SPACES TO LP-LINE (1) LP-LINE (2) LP-LINE (3)
                          LP-LINE (4) LP-LINE (5) LP-LINE (6).
           MOVE LP-BOOKS TO WS-BOOKS.
           MOVE LP-TOTAL TO WS-TOTAL.
           IF LP-GUARDIAN = SPACES
               PERFORM 1100-NO-GUARDIAN
           ELSE
               PERFORM 1000-GREETING
           END-IF.
           EVALUATE LP-LEVEL
               WHEN 4
                   PERFORM 2400-BILL
               WHEN 3
                   PERFORM 2300-FINAL
               WHEN OTHER
                   PERFORM 2100-REMINDER
           END-EVALUATE.
           PERFORM 3000-HALF-FEE.
           GOBACK.

       1000-GREETING.
           ADD 1 TO LP-LINE-COUNT.
           STRING 'DEAR ' LP-GUARDIAN DELIMITED BY SIZE
               INTO LP-LINE (LP-LINE-COUNT).
           ADD 1 TO LP-LINE-COUNT.
           STRING 'WE WRITE ABOUT THE LOANS OF ' LP-NAME
               DELIMITED BY SIZE INTO LP-LINE (LP-LINE-COUNT).

      * THE REGISTRY KNOWS NO GUARDIAN OF SOME CHILDREN. THE LETTER
      * THEN GOES TO 'THE PARENTS OF'.
       1100-NO-GUARDIAN.
           ADD 1 TO LP-LINE-COUNT.
           STRING 'TO THE PARENTS OF ' LP-NAME DELIMITED BY SIZE
               INTO LP-LINE (LP-LINE-COUNT).

       2100-REMINDER.
           ADD 1 TO LP-LINE-COUNT.
           STRING 'PLEASE HELP TO FIND ' WS-BOOKS
                  ' ITEMS THAT ARE LISTED BELOW.'
               DELIMITED BY SIZE INTO LP-LINE (LP-LINE-COUNT).
           ADD 1 TO LP-LINE-COUNT.
           STRING 'BY TODAY THE FEE IS ' WS-TOTAL
               DELIMITED BY SIZE INTO LP-LINE (LP-LINE-COUNT).

       2300-FINAL.
           ADD 1 TO LP-LINE-COUNT.
           STRING 'WE STILL MISS ' WS-BOOKS
                  ' ITEMS. PLEASE COME AND TALK TO US.'
               DELIMITED BY SIZE INTO LP-LINE (LP-LINE-COUNT).
           ADD 1 TO LP-LINE-COUNT.
           STRING 'BY TODAY THE FEE IS ' WS-TOTAL
               DELIMITED BY SIZE INTO LP-LINE (LP-LINE-COUNT).

       2400-BILL.
           ADD 1 TO LP-LINE-COUNT.
           STRING 'WE TAKE ' WS-BOOKS ' ITEMS TO BE LOST.'
               DELIMITED BY SIZE INTO LP-LINE (LP-LINE-COUNT).
           ADD 1 TO LP-LINE-COUNT.
           STRING 'PLEASE PAY ' WS-TOTAL ' AT ANY DESK IN 60 DAYS.'
               DELIMITED BY SIZE INTO LP-LINE (LP-LINE-COUNT).

       3000-HALF-FEE.
           IF LP-LEVEL NOT = 4
               ADD 1 TO LP-LINE-COUNT
               MOVE 'CHILDREN PAY HALF THE FEE OF GROWN-UPS.'
                   TO LP-LINE (LP-LINE-COUNT)
           END-IF.
