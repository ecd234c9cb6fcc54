CREATE INDEX orders_count_idx ON orders (count);
