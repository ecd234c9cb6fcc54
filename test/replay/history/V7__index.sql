CREATE INDEX CONCURRENTLY orders_amount ON orders (amount);
CREATE INDEX CONCURRENTLY orders_customer ON orders (customer);
