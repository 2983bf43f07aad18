      *****************************************************************
      * FEES01 - nightly fees for books that are overdue.
      * Reads the loans, charges a fee for each day beyond the term,
      * and writes one line a member for the mailing run.
      *****************************************************************
       IDENTIFICATION DIVISION.
       PROGRAM-ID. FEES01.
       ENVIRONMENT DIVISION.
       INPUT-OUTPUT SECTION.
       FILE-CONTROL.
           SELECT LOAN-FILE ASSIGN TO LOANS
               FILE STATUS IS WS-LOAN-STATUS.
           SELECT NOTICE-FILE ASSIGN TO NOTICES.
       DATA DIVISION.
       FILE SECTION.
       FD  LOAN-FILE.
           COPY LOANREC.
       FD  NOTICE-FILE.
       01  NOTICE-LINE                 PIC X(80).
       WORKING-STORAGE SECTION.
       01  WS-LOAN-STATUS              PIC XX.
           88  NO-MORE-LOANS           VALUE '10'.
      * The tariff: a term of 28 days, 25 cents a day, 20.00 at most.
       01  WS-TARIFF.
           05  WS-TERM-DAYS            PIC 9(3)     VALUE 28.
           05  WS-FEE-A-DAY            PIC 9(3)V99  VALUE 0.25.
           05  WS-FEE-LIMIT            PIC 9(3)V99  VALUE 20.00.
       01  WS-DAYS-LATE                PIC S9(5).
       01  WS-FEE                      PIC 9(5)V99.

       PROCEDURE DIVISION.
       MAIN-LINE.
           OPEN INPUT LOAN-FILE OUTPUT NOTICE-FILE.
           PERFORM READ-LOAN.
           PERFORM CHARGE-LOAN UNTIL NO-MORE-LOANS.
           CLOSE LOAN-FILE NOTICE-FILE.
           GOBACK.

       READ-LOAN.
           READ LOAN-FILE.

      * A loan within its term costs nothing. Children pay half.
       CHARGE-LOAN.
           COMPUTE WS-DAYS-LATE = LOAN-DAYS-OUT - WS-TERM-DAYS.
           IF WS-DAYS-LATE > 0
               COMPUTE WS-FEE = WS-DAYS-LATE * WS-FEE-A-DAY
               IF LOAN-MEMBER-IS-CHILD
                   COMPUTE WS-FEE = WS-FEE / 2
               END-IF
               IF WS-FEE > WS-FEE-LIMIT
                   MOVE WS-FEE-LIMIT TO WS-FEE
               END-IF
               PERFORM WRITE-NOTICE
           END-IF.
           PERFORM READ-LOAN.

      * One line a member, read by the mailing run MAIL02.
       WRITE-NOTICE.
           STRING LOAN-MEMBER-ID ' OWES ' WS-FEE
               DELIMITED BY SIZE INTO NOTICE-LINE.
           WRITE NOTICE-LINE.
