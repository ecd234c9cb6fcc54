-- What depends on the columns
CREATE VIEW recent AS SELECT u.id, u.email, o.n, o.placed, o.stripe_id, o.placed::date AS day FROM users u, orders o WHERE o.shipped > u.created_at;
CREATE VIEW of_recent AS SELECT *, placed + interval '1 day' AS until FROM recent;
CREATE MATERIALIZED VIEW totals AS SELECT product_code, sum(n) AS total, max(placed) AS last FROM orders GROUP BY product_code;
CREATE UNIQUE INDEX ON totals (product_code);
CREATE VIEW mine AS SELECT * FROM notes WHERE user_id = 1 WITH CHECK OPTION;
CREATE FUNCTION placed_on(day date) RETURNS bigint STABLE LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM orders WHERE placed::date = day; END;
CREATE FUNCTION order_count() RETURNS integer STABLE LANGUAGE plpgsql AS 'DECLARE o orders; n integer := 0; BEGIN FOR o IN SELECT * FROM orders LOOP n := n + o.n; END LOOP; RETURN n; END';
CREATE FUNCTION first_users() RETURNS TABLE (id integer, at timestamp) STABLE LANGUAGE sql AS 'SELECT id, created_at FROM users ORDER BY id LIMIT 2';
CREATE FUNCTION emails() RETURNS SETOF text STABLE SECURITY DEFINER LANGUAGE sql AS 'SELECT email FROM users ORDER BY id';
CREATE INDEX ON orders (date_trunc('month', placed));
CREATE INDEX ON orders (placed) WHERE shipped > '2001-01-01';
CREATE STATISTICS orders_n (dependencies) ON n, placed FROM orders;
CREATE POLICY early ON notes FOR SELECT USING (user_id > 0);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.updated_at := now(); RETURN NEW; END';
CREATE TRIGGER touch BEFORE UPDATE OF name, created_at ON users FOR EACH ROW WHEN (OLD.created_at IS NOT NULL) EXECUTE FUNCTION touch();
CREATE RULE quiet AS ON DELETE TO cache DO INSTEAD NOTHING;
CREATE PUBLICATION changes FOR TABLE orders (id, n, placed), sessions;
COMMENT ON COLUMN orders.n IS 'how many';

-- indexes that are not needed, or only seem so
CREATE INDEX orders_code ON orders (product_code);
CREATE INDEX orders_code_again ON orders (product_code);
CREATE INDEX orders_code_n ON orders (product_code, n);
CREATE UNIQUE INDEX sessions_again ON sessions (id);
ALTER TABLE sessions REPLICA IDENTITY USING INDEX sessions_again;
CREATE INDEX orders_n ON orders (n);
CREATE INDEX orders_n_placed ON orders (n, placed);
ALTER TABLE orders CLUSTER ON orders_n;
ALTER TABLE events ADD CONSTRAINT later CHECK ("order" <> 77) NOT VALID;
