      * NOTREC   ONE NOTICE, FROM FEES01 TO MAIL02. LENGTH 80.
      *          THE FEE IS THE FEE TO DATE, NOT YET A CHARGE,
      *          EXCEPT AT LEVEL 4 (THE BILL).
       01  NOTICE-RECORD.
           05  NR-MEMBER-ID            PIC X(8).
           05  NR-KIND                 PIC X.
           05  NR-LEVEL                PIC 9.
               88  NR-REMINDER         VALUE 1.
               88  NR-SECOND           VALUE 2.
               88  NR-FINAL            VALUE 3.
               88  NR-BILL             VALUE 4.
           05  NR-BOOK-ID              PIC X(10).
           05  NR-DAYS-LATE            PIC 9(5).
           05  NR-FEE                  PIC 9(5)V99.
           05  NR-BRANCH               PIC X(3).
           05  FILLER                  PIC X(45).
