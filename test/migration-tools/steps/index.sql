CREATE INDEX CONCURRENTLY orders_count_idx ON orders (count);
