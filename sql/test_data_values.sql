-- The values that dbkit.make finds: for each form of CHECK, pattern, type and partition.
SET client_min_messages = warning;
CREATE EXTENSION dbkit_test;
SELECT dbkit.agree('{"rules": null, "id_style": null}') IS NOT NULL AS agreed;
SET dbkit.enforce = off;
CREATE SCHEMA test_data;
SET search_path = test_data, public;

-- regular expressions and LIKE
CREATE TABLE patterns (a text NOT NULL CHECK (a ~ '^\d{3}-\w+\s[[:upper:]][[:punct:]][[:xdigit:]]{2}$'), b text NOT NULL CHECK (b ~ '\A[^a-z]{4}\Z'), c text NOT NULL CHECK (c ~ '^.{3}\.\D\W\S$'),
	d text NOT NULL CHECK (d ~ '^(|x|yz)[]a]+?\t$'), e text NOT NULL CHECK (e ~ '^[\d.-]{2,}$'), f text NOT NULL CHECK (f LIKE 'a\%b%'), g text NOT NULL CHECK (g ~ '^(?:ab|c)\n?(?!d)e*$'),
	h text NOT NULL CHECK (starts_with(h, '50%_')), i text NOT NULL CHECK (textlike(i, 'x%')), j text NOT NULL CHECK (j ^@ 'y'), k text NOT NULL CHECK (k ~ '^[[a]{2}$'));
