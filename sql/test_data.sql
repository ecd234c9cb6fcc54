-- dbkit.make and dbkit.make_many: rows that a table accepts, with their parents.
\set roles '{regress_tester}'
\i sql/include/leftovers.psql
SET client_min_messages = warning;
CREATE EXTENSION dbkit_test;
SELECT dbkit.agree('{"rules": null, "id_style": null}') IS NOT NULL AS agreed;
SET dbkit.enforce = off;
CREATE SCHEMA test_data;
SET search_path = test_data, public;

CREATE TABLE organizations (id text PRIMARY KEY DEFAULT generate_id('org') CHECK (id LIKE 'org_%'), name text NOT NULL);
CREATE TABLE users (id text PRIMARY KEY DEFAULT generate_id('usr'), email varchar(40) NOT NULL UNIQUE, organization_id text NOT NULL REFERENCES organizations);
CREATE TABLE documents (id text PRIMARY KEY DEFAULT generate_id('doc'), title text NOT NULL CHECK (char_length(title) BETWEEN 3 AND 30),
	pages int NOT NULL CHECK (pages > 5), kind text NOT NULL CHECK (kind IN ('letter', 'bill')), note text,
	organization_id text NOT NULL REFERENCES organizations, author_id text NOT NULL REFERENCES users, editor_id text NOT NULL REFERENCES users);

-- a row with its parents: one organization for all
SELECT pages, kind, note, title ~ '^title_[0-9a-z]{8}$' AS titled FROM dbkit.make(NULL::documents);
SELECT (SELECT count(*) FROM organizations) AS organizations, (SELECT count(*) FROM users) AS users,
	(SELECT count(*) FROM documents JOIN users ON users.id = author_id AND users.organization_id = documents.organization_id WHERE author_id <> editor_id) AS same;
SELECT email ~ '^[0-9a-z]{8}@example.com$' AS mail FROM users;

-- overrides are values of columns, also of a parent that is there; nothing is made for them
SELECT title, pages, kind, note FROM dbkit.make(NULL::documents, '{"title": "x''\"y", "pages": 17, "kind": "bill", "note": null}');
INSERT INTO organizations VALUES ('org_mine', 'mine');
SELECT organization_id, (SELECT organization_id FROM users WHERE id = author_id) AS before FROM dbkit.make(NULL::documents, '{"organization_id": "org_mine"}');
SELECT DISTINCT users.organization_id FROM documents JOIN users ON users.id IN (author_id, editor_id) WHERE documents.organization_id = 'org_mine';

-- many, in one call: with the same parents, each with its own keys
SELECT count(DISTINCT id) AS ids, count(DISTINCT organization_id) AS organizations, count(DISTINCT author_id) AS authors FROM dbkit.make_many(NULL::documents, 25);
SELECT count(DISTINCT email) AS emails, count(DISTINCT organization_id) AS organizations FROM dbkit.make_many(NULL::users, 25);
SELECT count(*) FROM dbkit.make_many(NULL::users, 0);
SELECT count(*) FROM dbkit.make_many(NULL::organizations, 10001, '{"name": "many"}');
SELECT count(*) FROM organizations WHERE name = 'many';

-- what cannot be is an error that names it
\set VERBOSITY terse
SELECT FROM dbkit.make(NULL::documents, '{"pages": 1}'); -- fails
\set VERBOSITY default
SELECT FROM dbkit.make(NULL::documents, '{"page": 1}'); -- fails
SELECT FROM dbkit.make(NULL::documents, '[]'); -- fails
SELECT FROM dbkit.make(NULL::documents, '{"author_id": "usr_none"}'); -- fails
SELECT FROM dbkit.make(NULL::text); -- fails
SELECT FROM dbkit.make_many(NULL::documents, -1); -- fails
SELECT FROM dbkit.make_many(NULL::documents, NULL); -- fails
CREATE VIEW papers AS SELECT * FROM documents;
SELECT FROM dbkit.make(NULL::papers); -- fails
CREATE TABLE impossible (n int NOT NULL CONSTRAINT never CHECK (n > 5 AND n < 4));
SELECT FROM dbkit.make(NULL::impossible); -- fails
CREATE TABLE unread (n int NOT NULL CONSTRAINT odd CHECK (n % 7 = 3));
SELECT FROM dbkit.make(NULL::unread); -- fails
SELECT * FROM dbkit.make(NULL::unread, '{"n": 10}');
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TABLE kept_out (n int);
CREATE TRIGGER nothing BEFORE INSERT ON kept_out FOR EACH ROW EXECUTE FUNCTION nothing();
SELECT FROM dbkit.make(NULL::kept_out); -- fails

