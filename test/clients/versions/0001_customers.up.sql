-- customers; and what they say
CREATE TABLE customers (id bigint, name text);
INSERT INTO customers VALUES (1, 'a;b'), (2, 'it''s %s $1 :x');