SELECT count(*) FROM dbkit.make(NULL::patterns);
CREATE TABLE unread_patterns (a text CHECK (a ~ '['), b text CHECK (b ~ '[[:none:]]'), c text CHECK (c ~ '(a'), d text CHECK (d ~ '(a)\1'), e text CHECK (e ~ 'a{3000}'), f text CHECK (f ~ '(?=a)'),
	g text CHECK (g ~ 'a\'), h text CHECK (h LIKE 'ü%'), i text CHECK (i ~ 'a{'), j text CHECK (j ~ '[^!-~]'), k text CHECK (k !~ 'x'), l text CHECK (l ~ '((a{999}b){999}){999}'));
SELECT * FROM dbkit.make(NULL::unread_patterns);
-- longer texts than anybody has are not made
CREATE TABLE endless (a text NOT NULL CHECK (length(a) > 4294967400 AND a ~ '^(((.*){17}){17}){17}$'));
\set VERBOSITY terse
SELECT FROM dbkit.make(NULL::endless); -- fails
\set VERBOSITY default

-- comparisons, of one side or both
CREATE TABLE comparisons (a int NOT NULL CHECK (5 < a), b int NOT NULL CHECK (b <> 1), c text NOT NULL CHECK (length(c) IN (4, 5)), d text NOT NULL CHECK (length(d) <> 0), e varchar(9) NOT NULL CHECK (e IN ('x', 'y')),
	f int NOT NULL CHECK (f::text = '5'), g text NOT NULL CHECK (g = ANY ('{p,q}')), h text NOT NULL CHECK (h IN ('a', 'b', 'c')), CHECK (h IN ('c', 'd')), i boolean NOT NULL CHECK (i IS NOT TRUE), j boolean NOT NULL CHECK (j IS TRUE),
	k timestamptz NOT NULL CHECK (k > now()), l date NOT NULL CHECK (l < '2000-01-01'), m int NOT NULL DEFAULT 1 CHECK (m > 3), n int DEFAULT 7 CHECK (n IS NULL), o int NOT NULL, p int NOT NULL DEFAULT 5, CHECK (o < p), q int NOT NULL, CHECK (q <= o),
	r int UNIQUE NOT NULL CHECK (r < 0), s text DEFAULT NULL, t text NOT NULL DEFAULT 'x' CHECK (t <> 'x'), u timestamptz NOT NULL CHECK (u < '1999-01-01'),
	v timestamptz NOT NULL, w timestamptz NOT NULL DEFAULT now(), CHECK (v < w), x timestamptz NOT NULL DEFAULT now(), CHECK (w = x));
SELECT a, b, length(c) AS c, e, f, g, h, i, j, l < '2000-01-01' AS l, m, n, o < p AS o, q <= o AS q, r < 0 AS r, t <> 'x' AS t FROM dbkit.make(NULL::comparisons);
SELECT count(*) FROM dbkit.make_many(NULL::comparisons, 20);
CREATE TABLE debts (n int PRIMARY KEY CHECK (n <= 0), r numeric NOT NULL UNIQUE CHECK (r BETWEEN 0 AND 0.5));
SELECT count(*) FROM dbkit.make_many(NULL::debts, 20);
CREATE TABLE unread (a int, b int, c text, d text, arr int[] NOT NULL DEFAULT '{1}', j jsonb, CHECK (a % 2 IN (1, 3)), CHECK (arr @> '{1}'), CHECK (NOT ('{2}' @> arr)), CHECK (CASE a WHEN 1 THEN b > 1 ELSE true END),
	CHECK (isfinite(now())), CHECK (coalesce(a, 1) > 0), CHECK (coalesce(a > 0, true)), CHECK ((a > 1) IS UNKNOWN), CHECK (length(c) = length(d)), CHECK (length(c || d) > 3), CHECK (c > 'm'), CHECK (left(c, 2) <> 'ab'),
	CHECK (jsonb_typeof(j) <> 'array'), CHECK (c IN ('a', d)), CHECK (d = ANY ('{a,NULL}')), CHECK (c = ANY (ARRAY['a', d])), CHECK (num_nonnulls(c || 'x', d) < 2), CHECK (a = b), CHECK ((c || 'x' IS NULL)), CHECK (a < b OR a IS DISTINCT FROM 5));
SELECT * FROM dbkit.make(NULL::unread);

-- conditions of conditions, and how many columns are null
CREATE TABLE counted (a text, b text, CHECK ((a IS NOT NULL)::int + (b IS NOT NULL)::int = 1), c text, d text, CHECK (CASE WHEN c IS NOT NULL THEN 1 ELSE 0 END + CASE WHEN d IS NOT NULL THEN 1 ELSE 0 END + 1 >= 3),
	e text, f text, CHECK (num_nonnulls(VARIADIC ARRAY[e, f]) <> 0), g text DEFAULT 'x', h text DEFAULT 'y', CHECK (num_nonnulls(g, h) <= 1), flag boolean NOT NULL, why text, CHECK ((flag IS TRUE) = (why IS NOT NULL)),
	i int, k int, CHECK ((i > 0)::int + (k > 0)::int < 5), CHECK ((a || b IS NOT NULL)::int < 5),
	l int NOT NULL DEFAULT 1, m int, CHECK (l IS NULL OR m IS NULL), n int NOT NULL DEFAULT 1, o text, CHECK (n > 3 OR o IS NOT NULL));
SELECT num_nonnulls(a, b) AS one, num_nonnulls(c, d) AS two, num_nonnulls(e, f) > 0 AS some, num_nonnulls(g, h) < 2 AS few, flag = (why IS NOT NULL) AS why FROM dbkit.make(NULL::counted);
SELECT flag, why IS NOT NULL AS why FROM dbkit.make(NULL::counted, '{"flag": true}');
SELECT num_nonnulls(a, b) AS one FROM dbkit.make(NULL::counted, '{"a": null}');
CREATE TABLE given (j jsonb CHECK (j <> '[]'), flag boolean CHECK (flag));
SELECT * FROM dbkit.make(NULL::given, '{"j": {"a": [1]}, "flag": true}');
SELECT * FROM dbkit.make(NULL::given, NULL);

-- what cannot be met: the INSERT says so
CREATE TABLE no_arm (k text NOT NULL CHECK (k IN ('a', 'b') AND (k = 'c' OR k = 'd')));
\set VERBOSITY terse
SELECT FROM dbkit.make(NULL::no_arm); -- fails
CREATE TABLE no_value (k text NOT NULL CHECK (k IN ('a', 'b')), CHECK (k NOT IN ('a', 'b')));
SELECT FROM dbkit.make(NULL::no_value); -- fails
\set ECHO none
SELECT format('CREATE TABLE many_arms (z text NOT NULL, %s, CONSTRAINT many CHECK (%s AND z = ''p'' AND z = ''q''))', string_agg(format('a%s text', n), ', '), string_agg(format('(a%s = ''x'' OR a%1$s = ''y'')', n), ' AND '))
	FROM generate_series(1, 16) AS n \gexec
\set ECHO all
SELECT FROM dbkit.make(NULL::many_arms); -- fails
\set VERBOSITY default
\set ECHO none
SELECT format('CREATE TABLE long (a text NOT NULL CHECK (a <> %L))', repeat('x', 300000)) \gexec
SELECT format('CREATE TABLE deep (a text NOT NULL CHECK (a <> %s))', repeat('(''a'' || ', 600) || '''b''' || repeat(')', 600)) \gexec
\set ECHO all
SELECT (SELECT count(*) FROM dbkit.make(NULL::long)) AS long, (SELECT count(*) FROM dbkit.make(NULL::deep)) AS deep;
CREATE DOMAIN odd AS int CONSTRAINT odd CHECK (VALUE % 7 = 3);
CREATE TABLE odds (n odd NOT NULL);
SELECT FROM dbkit.make(NULL::odds); -- fails
CREATE TABLE two (a int, b int NOT NULL, UNIQUE (a, b));
INSERT INTO two VALUES (1, 1);
SELECT FROM dbkit.make(NULL::two, '{"a": 1, "b": 1}'); -- fails
SELECT FROM dbkit.make(NULL::two, '{"b": null}'); -- fails

-- types, some of them of extensions
CREATE TYPE vector;
CREATE FUNCTION vector_in(cstring) RETURNS vector LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION vector_out(vector) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE vector (INPUT = vector_in, OUTPUT = vector_out);
CREATE TYPE semver;
CREATE FUNCTION semver_in(cstring) RETURNS semver LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION semver_out(semver) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE semver (INPUT = semver_in, OUTPUT = semver_out);
CREATE TYPE ltree;
CREATE FUNCTION ltree_in(cstring) RETURNS ltree LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION ltree_out(ltree) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE ltree (INPUT = ltree_in, OUTPUT = ltree_out);
CREATE TYPE textrange AS RANGE (SUBTYPE = text);
CREATE TYPE shrunk AS (a int, b int, c int);
ALTER TYPE shrunk DROP ATTRIBUTE b;
CREATE TYPE quoted AS ENUM ('a"\b');
CREATE DOMAIN seven AS int DEFAULT 7 NOT NULL;
CREATE TABLE types (v vector NOT NULL, s semver NOT NULL, l ltree NOT NULL, tr textrange NOT NULL, sh shrunk NOT NULL, q quoted[] NOT NULL CHECK (cardinality(q) = 1), d seven, ip text NOT NULL, ch "char" NOT NULL, mac macaddr NOT NULL,
	mac8 macaddr8 NOT NULL, bits bit(40) NOT NULL UNIQUE, lsn pg_lsn NOT NULL, n1_ text NOT NULL);
SELECT v, s, sh, q, d, ip, ch ~ '[a-z]' AS ch, mac::text LIKE '02:00:%' AS mac, bits IS NOT NULL AS bits FROM dbkit.make(NULL::types);

-- partitions: by list with null, by range of texts, by hash, with a default that decides
CREATE TABLE of_null (k text) PARTITION BY LIST (k);
CREATE TABLE of_null_1 PARTITION OF of_null FOR VALUES IN (NULL);
\set VERBOSITY terse
SELECT FROM dbkit.make(NULL::of_null); -- fails
\set VERBOSITY default
SELECT * FROM dbkit.make(NULL::of_null, '{"k": null}');
CREATE TABLE of_text (k text NOT NULL, n int) PARTITION BY RANGE (k, n);
CREATE TABLE of_text_1 PARTITION OF of_text FOR VALUES FROM ('b', MINVALUE) TO ('c', MAXVALUE);
SELECT * FROM dbkit.make(NULL::of_text);
CREATE TABLE of_number (n int NOT NULL DEFAULT 15) PARTITION BY RANGE (n);
CREATE TABLE of_number_1 PARTITION OF of_number FOR VALUES FROM (1) TO (10);
CREATE TABLE of_number_2 PARTITION OF of_number FOR VALUES FROM (10) TO (20) PARTITION BY HASH (n);
CREATE TABLE of_number_2_1 PARTITION OF of_number_2 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE of_number_3 PARTITION OF of_number FOR VALUES FROM (20) TO (30);
SELECT * FROM dbkit.make(NULL::of_number);
CREATE TABLE of_expression (n int NOT NULL) PARTITION BY RANGE ((n + 1));
CREATE TABLE of_expression_1 PARTITION OF of_expression FOR VALUES FROM (MINVALUE) TO (10);
SELECT * FROM dbkit.make(NULL::of_expression);

-- references: by a default, to itself, deferred, to a parent that is there or that a trigger inserts with its child
CREATE TABLE kinds (kind text PRIMARY KEY);
CREATE TABLE kinded (id int PRIMARY KEY, kind text NOT NULL DEFAULT 'usual' REFERENCES kinds);
SELECT kind FROM dbkit.make(NULL::kinded);
CREATE TABLE nodes (org int NOT NULL, id int, parent int NOT NULL, PRIMARY KEY (org, id), FOREIGN KEY (org, parent) REFERENCES nodes (org, id));
SELECT id = parent AS own FROM dbkit.make(NULL::nodes, '{"org": 5}');
CREATE TABLE hens (id int PRIMARY KEY, egg_id int NOT NULL);
CREATE TABLE eggs (id int PRIMARY KEY, hen_id int NOT NULL REFERENCES hens DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE hens ADD FOREIGN KEY (egg_id) REFERENCES eggs;
SELECT egg_id IS NOT NULL AS egg FROM dbkit.make(NULL::hens);
SELECT count(*) FROM dbkit.make(NULL::eggs, '{"id": 5}');
-- the cycle the other way round: the number that the caller gave is the one that the parent references
ALTER TABLE hens DROP CONSTRAINT hens_egg_id_fkey, ADD FOREIGN KEY (egg_id) REFERENCES eggs DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE eggs DROP CONSTRAINT eggs_hen_id_fkey, ADD FOREIGN KEY (hen_id) REFERENCES hens;
SELECT id FROM dbkit.make(NULL::eggs, '{"id": 6}');
SELECT egg_id FROM hens JOIN eggs ON hen_id = hens.id WHERE eggs.id = 6;
CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'never'; END$$;
CREATE TABLE closed (id int PRIMARY KEY);
INSERT INTO closed VALUES (3);
CREATE TRIGGER never BEFORE INSERT ON closed FOR EACH ROW EXECUTE FUNCTION never();
CREATE TABLE open (id int PRIMARY KEY, closed_id int NOT NULL REFERENCES closed);
SELECT closed_id FROM dbkit.make(NULL::open);

-- a referenced column that may be null: the parent gets a value, and a row without one is passed over
CREATE TABLE coded (id int PRIMARY KEY, code text UNIQUE, note jsonb UNIQUE);
CREATE TABLE by_code (code text NOT NULL REFERENCES coded (code));
CREATE TABLE by_note (note jsonb PRIMARY KEY REFERENCES coded (note));
SELECT code IS NOT NULL AS code FROM dbkit.make(NULL::by_code);
SELECT count(DISTINCT note) AS notes FROM dbkit.make_many(NULL::by_note, 3);
CREATE FUNCTION blank() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.code = NULL; NEW.note = NULL; RETURN NEW; END$$;
CREATE TRIGGER blank BEFORE INSERT ON coded FOR EACH ROW EXECUTE FUNCTION blank();
SELECT FROM dbkit.make(NULL::by_code); -- fails
SELECT FROM dbkit.make(NULL::by_note); -- fails
ALTER TABLE closed ADD code text, ADD part text, ADD UNIQUE (code, part);
CREATE TABLE by_closed (code text NOT NULL, part text NOT NULL, FOREIGN KEY (code, part) REFERENCES closed (code, part));
\set VERBOSITY terse
SELECT FROM dbkit.make(NULL::by_closed); -- fails
\set VERBOSITY default
ALTER TABLE closed DISABLE TRIGGER never;
INSERT INTO closed VALUES (4, 'four', NULL), (5, 'five', 'a');
ALTER TABLE closed ENABLE TRIGGER never;
SELECT * FROM dbkit.make(NULL::by_closed);
-- a subtype without a base is of no use to who needs the base
CREATE TABLE bases (id int PRIMARY KEY);
CREATE TABLE of_base (id int PRIMARY KEY, base_id int UNIQUE REFERENCES bases);
CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
CREATE TRIGGER pass BEFORE INSERT ON of_base FOR EACH ROW EXECUTE FUNCTION pass();
CREATE TABLE needs_base (id int PRIMARY KEY, base_id int NOT NULL REFERENCES bases);
CREATE TRIGGER never BEFORE INSERT ON needs_base FOR EACH ROW EXECUTE FUNCTION never();
\set VERBOSITY terse
SELECT FROM dbkit.make(NULL::needs_base); -- fails
\set VERBOSITY default

CREATE TABLE members (id int PRIMARY KEY);
CREATE TABLE profiles (id int PRIMARY KEY REFERENCES members, told text NOT NULL DEFAULT 'me');
CREATE FUNCTION profile() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO test_data.profiles VALUES (NEW.id, 'trigger'); RETURN NULL; END$$;
CREATE TRIGGER profile AFTER INSERT ON members FOR EACH ROW EXECUTE FUNCTION profile();
SELECT told FROM dbkit.make(NULL::profiles);
CREATE TABLE regions (area int, id int, PRIMARY KEY (area, id));
CREATE TABLE trips (id int PRIMARY KEY, area_a int NOT NULL CHECK (area_a = 1), a int NOT NULL, area_b int NOT NULL CHECK (area_b = 2), b int NOT NULL,
	FOREIGN KEY (area_a, a) REFERENCES regions, FOREIGN KEY (area_b, b) REFERENCES regions);
SELECT count(*) FROM dbkit.make(NULL::trips);

-- what depends on a context is no default without one
CREATE TABLE contexts (a text NOT NULL DEFAULT current_setting('test.none', true), b text NOT NULL DEFAULT coalesce(dbkit.organization_id(), 'x'), c text NOT NULL DEFAULT current_setting('server_version_num'),
	d text NOT NULL DEFAULT CASE WHEN true THEN 'x' END);
SELECT a IS NOT NULL AS a, b IS NOT NULL AS b, c::int > 0 AS c FROM dbkit.make(NULL::contexts);

DROP SCHEMA test_data CASCADE;
DROP EXTENSION dbkit_test;
