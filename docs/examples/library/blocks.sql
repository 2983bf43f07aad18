-- By hand, with SPUFI, after LIB.MEMBER was restored from an image
-- copy: sets again the blocks that FEES02 set since the copy.
-- A member who owes more than 20.00 borrows nothing until it is
-- paid.
UPDATE LIB.MEMBER
   SET BLOCKED_ON = CURRENT DATE
 WHERE BLOCKED_ON IS NULL
   AND MEMBER_ID IN
       (SELECT MEMBER_ID
          FROM LIB.FEE
         GROUP BY MEMBER_ID
        HAVING SUM(AMOUNT - PAID) > 20.00);