-- keys: of the table itself, composite ones, ones of parents alone, cycles
CREATE TABLE tree (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, parent_id bigint NOT NULL REFERENCES tree);
SELECT id = parent_id AS own FROM dbkit.make_many(NULL::tree, 2);
CREATE TABLE optional_tree (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, parent_id bigint REFERENCES optional_tree);
SELECT * FROM dbkit.make(NULL::optional_tree);
CREATE TABLE folders (id text PRIMARY KEY DEFAULT generate_id('fol'), organization_id text NOT NULL REFERENCES organizations, UNIQUE (organization_id, id));
CREATE TABLE files (id text PRIMARY KEY DEFAULT generate_id('fil'), organization_id text NOT NULL REFERENCES organizations, folder_id text NOT NULL,
	FOREIGN KEY (organization_id, folder_id) REFERENCES folders (organization_id, id));
SELECT count(DISTINCT folder_id) AS folders FROM dbkit.make_many(NULL::files, 3);
CREATE TABLE readers (file_id text REFERENCES files, user_id text REFERENCES users, PRIMARY KEY (file_id, user_id));
SELECT count(*) FROM dbkit.make_many(NULL::readers, 4);
CREATE TABLE hens (id text PRIMARY KEY DEFAULT generate_id('hen'), egg_id bigint NOT NULL);
CREATE TABLE eggs (id bigserial PRIMARY KEY, hen_id text NOT NULL REFERENCES hens DEFERRABLE);
ALTER TABLE hens ADD FOREIGN KEY (egg_id) REFERENCES eggs;
SELECT count(*) FROM dbkit.make(NULL::hens);
SELECT count(*) FROM hens JOIN eggs ON eggs.id = egg_id AND hens.id = hen_id;
CREATE TABLE left_half (id int PRIMARY KEY, right_id int NOT NULL);
CREATE TABLE right_half (id int PRIMARY KEY, left_id int NOT NULL REFERENCES left_half);
ALTER TABLE left_half ADD FOREIGN KEY (right_id) REFERENCES right_half;
SELECT FROM dbkit.make(NULL::left_half); -- fails

-- enum tables and other tables of fixed rows
SELECT dbkit.create_enum('color', ARRAY['red', 'blue']);
CREATE TABLE kinds (kind text PRIMARY KEY CHECK (kind IN ('a', 'b')));
INSERT INTO kinds VALUES ('b');
CREATE TABLE things (color_value text COLLATE "C" NOT NULL REFERENCES color_enum, kind text NOT NULL REFERENCES kinds, UNIQUE (color_value, kind));
SELECT * FROM dbkit.make_many(NULL::things, 2);

-- unique indexes, also partial and of expressions; exclusion constraints
CREATE TABLE bookings (id int PRIMARY KEY, email text NOT NULL, active boolean NOT NULL DEFAULT true, code varchar(3) NOT NULL UNIQUE,
	stay tstzrange NOT NULL, EXCLUDE USING gist (stay WITH &&));
CREATE UNIQUE INDEX ON bookings (lower(email)) WHERE active;
SELECT count(DISTINCT code) AS codes, count(DISTINCT email) AS emails FROM dbkit.make_many(NULL::bookings, 30);
CREATE TABLE one (at int4range NOT NULL, CONSTRAINT alone EXCLUDE USING gist (at WITH &&), CHECK (at = '[1,5)'));
SELECT * FROM dbkit.make(NULL::one);
SELECT FROM dbkit.make(NULL::one); -- fails

