      * One loan: who has which book, and for how many days.
       01  LOAN-RECORD.
           05  LOAN-MEMBER-ID          PIC X(8).
           05  LOAN-BOOK-ID            PIC X(10).
           05  LOAN-DAYS-OUT           PIC 9(5).
           05  LOAN-MEMBER-KIND        PIC X.
               88  LOAN-MEMBER-IS-CHILD VALUE 'C'.
               88  LOAN-MEMBER-IS-ADULT VALUE 'A'.
