"""Of what an estate is made: templates of COBOL and JCL, and the words that they are filled with.

A name in braces is drawn once a template; a 2 or 3 behind it sets it apart. In a list of pieces,
an empty line stands between two.
"""

SYSTEMS = {
    "ORD": ("ORDER", "ITEM", "VENDOR", "PRICE", "BACKLOG"),
    "CLM": ("CLAIM", "PAYEE", "ADJUST", "RESERVE", "LETTER"),
    "POL": ("POLICY", "HOLDER", "COVER", "PREMIUM", "AGENT"),
    "PAY": ("STAFF", "SALARY", "TAX", "PENSION", "LEAVE"),
    "INV": ("STOCK", "BIN", "DEMAND", "RECEIPT", "PICK"),
    "LON": ("LOAN", "DEBTOR", "RATE", "PLEDGE", "ARREARS"),
    "BIL": ("INVOICE", "CHARGE", "METER", "TARIFF", "DUNNING"),
    "GLX": ("LEDGER", "JOURNAL", "PERIOD", "CENTER", "BUDGET"),
    "SHP": ("PARCEL", "ROUTE", "CARRIER", "CUSTOMS", "DEPOT"),
    "CRD": ("CARD", "ACCOUNT", "LIMIT", "DISPUTE", "REWARD"),
}
"""What the systems of the estate are about, by their prefix."""
NUMBERS = {
    "AMOUNT": "S9(7)V99 COMP-3",
    "COUNT": "9(5)",
    "RATE": "9V9(4)",
    "LIMIT": "S9(9)V99 COMP-3",
    "DAYS": "9(3)",
    "TOTAL": "S9(11)V99 COMP-3",
    "DATE": "9(8)",
}
TEXTS = {"NAME": "X(30)", "KEY": "X(10)", "REASON": "X(20)", "BRANCH": "X(4)", "TEXT": "X(40)"}
FLAGS = {"STATUS": "X", "KIND": "XX", "SWITCH": "X"}
"""What a data item may hold, with its picture."""
VERBS = ("CHECK", "BUILD", "LOAD", "POST", "MATCH", "CLOSE", "AGE", "SPLIT", "PRINT", "MARK")

REMARKS = (
    "{entity} {code}: OVER {limit} NEEDS THE {entity2} OF THE {verb} RUN.",
    "{verb} ONLY THE {entity} OF THE LAST {few} DAYS.",
    "THE {entity2} DESK WANTS EACH {entity} BEFORE {limit}.",
    "WAS {limit} UNTIL {year}; THE {entity} OF CODE {code} STILL IS.",
)

