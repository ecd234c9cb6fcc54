CREATE TABLE widgets (
  id TEXT COLLATE "C" PRIMARY KEY DEFAULT generate_id('wid') CHECK (id LIKE 'wid_%'),
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  storytime JSONB,
  parent_id TEXT COLLATE "C" REFERENCES widgets (id)
);
