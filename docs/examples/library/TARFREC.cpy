      * TARFREC  THE TARIFF, BY KIND OF MEMBER AND MEDIUM. LENGTH 40.
      *          SET BY THE LIBRARY COMMITTEE EVERY JANUARY.
       01  TARIFF-RECORD.
           05  TR-KEY.
               10  TR-KIND             PIC X.
               10  TR-MEDIUM           PIC XX.
           05  TR-TERM-DAYS            PIC 9(3).
           05  TR-FEE-A-DAY            PIC 9(3)V99.
           05  TR-FEE-LIMIT            PIC 9(3)V99.
           05  TR-MAX-LOANS            PIC 9(3).
           05  TR-MAX-RENEWALS         PIC 9.
           05  FILLER                  PIC X(20).
