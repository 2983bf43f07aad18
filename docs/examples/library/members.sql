-- The members of the library; kind is 'A' (adult) or 'C' (child).
CREATE TABLE member (
    member_id  CHAR(8)     NOT NULL PRIMARY KEY,
    name       VARCHAR(60) NOT NULL,
    kind       CHAR(1)     NOT NULL CHECK (kind IN ('A', 'C')),
    blocked_on DATE
);

-- A member who owes more than 20.00 borrows nothing until it is paid.
UPDATE member
   SET blocked_on = CURRENT_DATE
 WHERE member_id IN (SELECT member_id FROM fee GROUP BY member_id HAVING SUM(amount) > 20.00);
