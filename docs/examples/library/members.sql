-- LIB.MEMBER: who may borrow. Kind is A (adult), C (child),
-- S (senior) or T (staff). Names and addresses for the post
-- are not here but in the ADDRMST file, from the town registry.
CREATE TABLE LIB.MEMBER
  (MEMBER_ID     CHAR(8)      NOT NULL,
   NAME          VARCHAR(60)  NOT NULL,
   KIND          CHAR(1)      NOT NULL
                 CHECK (KIND IN ('A', 'C', 'S', 'T')),
   BRANCH        CHAR(3)      NOT NULL,
   CARD_EXPIRES  DATE         NOT NULL,
   LOANS_OUT     SMALLINT     NOT NULL WITH DEFAULT,
   DVDS_OUT      SMALLINT     NOT NULL WITH DEFAULT,
   NO_SHOWS      SMALLINT     NOT NULL WITH DEFAULT,
   BLOCKED_ON    DATE,
   PRIMARY KEY (MEMBER_ID))
  IN LIBDB.LIBTSMEM;

CREATE UNIQUE INDEX LIB.XMEMBER1
    ON LIB.MEMBER (MEMBER_ID ASC)
    USING STOGROUP LIBSG CLUSTER;
