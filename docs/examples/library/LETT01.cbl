      *****************************************************************
      * LETT01 - WORDS OF A LETTER TO A GROWN-UP.                     *
      *                                                               *
      * CALLED BY MAIL02. THE WORDS ARE THE LIBRARIAN'S: ASK BEFORE   *
      * CHANGING ONE.                                                 *
      *                                                               *
      * CHANGES                                                       *
      * 1994-04-11 RH  WRITTEN.                                       *
      * 2014-06-09 KV  BILLS.                                         *
      *****************************************************************
       IDENTIFICATION DIVISION.
       PROGRAM-ID. LETT01.
       ENVIRONMENT DIVISION.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       01  WS-BOOKS                    PIC ZZ9.
       01  WS-TOTAL                    PIC ZZ,ZZ9.99.
      * MORE THAN THIS OWED AND THE CARD STOPS WORKING (FEES02).
       01  WS-BLOCK-OVER               PIC 9(3)V99  VALUE 20.00.
       LINKAGE SECTION.
           COPY LETTPRM.

       PROCEDURE DIVISION USING LETTER-PARM.
       0000-MAIN-LINE.
           MOVE 0 TO LP-LINE-COUNT.
           MOVE SPACES TO LP-LINE (1) LP-LINE (2) LP-LINE (3)
                          LP-LINE (4) LP-LINE (5) LP-LINE (6).
           MOVE LP-BOOKS TO WS-BOOKS.
           MOVE LP-TOTAL TO WS-TOTAL.
           PERFORM 1000-GREETING.
           EVALUATE LP-LEVEL
               WHEN 1
                   PERFORM 2100-REMINDER
               WHEN 2
                   PERFORM 2200-SECOND
               WHEN 3
                   PERFORM 2300-FINAL
               WHEN 4
                   PERFORM 2400-BILL
               WHEN OTHER
                   PERFORM 2100-REMINDER
           END-EVALUATE.
           PERFORM 3000-CARD-WARNING.
           GOBACK.

       1000-GREETING.
           ADD 1 TO LP-LINE-COUNT.
           STRING 'DEAR ' LP-NAME DELIMITED BY SIZE
               INTO LP-LINE (LP-LINE-COUNT).

       2100-REMINDER.
           ADD 1 TO LP-LINE-COUNT.
           STRING 'YOU MAY HAVE FORGOTTEN ' WS-BOOKS
                  ' OF OUR ITEMS. THEY ARE LISTED BELOW.'
               DELIMITED BY SIZE INTO LP-LINE (LP-LINE-COUNT).
           ADD 1 TO LP-LINE-COUNT.
           STRING 'IF YOU BRING THEM TODAY YOU OWE ' WS-TOTAL
               DELIMITED BY SIZE INTO LP-LINE (LP-LINE-COUNT).

       2200-SECOND.
           ADD 1 TO LP-LINE-COUNT.
           STRING 'WE WROTE TO YOU BEFORE ABOUT ' WS-BOOKS
                  ' ITEMS. OTHERS ARE WAITING FOR THEM.'
               DELIMITED BY SIZE INTO LP-LINE (LP-LINE-COUNT).
           ADD 1 TO LP-LINE-COUNT.
           STRING 'BY TODAY THE FEE IS ' WS-TOTAL
               DELIMITED BY SIZE INTO LP-LINE (LP-LINE-COUNT).

       2300-FINAL.
           ADD 1 TO LP-LINE-COUNT.
           STRING 'THIS IS OUR LAST LETTER ABOUT ' WS-BOOKS
                  ' ITEMS. NEXT WE SEND A BILL.'
               DELIMITED BY SIZE INTO LP-LINE (LP-LINE-COUNT).
           ADD 1 TO LP-LINE-COUNT.
           STRING 'BY TODAY THE FEE IS ' WS-TOTAL
               DELIMITED BY SIZE INTO LP-LINE (LP-LINE-COUNT).

       2400-BILL.
           ADD 1 TO LP-LINE-COUNT.
           MOVE 'WE TAKE THE ITEMS BELOW TO BE LOST.'
               TO LP-LINE (LP-LINE-COUNT).
           ADD 1 TO LP-LINE-COUNT.
           STRING 'PLEASE PAY ' WS-TOTAL ' AT ANY DESK IN 30 DAYS.'
               DELIMITED BY SIZE INTO LP-LINE (LP-LINE-COUNT).

       3000-CARD-WARNING.
           IF LP-TOTAL > WS-BLOCK-OVER
               ADD 1 TO LP-LINE-COUNT
               MOVE 'YOUR CARD CANNOT BE USED UNTIL THIS IS PAID.'
                   TO LP-LINE (LP-LINE-COUNT)
           END-IF.
