//FEESJOB  JOB (LIB),'NIGHTLY FEES',CLASS=A
//* Runs after the loans of the day are closed, at 23:00.
//FEES     EXEC PGM=FEES01
//LOANS    DD DSN=LIB.LOANS.CLOSED,DISP=SHR
//NOTICES  DD DSN=LIB.NOTICES.NEW,DISP=(NEW,CATLG)
//* The notices are mailed only where the fees went well.
//MAIL     EXEC PGM=MAIL02,COND=(0,NE,FEES)
//NOTICES  DD DSN=LIB.NOTICES.NEW,DISP=(OLD,DELETE)
