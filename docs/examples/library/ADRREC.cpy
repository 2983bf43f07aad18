      * ADRREC   NAME AND ADDRESS, LOADED WEEKLY FROM THE TOWN
      *          REGISTRY (SEE WEEKJOB). LENGTH 200.
       01  ADDRESS-RECORD.
           05  AR-MEMBER-ID            PIC X(8).
           05  AR-NAME                 PIC X(40).
           05  AR-STREET               PIC X(40).
           05  AR-TOWN                 PIC X(30).
           05  AR-POSTCODE             PIC X(10).
      * PARENT OR GUARDIAN; SPACES FOR ANYBODY OF AGE.
           05  AR-GUARDIAN             PIC X(40).
           05  FILLER                  PIC X(32).
