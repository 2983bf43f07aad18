      * LIBCOMM  COMMAREA OF THE DESK SCREENS (LIBM, LIBL, LIBR).
       01  LIB-COMMAREA.
           05  LC-STEP                 PIC X.
               88  LC-FIRST-TIME       VALUE 'F'.
               88  LC-ASKED            VALUE 'A'.
           05  LC-FROM-PGM             PIC X(8).
           05  LC-BRANCH               PIC X(3).
           05  LC-MEMBER-ID            PIC X(8).
           05  LC-COUNT                PIC S9(4) COMP.