ANYWHERE = """\
MOVE {text} TO {text2}.
ADD 1 TO {number}.

COMPUTE {number} ROUNDED =
    {number2} * {number3} / {limit}
    ON SIZE ERROR
        MOVE '{code}' TO {flag}
END-COMPUTE.

IF {number} > {limit}
    MOVE '{code}' TO {flag}
    PERFORM {next}
ELSE
    SUBTRACT {number2}
        FROM {number3}
END-IF.

IF {number} NOT < {number2}
   AND {flag} = '{code}'
    IF {text} = SPACES
        MOVE '{code2}' TO {flag2}
    ELSE
        PERFORM {next}
    END-IF
END-IF.

EVALUATE {flag}
    WHEN '{code}'
        PERFORM {next}
    WHEN '{code2}'
        MOVE {limit} TO {number}
    WHEN OTHER
        MOVE 8 TO RETURN-CODE
        GO TO 9900-STOP
END-EVALUATE.

EVALUATE TRUE
    WHEN {number} < {limit}
        ADD {number2} TO {number3}
    WHEN {number2} > {limit2}
        MOVE '{code}' TO {flag}
    WHEN OTHER
        CONTINUE
END-EVALUATE.

PERFORM VARYING WS-INDEX FROM 1 BY 1 UNTIL WS-INDEX > {few}
    ADD WS-SLOT (WS-INDEX) TO {number}
END-PERFORM.

STRING {text} DELIMITED BY SPACE
    ' {entity} {code}' DELIMITED BY SIZE
    INTO WS-MESSAGE
END-STRING.
DISPLAY WS-MESSAGE.

INSPECT {text}
    REPLACING ALL LOW-VALUES BY SPACES.

IF {text} NUMERIC
    MOVE {text} TO {number}.

CALL '{callee}' USING {record} WS-RETURN.
IF WS-RETURN NOT = 0
    PERFORM 9000-LOG
END-IF.

MOVE '{callee}' TO WS-PROGRAM.
CALL WS-PROGRAM USING {record} WS-RETURN.

PERFORM {next} {few} TIMES.
MOVE SPACES TO {text}.
"""
OF_KIND = {
    "B": """\
READ IN-FILE
    AT END
        MOVE 'Y' TO WS-END
    NOT AT END
        ADD 1 TO {number}
END-READ.

MOVE {text} TO OUT-DATA.
WRITE OUT-RECORD.
ADD 1 TO {number}.
""",
    "D": """\
EXEC SQL
    SELECT {column}, {column2}
      INTO :{number}, :{text}
      FROM {table}
     WHERE {column3} = :{text2}
END-EXEC.
IF SQLCODE NOT = 0 AND SQLCODE NOT = 100
    GO TO 9900-STOP.

EXEC SQL
    UPDATE {table}
       SET {column} = :{number}
     WHERE {column2} > {limit}
END-EXEC.
EVALUATE SQLCODE
    WHEN 0
        ADD 1 TO {number2}
    WHEN 100
        CONTINUE
    WHEN OTHER
        GO TO 9900-STOP
END-EVALUATE.

EXEC SQL
    INSERT INTO {table}
        ({column}, {column2})
    VALUES
        (:{text}, :{number})
END-EXEC.

EXEC SQL
    DELETE FROM {table}
     WHERE {column} < :{number}
END-EXEC.
""",
    "C": """\
EXEC CICS READ FILE('{dd}') INTO({record})
    RIDFLD({text}) RESP(WS-RESP)
END-EXEC.
IF WS-RESP NOT = 0
    MOVE 'NO SUCH {entity}' TO WS-MESSAGE
    PERFORM 9000-LOG
END-IF.

EXEC CICS SEND MAP('{map}') MAPSET('{map2}')
    FROM({record}) ERASE
END-EXEC.

EXEC CICS RECEIVE MAP('{map}') MAPSET('{map2}')
    INTO({record}) RESP(WS-RESP)
END-EXEC.

EXEC CICS LINK PROGRAM('{callee}')
    COMMAREA({record})
END-EXEC.
""",
    "S": "",
}
"""By the kind of a program: batch, Db2, CICS, and what those call."""

DIVISIONS = {
    "B": """\
       ENVIRONMENT DIVISION.
       INPUT-OUTPUT SECTION.
       FILE-CONTROL.
           SELECT IN-FILE ASSIGN TO {dd}
               FILE STATUS IS WS-FILE-STATUS.
           SELECT OUT-FILE ASSIGN TO OUTFILE.
       DATA DIVISION.
       FILE SECTION.
       FD  IN-FILE.
           COPY {copybook} REPLACING ==:TAG:== BY ==IN==.
       FD  OUT-FILE.
       01  OUT-RECORD.
           05  OUT-DATA                PIC X(80).
       WORKING-STORAGE SECTION.
       01  WS-FILE-STATUS              PIC XX.
""",
    "D": """\
       DATA DIVISION.
       WORKING-STORAGE SECTION.
           EXEC SQL INCLUDE SQLCA END-EXEC.
""",
    "C": """\
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       01  WS-RESP                     PIC S9(8) COMP.
""",
    "S": """\
       DATA DIVISION.
       WORKING-STORAGE SECTION.
""",
}
WORK = """\
       01  WS-CONTROL.
           05  WS-END                  PIC X        VALUE 'N'.
           05  WS-INDEX                PIC S9(4) COMP.
           05  WS-SLOT                 PIC 9(5) OCCURS 12.
           05  WS-RETURN               PIC S9(4) COMP.
           05  WS-PROGRAM              PIC X(8).
           05  WS-MESSAGE              PIC X(79).
       01  WS-WORK.
"""
END = """\

       9000-LOG.
           DISPLAY '{program} ' WS-MESSAGE.

       9900-STOP.
           DISPLAY '{program} STOPPED'.
           GOBACK.
"""
JOB = """\
//{job} JOB ({prefix}),'{entity} {verb}',CLASS={code},MSGCLASS=X
//*
//* {verb} THE {entity} OF THE NIGHT, SINCE {year}.
//* RERUN FROM STEP {few} WHERE THE {entity2} FILE IS SHORT.
//*
"""
STEP = """\
//STEPNN   EXEC PGM={program},COND=(4,LT)
//STEPLIB  DD DSN={prefix}.PROD.LOADLIB,DISP=SHR
//{dd:8} DD DSN={prefix}.{entity}.DAILY,DISP=SHR
//OUTFILE  DD DSN={prefix}.{entity2}.RNN(+1),DISP=(NEW,CATLG,DELETE),
//             UNIT=SYSDA,SPACE=(CYL,({few},5),RLSE)
//SYSOUT   DD SYSOUT=*
"""
