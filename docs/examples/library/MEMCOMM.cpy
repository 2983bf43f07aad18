      * MEMCOMM  COMMAREA OF LIBC09, THE ONLY DESK PROGRAM THAT
      *          TALKS TO DB2.
       01  MEMBER-COMMAREA.
           05  MC-FUNCTION             PIC X.
               88  MC-CHECK            VALUE 'C'.
               88  MC-LENT             VALUE 'L'.
               88  MC-RETURNED         VALUE 'R'.
               88  MC-RESERVED         VALUE 'Q'.
               88  MC-HOLD             VALUE 'H'.
           05  MC-MEMBER-ID            PIC X(8).
           05  MC-BOOK-ID.
               10  MC-TITLE-ID         PIC X(7).
               10  MC-COPY-NO          PIC X(3).
           05  MC-MEDIUM               PIC XX.
           05  MC-NAME                 PIC X(30).
           05  MC-KIND                 PIC X.
           05  MC-LOANS-OUT            PIC S9(4) COMP.
           05  MC-DVDS-OUT             PIC S9(4) COMP.
           05  MC-OWED                 PIC S9(5)V99 COMP-3.
           05  MC-RESERVED-BY          PIC X(8).
           05  MC-RETURN               PIC 99.
               88  MC-OK               VALUE 00.
               88  MC-UNKNOWN          VALUE 10.
               88  MC-BLOCKED          VALUE 20.
               88  MC-EXPIRED          VALUE 21.
               88  MC-NOT-RESERVED     VALUE 30.
               88  MC-DB2-ERROR        VALUE 90.
           05  MC-SQLCODE              PIC S9(9) COMP.
