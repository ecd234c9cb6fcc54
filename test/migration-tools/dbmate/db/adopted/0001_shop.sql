-- migrate:up
CREATE TABLE customers (
  id BIGSERIAL PRIMARY KEY,
  name TEXT NOT NULL
);
CREATE TABLE orders (
  id BIGSERIAL PRIMARY KEY,
  customer_id BIGINT REFERENCES customers,
  shipped_at TIMESTAMP
);
CREATE TABLE imports (line INT);
CREATE SCHEMA legacy;

-- migrate:down
SELECT 1;
