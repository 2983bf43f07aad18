-- LIB.FEE: what a member was charged, and what of it is paid.
-- REASON is O (overdue) or L (lost). The cash desk system of the
-- town writes PAID; nothing in this system does.
CREATE TABLE LIB.FEE
  (MEMBER_ID     CHAR(8)       NOT NULL,
   BOOK_ID       CHAR(10)      NOT NULL,
   CHARGED_ON    DATE          NOT NULL,
   REASON        CHAR(1)       NOT NULL
                 CHECK (REASON IN ('O', 'L')),
   AMOUNT        DECIMAL(7, 2) NOT NULL,
   PAID          DECIMAL(7, 2) NOT NULL WITH DEFAULT,
   PRIMARY KEY (MEMBER_ID, BOOK_ID, CHARGED_ON, REASON),
   FOREIGN KEY FKMEMB (MEMBER_ID)
       REFERENCES LIB.MEMBER ON DELETE RESTRICT)
  IN LIBDB.LIBTSFEE;

-- The key is what makes a second run of FEES02 harmless.
CREATE UNIQUE INDEX LIB.XFEE1
    ON LIB.FEE (MEMBER_ID ASC, BOOK_ID ASC,
                CHARGED_ON ASC, REASON ASC)
    USING STOGROUP LIBSG CLUSTER;

CREATE VIEW LIB.VOWED (MEMBER_ID, OWED) AS
    SELECT MEMBER_ID, SUM(AMOUNT - PAID)
      FROM LIB.FEE
     GROUP BY MEMBER_ID;
