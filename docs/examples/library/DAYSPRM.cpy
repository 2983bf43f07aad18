      * DAYSPRM  WHAT DAYS01 IS ASKED AND WHAT IT ANSWERS.
       01  DAYS-PARM.
           05  DP-FUNCTION             PIC X.
               88  DP-OPEN-DAYS        VALUE 'O'.
               88  DP-ALL-DAYS         VALUE 'A'.
           05  DP-FROM                 PIC 9(8).
           05  DP-TO                   PIC 9(8).
           05  DP-BRANCH               PIC X(3).
           05  DP-DAYS                 PIC S9(5) COMP-3.
           05  DP-RETURN               PIC 99.
               88  DP-OK               VALUE 00.
               88  DP-NEGATIVE         VALUE 04.
               88  DP-BAD-DATE         VALUE 08.
               88  DP-BAD-FUNCTION     VALUE 12.
