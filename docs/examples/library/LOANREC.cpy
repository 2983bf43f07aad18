      *---------------------------------------------------------------*
      * LOANREC  ONE LOAN: WHO HAS WHICH COPY, AND UNTIL WHEN.        *
      *          LENGTH 80. KEY OF LOANMST IS THE COPY, NOT THE       *
      *          MEMBER: A COPY IS ON LOAN ONCE OR NOT AT ALL.        *
      *          COPY LOANREC REPLACING ==:TAG:== BY ==XXXX==.        *
      *---------------------------------------------------------------*
       01  :TAG:-RECORD.
           05  :TAG:-BOOK-ID.
               10  :TAG:-TITLE-ID      PIC X(7).
               10  :TAG:-COPY-NO       PIC X(3).
           05  :TAG:-MEMBER-ID         PIC X(8).
           05  :TAG:-MEMBER-KIND       PIC X.
               88  :TAG:-IS-ADULT      VALUE 'A'.
               88  :TAG:-IS-CHILD      VALUE 'C'.
               88  :TAG:-IS-SENIOR     VALUE 'S'.
               88  :TAG:-IS-STAFF      VALUE 'T'.
           05  :TAG:-MEDIUM            PIC XX.
               88  :TAG:-IS-BOOK       VALUE 'BK'.
               88  :TAG:-IS-DVD        VALUE 'DV'.
               88  :TAG:-IS-MAGAZINE   VALUE 'MG'.
           05  :TAG:-BRANCH            PIC X(3).
           05  :TAG:-DATE-OUT          PIC 9(8).
           05  :TAG:-DATE-DUE          PIC 9(8).
      * ZERO WHILE THE COPY IS OUT.
           05  :TAG:-DATE-BACK         PIC 9(8).
           05  :TAG:-RENEWALS          PIC 9.
           05  :TAG:-STATUS            PIC X.
               88  :TAG:-IS-OUT        VALUE 'O'.
               88  :TAG:-IS-BACK       VALUE 'R'.
               88  :TAG:-IS-LOST       VALUE 'L'.
           05  :TAG:-PRICE             PIC S9(5)V99 COMP-3.
           05  FILLER                  PIC X(26).
