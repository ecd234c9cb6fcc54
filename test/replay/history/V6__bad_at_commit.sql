BEGIN;
-- refused by COMMIT
ALTER TABLE customers ADD referrer bigint REFERENCES customers;
UPDATE customers SET referrer = 1 WHERE id > 1;
COMMIT;
COMMENT ON COLUMN customers.referrer IS 'who sent this one';