-- types
CREATE DOMAIN address AS text CHECK (VALUE ~ '^[a-z0-9._%-]+@[a-z0-9.-]+[.][a-z]{2,4}$');
CREATE DOMAIN amount AS numeric(10,2) NOT NULL CHECK (VALUE > 0);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE pair AS (x int, y text);
CREATE TABLE types (id uuid PRIMARY KEY, e address NOT NULL, am amount, m mood NOT NULL, ms mood[] NOT NULL CHECK (array_length(ms, 1) = 2), p pair NOT NULL,
	ir int4range NOT NULL, dr daterange NOT NULL, mr int4multirange NOT NULL, g int GENERATED ALWAYS AS (1) STORED, i inet NOT NULL, b bytea NOT NULL CHECK (octet_length(b) = 32),
	bi bit(4) NOT NULL, tsv tsvector NOT NULL, iv interval NOT NULL, t time NOT NULL, ch char(2) NOT NULL UNIQUE CHECK (ch = upper(ch)),
	f real NOT NULL CHECK (f > 0 AND f < 1), n numeric(3,3) NOT NULL, j json NOT NULL, jb jsonb NOT NULL CHECK (jsonb_typeof(jb) = 'array'), pt point NOT NULL, nm name NOT NULL, s smallint NOT NULL UNIQUE);
SELECT am, m, ms, p, ir, mr, g, bi, tsv, iv, t, f, n, j, jb FROM dbkit.make(NULL::types);
SELECT count(*) FROM dbkit.make_many(NULL::types, 50);
CREATE TYPE strange;
CREATE FUNCTION strange_in(cstring) RETURNS strange LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION strange_out(strange) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE strange (INPUT = strange_in, OUTPUT = strange_out);
CREATE TABLE strangers (s strange NOT NULL);
SELECT FROM dbkit.make(NULL::strangers); -- fails
SELECT * FROM dbkit.make(NULL::strangers, '{"s": "known"}');

-- CHECKs
CREATE TABLE checked (a text, b text, CHECK (num_nonnulls(a, b) = 1), c int, d int, CHECK ((c IS NULL) <> (d IS NULL)),
	state text NOT NULL DEFAULT 'draft', published_at timestamptz, CHECK (state = 'draft' OR published_at IS NOT NULL),
	low int NOT NULL, high int NOT NULL, CHECK (low < high), starts date NOT NULL, ends date NOT NULL, CHECK (starts < ends),
	between_them int NOT NULL CHECK (between_them BETWEEN 5 AND 7), begun text NOT NULL CHECK (starts_with(begun, 'ab')), pattern text NOT NULL CHECK (pattern LIKE 'x-_%y'),
	id text NOT NULL CHECK (dbkit.is_id(id, 'xyz')), long text NOT NULL CHECK (long = lower(long) AND length(long) > 20), few text NOT NULL CHECK (few NOT IN ('few', 'x')),
	slug text NOT NULL CHECK (slug ~ '^[a-z]{3}(-[0-9]+)+$'), flag boolean NOT NULL CHECK (flag), role text NOT NULL CHECK (CASE WHEN role = 'x' THEN false ELSE role = 'member' END));
SELECT a IS NULL AS a, b IS NULL AS b, c, d, state, published_at, low, high, ends - starts AS days, between_them, flag, role FROM dbkit.make(NULL::checked);
SELECT published_at IS NOT NULL AS published FROM dbkit.make(NULL::checked, '{"state": "published"}');
SELECT low, high FROM dbkit.make(NULL::checked, '{"low": 30}');
SELECT a IS NULL AS a, b FROM dbkit.make(NULL::checked, '{"b": "given"}');

