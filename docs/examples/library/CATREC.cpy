      * CATREC   ONE COPY IN THE CATALOGUE. LENGTH 100.
       01  CATALOG-RECORD.
           05  CT-BOOK-ID              PIC X(10).
           05  CT-TITLE                PIC X(50).
           05  CT-AUTHOR               PIC X(25).
           05  CT-MEDIUM               PIC XX.
               88  CT-REFERENCE-ONLY   VALUE 'RF'.
           05  CT-BRANCH               PIC X(3).
           05  CT-PRICE                PIC S9(5)V99 COMP-3.
           05  FILLER                  PIC X(6).
