-- Tables that become partitions and partitions that become tables: under a root that
-- keeps the rules nothing is in the way of maintenance.
\i sql/include/convention_commit.psql
CREATE FUNCTION pg_temp.columns(prefix text) RETURNS text
RETURN format('id text COLLATE "C" NOT NULL DEFAULT generate_id(%L) CHECK (id LIKE %L), created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb, PRIMARY KEY (id, created_at)', prefix, prefix || '_%');
CREATE FUNCTION pg_temp.make_root(name text, prefix text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %s (%s) PARTITION BY RANGE (created_at)', name, pg_temp.columns(prefix));
	EXECUTE format('CREATE TRIGGER updated_at BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION updated_at()', name);
	EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
	EXECUTE format('CREATE POLICY own ON %s USING (id = current_setting(''app.organization_id'', true))', name);
END $$;

-- What the registry and dbkit.check() say of the events
CREATE FUNCTION pg_temp.state() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT prefix || ' ' || relation::regclass FROM dbkit.id_prefix WHERE relation::regclass::text ~ 'events'
	UNION ALL SELECT object_identity || ': ' || rule FROM dbkit.check() WHERE object_identity ~ 'events' $$;
SELECT pg_temp.make_root('events', 'evt');

\echo '== made LIKE the root, and attached: one statement a transaction'
CREATE TABLE events_1 (LIKE events INCLUDING ALL);
SELECT * FROM pg_temp.state();
CREATE INDEX ON events_1 (updated_at);
ALTER TABLE events_1 ADD CHECK (created_at < '2001-02-01');
ALTER TABLE events ATTACH PARTITION events_1 FOR VALUES FROM ('2001-01-01') TO ('2001-02-01');
SELECT * FROM pg_temp.state();

\echo '== in one transaction, and with as much as LIKE copies by itself'
BEGIN;
CREATE TABLE events_2 (LIKE events);
ALTER TABLE events_2 ADD CONSTRAINT events_id_check CHECK (id LIKE 'evt_%');
ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM ('2001-02-01') TO ('2001-03-01');
COMMIT;
CREATE TABLE events_3 (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE events ATTACH PARTITION events_3 FOR VALUES FROM ('2001-03-01') TO ('2001-04-01');
CREATE TABLE events_4 (LIKE events_3 INCLUDING ALL);
ALTER TABLE events ATTACH PARTITION events_4 FOR VALUES FROM ('2001-04-01') TO ('2001-05-01');
CREATE TABLE events_5 PARTITION OF events FOR VALUES FROM ('2001-05-01') TO ('2001-06-01');
SELECT * FROM pg_temp.state();

\echo '== but for what the root does not have'
CREATE TABLE events_6 (LIKE events INCLUDING ALL, n integer); -- fails
BEGIN;
CREATE TABLE events_6 (LIKE events INCLUDING ALL);
ALTER TABLE events_6 ADD n integer; -- fails
ROLLBACK;
CREATE TABLE events_6 (LIKE events INCLUDING ALL);
ALTER TABLE events_6 ALTER storytime TYPE timestamp USING NULL; -- fails
DROP TABLE events_6;
-- and not for a copy of anything else
CREATE TABLE events_6 (LIKE events INCLUDING ALL);
CREATE TABLE events_7 (LIKE events_6 INCLUDING ALL); -- fails
CREATE TABLE events_7 (LIKE nonexistent); -- fails
CREATE TABLE events_7 (LIKE nonexistent.events); -- fails
DROP TABLE events_6;

\echo '== detached'
ALTER TABLE events DETACH PARTITION events_1;
ALTER TABLE events DETACH PARTITION events_2 CONCURRENTLY;
BEGIN;
ALTER TABLE events DETACH PARTITION events_3;
ALTER TABLE events_3 RENAME TO old_events_3;
COMMIT;
SELECT * FROM pg_temp.state();
ALTER TABLE events_1 ADD n bigint;
ALTER TABLE events_1 ADD m integer; -- fails
BEGIN;
ALTER TABLE events DETACH PARTITION events_4;
ALTER TABLE events_4 ADD m integer; -- fails
ROLLBACK;
ALTER TABLE events DETACH PARTITION events_5;
ALTER TABLE events ATTACH PARTITION events_5 FOR VALUES FROM ('2001-05-01') TO ('2001-06-01');
DROP TABLE events_1, events_2, old_events_3;
SELECT * FROM pg_temp.state();

\echo '== a function that does it'
CREATE FUNCTION pg_temp.maintain(month date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %I (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', 'events_' || to_char(month, 'YYYYMM'));
	EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
		'events_' || to_char(month, 'YYYYMM'), month, month + interval '1 month');
	EXECUTE 'ALTER TABLE events DETACH PARTITION events_5';
	DROP TABLE events_5;
END $$;
SELECT pg_temp.maintain('2002-01-01');

\echo '== one level further down, keys, and rules at level fix'
CREATE TABLE events_year PARTITION OF events FOR VALUES FROM ('2003-01-01') TO ('2004-01-01') PARTITION BY LIST (id);
CREATE TABLE events_leaf (LIKE events_year INCLUDING ALL);
ALTER TABLE events_year ATTACH PARTITION events_leaf DEFAULT;
SELECT pg_temp.make('users', 'usr');
BEGIN;
ALTER TABLE events ADD users_id text COLLATE "C" REFERENCES users ON DELETE CASCADE;
CREATE INDEX ON events (users_id);
COMMIT;
SET dbkit.rule_levels = 'rls_enabled=fix, updated_at_trigger=fix';
CREATE TABLE events_8 (LIKE events INCLUDING ALL);
ALTER TABLE events ATTACH PARTITION events_8 FOR VALUES FROM ('2005-01-01') TO ('2005-02-01');
ALTER TABLE events DETACH PARTITION events_8;
RESET dbkit.rule_levels;
DROP TABLE events_8;

\echo '== a root that never kept the rules'
SET dbkit.enforce = off;
CREATE TABLE legacy (id integer, n smallint, at timestamp) PARTITION BY RANGE (id);
CREATE TABLE legacy_0 PARTITION OF legacy FOR VALUES FROM (0) TO (10);
RESET dbkit.enforce;
CREATE TABLE legacy_1 (LIKE legacy INCLUDING ALL);
ALTER TABLE legacy ATTACH PARTITION legacy_1 FOR VALUES FROM (10) TO (20);
ALTER TABLE legacy DETACH PARTITION legacy_0;
ALTER TABLE legacy DETACH PARTITION legacy_1;
ALTER TABLE legacy_1 ADD m integer; -- fails
-- one that is exempt
SELECT dbkit.exempt('public.legacy', '*', 'goes with the old shop');
CREATE TABLE legacy_2 (LIKE legacy INCLUDING ALL);
SELECT dbkit.unexempt('public.legacy', '*');

DROP TABLE events, users, legacy, legacy_0, legacy_1, legacy_2;
SELECT * FROM pg_temp.state();
