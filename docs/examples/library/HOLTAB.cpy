      * HOLTAB   DAYS ON WHICH A BRANCH IS SHUT. BRANCH *** IS ALL
      *          BRANCHES. 200 ENTRIES IS ABOUT FOUR YEARS OF THEM.
       01  HOLIDAY-TABLE.
           05  HT-COUNT                PIC S9(4) COMP.
           05  HT-ENTRY OCCURS 200 TIMES
                        INDEXED BY HT-IX.
               10  HT-DATE             PIC 9(8).
               10  HT-BRANCH           PIC X(3).
