      * FEEREC   ONE CHARGE, FROM FEES01 TO FEES02. LENGTH 80.
       01  FEE-RECORD.
           05  FR-MEMBER-ID            PIC X(8).
           05  FR-BOOK-ID              PIC X(10).
           05  FR-CHARGED-ON           PIC 9(8).
           05  FR-REASON               PIC X.
               88  FR-OVERDUE          VALUE 'O'.
               88  FR-LOST             VALUE 'L'.
           05  FR-AMOUNT               PIC S9(5)V99 COMP-3.
           05  FILLER                  PIC X(49).
