      * LETTPRM  A LETTER BETWEEN MAIL02 AND LETT01 / LETT02.
       01  LETTER-PARM.
           05  LP-NAME                 PIC X(40).
           05  LP-GUARDIAN             PIC X(40).
           05  LP-LEVEL                PIC 9.
           05  LP-BOOKS                PIC 9(3).
           05  LP-TOTAL                PIC 9(5)V99.
           05  LP-LINE-COUNT           PIC 9.
           05  LP-LINE                 PIC X(70) OCCURS 6 TIMES.