-- partitions: one that is there
CREATE TABLE events (id text NOT NULL DEFAULT generate_id('evt'), at timestamptz NOT NULL DEFAULT now(), kind text NOT NULL, PRIMARY KEY (id, at, kind)) PARTITION BY RANGE (at);
SELECT FROM dbkit.make(NULL::events, '{"at": "2020-01-01", "kind": "x"}'); -- fails
CREATE TABLE events_2020 PARTITION OF events FOR VALUES FROM ('2020-01-01+00') TO ('2020-02-01+00') PARTITION BY LIST (kind);
CREATE TABLE events_2020_x PARTITION OF events_2020 FOR VALUES IN ('x');
SELECT at = '2020-01-01+00' AS at, kind FROM dbkit.make(NULL::events);
SELECT at = '2020-01-01+00' AS at, kind FROM dbkit.make(NULL::events_2020_x);

-- triggers: the row is what they make of it, and what they refuse is tried in another way
CREATE FUNCTION seven() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.n := 7; RETURN NEW; END';
CREATE TABLE changed (n int);
CREATE TRIGGER seven BEFORE INSERT ON changed FOR EACH ROW EXECUTE FUNCTION seven();
SELECT * FROM dbkit.make(NULL::changed);
CREATE FUNCTION choosy() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF NEW.kind = 'first' THEN RAISE 'not the first'; END IF; RETURN NEW; END$$;
CREATE TABLE choosy (kind text NOT NULL CHECK (kind IN ('first', 'second')));
CREATE TRIGGER choosy BEFORE INSERT ON choosy FOR EACH ROW EXECUTE FUNCTION choosy();
SELECT * FROM dbkit.make(NULL::choosy);
SELECT FROM dbkit.make(NULL::choosy, '{"kind": "first"}'); -- fails
CREATE TABLE bases (id text PRIMARY KEY);
CREATE FUNCTION base() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO test_data.bases VALUES (NEW.id); RETURN NEW; END';
CREATE TABLE subtypes (id text PRIMARY KEY REFERENCES bases);
CREATE TRIGGER base BEFORE INSERT ON subtypes FOR EACH ROW EXECUTE FUNCTION base();
SELECT count(*) FROM dbkit.make(NULL::subtypes);

-- names
CREATE TABLE "We ""ird.x" ("a b" text NOT NULL, made int, "ü.'" text NOT NULL UNIQUE, "r" int NOT NULL CHECK ("r" > 3));
SELECT "a b", made, "r" FROM dbkit.make(NULL::"We ""ird.x", '{"a b": "c"}');
\set VERBOSITY terse
SELECT FROM dbkit.make(NULL::"We ""ird.x", '{"r": 1}'); -- fails
\set VERBOSITY default
CREATE TABLE dropped (a int, b int NOT NULL, c int);
ALTER TABLE dropped DROP COLUMN a;
SELECT * FROM dbkit.make(NULL::dropped);
SELECT (dbkit.make_many(NULL::dropped, 2)).b;

-- a role needs what it would need for the INSERTs, and is the one who makes them
CREATE ROLE regress_tester;
GRANT USAGE ON SCHEMA test_data TO regress_tester;
GRANT INSERT, SELECT ON users TO regress_tester;
CREATE TABLE who (role name NOT NULL DEFAULT current_user);
GRANT INSERT, SELECT ON who TO regress_tester;
SET ROLE regress_tester;
SELECT * FROM dbkit.make(NULL::who);
SELECT FROM dbkit.make(NULL::documents); -- fails
SELECT FROM dbkit.make(NULL::users); -- fails
SELECT organization_id FROM dbkit.make(NULL::users, '{"organization_id": "org_mine"}');
RESET ROLE;

-- the entered organization is the tenant
GRANT INSERT, SELECT ON organizations TO regress_tester;
SELECT dbkit.protect('users', role => 'regress_tester');
SET ROLE regress_tester;
BEGIN;
SELECT dbkit.enter(NULL, 'org_mine');
SELECT organization_id FROM dbkit.make(NULL::users);
ROLLBACK;
RESET ROLE;

-- it goes without dbkit, not the other way round
DROP SCHEMA test_data CASCADE;
DROP EXTENSION dbkit; -- fails
DROP EXTENSION dbkit_test;
SELECT count(*) FROM pg_proc WHERE pronamespace = 'dbkit'::regnamespace AND proname LIKE 'make%';
DROP ROLE regress_tester;
