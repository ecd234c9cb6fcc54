CREATE TABLE gadgets (
  id TEXT COLLATE "C" PRIMARY KEY DEFAULT generate_id('gad') CHECK (id LIKE 'gad_%'),
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  storytime JSONB,
  order_id TEXT COLLATE "C" NOT NULL REFERENCES orders (id)
);
