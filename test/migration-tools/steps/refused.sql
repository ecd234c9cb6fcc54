CREATE TABLE gadgets (
  id TEXT COLLATE "C" PRIMARY KEY DEFAULT generate_id('gad') CHECK (id LIKE 'gad_%'),
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  storytime JSONB,
  order_id TEXT COLLATE "C" NOT NULL REFERENCES orders (id)
);
CREATE TRIGGER updated_at BEFORE UPDATE ON gadgets FOR EACH ROW EXECUTE PROCEDURE updated_at();
CREATE INDEX gadgets_order_id_idx ON gadgets (order_id);
ALTER TABLE gadgets ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON gadgets FOR ALL TO customer USING (order_id IN (SELECT id FROM orders));
CREATE TABLE bad_gadgets (id SERIAL PRIMARY KEY, seen TIMESTAMP);
