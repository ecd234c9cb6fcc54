-- A history for test/t/replay.pl; dbkit is adopted after V2, with timestamptz, bigint and
-- fk_index at level error.  What stands here deviates from all three.
CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, joined timestamp);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer bigint NOT NULL REFERENCES customers, amount integer);
INSERT INTO customers (name, joined) SELECT 'customer; ' || n, '2020-01-01' FROM generate_series(1, 3) AS n;
COPY orders (customer, amount) FROM stdin;
1	10
2	20
\.
