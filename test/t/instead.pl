# A refused CREATE TABLE is answered with the table as it should be: the HINT runs as it stands,
# the table is there, and dbkit.check() has nothing to say.  Names, order, defaults, constraints,
# partitioning and storage are kept.  Where there can be no such text the HINT says why.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dbkit'\nclient_min_messages = warning");
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE customer');
$node->safe_psql('postgres', 'CREATE DATABASE base');
$node->safe_psql('base', <<'SQL');
CREATE EXTENSION btree_gist;
CREATE EXTENSION dbkit;
SELECT dbkit.agree('{"preset": "house"}');
BEGIN;
CREATE TABLE organizations (
	id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('org') CHECK (id LIKE 'org_%'),
	created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb);
CREATE TABLE users (
	id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('usr') CHECK (id LIKE 'usr_%'),
	created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb,
	organization_id text COLLATE "C" NOT NULL REFERENCES organizations ON DELETE CASCADE);
CREATE INDEX ON users (organization_id);
CREATE TRIGGER updated_at BEFORE UPDATE ON organizations FOR EACH ROW EXECUTE FUNCTION updated_at();
CREATE TRIGGER updated_at BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION updated_at();
SELECT dbkit.protect('organizations'), dbkit.protect('users');
COMMIT;
SET dbkit.enforce = off;
CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy');
CREATE ACCESS METHOD other_heap TYPE TABLE HANDLER heap_tableam_handler;
CREATE TYPE pair AS (a int, b text);
CREATE FUNCTION one() RETURNS int LANGUAGE plpgsql AS $$ BEGIN CREATE TEMP TABLE inner_one AS SELECT 1; RETURN 1; END $$;
CREATE DOMAIN positive AS bigint CHECK (VALUE > 0);
CREATE DOMAIN small AS int;
CREATE FUNCTION short(text) RETURNS text IMMUTABLE LANGUAGE sql RETURN "left"($1, 3);
CREATE TABLE legacy (id int PRIMARY KEY, name varchar(30) DEFAULT 'x', at timestamp);
CREATE INDEX ON legacy (lower(name)) WHERE id > 0;
CREATE INDEX legacy_at ON legacy (at DESC);
CREATE STATISTICS legacy_stats ON id, name FROM legacy;
COMMENT ON COLUMN legacy.name IS 'what it''s called';
ALTER TABLE legacy ALTER name SET STORAGE EXTERNAL;
CREATE TABLE parent (note text, number bigint NOT NULL DEFAULT 7, CHECK (number > 0));
CREATE TABLE noted (n bigint CONSTRAINT is_positive CHECK (n > 0), name text PRIMARY KEY);
CREATE INDEX noted_n ON noted (n);
COMMENT ON CONSTRAINT is_positive ON noted IS 'it''s so';
COMMENT ON CONSTRAINT noted_pkey ON noted IS 'the key';
COMMENT ON INDEX noted_n IS 'for n';
COMMENT ON INDEX noted_pkey IS 'for the key';
CREATE TABLE small_parent (number int);
CREATE TABLE classed (n int);
CREATE INDEX ON classed USING brin (n int4_minmax_multi_ops);
CREATE TABLE numbered (number bigint PRIMARY KEY, code text COLLATE "C" UNIQUE);
CREATE TABLE no_enum_enum (a text);
CREATE TYPE no_enum AS ENUM ('a');
CREATE TABLE mood_enum_like (value text PRIMARY KEY);
INSERT INTO legacy VALUES (1, 'one', '2020-01-01'), (2, 'two', '2021-01-01');
RESET dbkit.enforce;
SELECT dbkit.baseline();
SQL

my $long_enum = 'm' x 60;
$node->safe_psql('postgres', 'SET allow_in_place_tablespaces = on; CREATE TABLESPACE regress_space LOCATION \'\'');
$node->safe_psql('base', "SET dbkit.enforce = off; CREATE TYPE $long_enum AS ENUM ('a'); SELECT dbkit.baseline()");

my $id = q{id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('wid') CHECK (id LIKE 'wid_%')};
my $clocks = 'created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb';
my $organization = 'organization_id text COLLATE "C" NOT NULL REFERENCES organizations ON DELETE CASCADE';
my $o = $organization;

# What is refused, and what must be true of the table "t" afterwards.  Those of the first list have
# a column that says whose a row is, or make nobody's policy; those of the second are for a person to decide.
my @cases = (
	# a plain table, all that can be missing or wrong
	["CREATE TABLE t ($o)"],
	["CREATE TABLE t ($o, id int PRIMARY KEY)"],
	["CREATE TABLE t ($o, id serial PRIMARY KEY, n serial)", q{n|bigint|nextval('t_n_seq'::regclass)}],
	# what only COMMIT demands, at the end of a statement outside a transaction block
	["CREATE TABLE t ($id, $clocks, $o)"],
	["CREATE TABLE t ($o, id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL DEFAULT 'x''y')", q{name|text|'x''y'::text}],
	["CREATE TABLE t ($o, id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)"],
	["CREATE TABLE t ($o, id varchar(30) PRIMARY KEY)"],
	["CREATE TABLE t ($o, id text PRIMARY KEY)"],
	["CREATE TABLE t ($o, id text COLLATE \"C\", $clocks)"],
	["CREATE TABLE t ($o, id text COLLATE \"C\" UNIQUE, $clocks)"],
	["CREATE TABLE t ($o, id text COLLATE \"C\" PRIMARY KEY DEFAULT 'x', $clocks)"],
	["CREATE TABLE t ($o, id text COLLATE \"C\" PRIMARY KEY DEFAULT generate_id('wid'), $clocks)"],
	["CREATE TABLE t ($o, id text COLLATE \"C\" PRIMARY KEY DEFAULT generate_id('wid') CHECK (id LIKE 'wdg_%'), $clocks)"],
	["CREATE TABLE t ($o, id text COLLATE \"C\" PRIMARY KEY DEFAULT generate_id('widget') CHECK (id LIKE 'widget_%'), $clocks)"],
	["CREATE TABLE t ($o, id text COLLATE \"C\" PRIMARY KEY DEFAULT generate_id('usr') CHECK (id LIKE 'usr_%'), $clocks)"],
	["CREATE TABLE t ($o, id text COLLATE \"C\" PRIMARY KEY DEFAULT generate_id('usr') CHECK (id LIKE 'wid_%'), $clocks)"],
	["CREATE TABLE t ($o, $id)"],
	["CREATE TABLE t ($o, $id, created_at timestamp, updated_at date DEFAULT now(), storytime json)"],
	["CREATE TABLE t ($o, $id, created_at timestamptz, updated_at timestamptz NOT NULL, storytime text DEFAULT '{}')"],
	["CREATE TABLE t ($o, $id, created_at int, updated_at text, storytime jsonb NOT NULL DEFAULT '{}')", q{storytime|jsonb|'{}'::jsonb}],
	# types
	["CREATE TABLE t ($o, a int, b smallint DEFAULT 3, c int[] DEFAULT '{1}', d int4range, e timestamp DEFAULT now(), f timestamp[], g tsrange)",
		q{a|bigint|,b|bigint|3,c|bigint[]|'{1}'::bigint[],d|int8range|,e|timestamp with time zone|now(),f|timestamp with time zone[]|,g|tstzrange|}],
	["CREATE TABLE t ($o, p positive, n numeric(12, 2) DEFAULT 1.5, v varchar(10) COLLATE \"POSIX\", i interval(3), b bit varying(5))",
		q{p|positive|,n|numeric(12,2)|1.5,v|character varying(10)|,i|interval(3)|,b|bit varying(5)|}],
	["CREATE TABLE t ($o, feeling mood NOT NULL DEFAULT 'happy', other mood)", q{feeling|text|'happy'::text}],
	["CREATE TABLE t ($o, owner_id uuid, x_extid int)"],
	["CREATE TABLE t ($o, owner_id int DEFAULT 1, UNIQUE (owner_id, a), a int)"],
	["CREATE TABLE t ($o, a int GENERATED ALWAYS AS IDENTITY (START 10 INCREMENT 5 CYCLE), b int GENERATED BY DEFAULT AS IDENTITY (MAXVALUE 100))"],
	["CREATE TABLE t ($o, a int GENERATED ALWAYS AS IDENTITY (INCREMENT -1))"],
	# generated columns
	["CREATE TABLE t ($o, price int, amount int, total int GENERATED ALWAYS AS (price * amount) STORED)", q{total|bigint|(price * amount)}],
	["CREATE TABLE t ($o, at timestamp, day date GENERATED ALWAYS AS (at::date) STORED)"],
	["CREATE TABLE t ($o, name text, code text GENERATED ALWAYS AS (short(name)) STORED)", q{code|text|short(name)}],
	["CREATE TABLE t ($o, $id, created_at timestamptz GENERATED ALWAYS AS ('2020-01-01 00:00+00'::timestamptz) STORED)"],
	# constraints
	["CREATE TABLE t ($o, n int CHECK (n > 0), CHECK (n < 10), CONSTRAINT \"not seven\" CHECK (n <> 7) NO INHERIT, a text, CHECK (a <> '' OR n > 3))",
		undef, 'not seven,t_check,t_id_check,t_n_check,t_n_check1'],
	["CREATE TABLE t ($o, sku text PRIMARY KEY, name text UNIQUE)", undef, 't_id_check,t_sku_key', 't_name_key,t_organization_id_fkey,t_pkey,t_sku_key'],
	["CREATE TABLE t ($o, a bigint, b text, CONSTRAINT mine PRIMARY KEY (b, a) INCLUDE (c), c text)"],
	["CREATE TABLE t ($o, a bigint, b text UNIQUE DEFERRABLE INITIALLY DEFERRED, UNIQUE NULLS NOT DISTINCT (a), CONSTRAINT u UNIQUE (a, b) INCLUDE (c) WITH (fillfactor = 60), c text)"],
	["CREATE TABLE t ($o, id int PRIMARY KEY CHECK (id > 0), parent_id int REFERENCES t (id) ON DELETE SET NULL)"],
	["CREATE TABLE t ($o, user_id text COLLATE \"C\" REFERENCES users, PRIMARY KEY (user_id, organization_id))"],
	["CREATE TABLE t (organization_id text REFERENCES organizations, user_id text REFERENCES users ON UPDATE CASCADE DEFERRABLE, CONSTRAINT pk PRIMARY KEY (organization_id, user_id))"],
	["CREATE TABLE t (organization_id text COLLATE \"C\", user_id text COLLATE \"C\" NOT NULL, FOREIGN KEY (organization_id) REFERENCES organizations, CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id) MATCH FULL)"],
	["CREATE TABLE \"a ADD CONSTRAINT b \" ($o, \"n\nDROP TABLE users; --\" uuid CHECK (\"n\nDROP TABLE users; --\" IS NOT NULL), x_id uuid CHECK (x_id <> '00000000-0000-0000-0000-000000000000' OR \"n\nDROP TABLE users; --\" IS NULL), CONSTRAINT b UNIQUE (x_id))", undef, undef, undef, undef, '"a ADD CONSTRAINT b "'],
	["CREATE TABLE t ($o, room int, during tsrange, EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (room > 0))"],
	["CREATE TABLE t ($o, a int, CONSTRAINT \"no \"\"two\" EXCLUDE (a WITH =) DEFERRABLE)"],
	["CREATE TABLE t ($o, a int CONSTRAINT \"Must\" NOT NULL, b int NULL)"],
	["CREATE TABLE t ($o, id serial PRIMARY KEY, parent_id int REFERENCES t, other int REFERENCES t)", q{other|text|}],
	["CREATE TABLE t ($o, a text, CONSTRAINT t_id_check CHECK (a <> ''), CONSTRAINT t_pkey UNIQUE (a))"],
	["CREATE TABLE t ($o, id text COLLATE \"C\", b text, CONSTRAINT uu UNIQUE (id) INCLUDE (b), $clocks)", undef, undef, 't_organization_id_fkey,t_pkey,uu'],
	# types that the agreement has to ask for
	["CREATE TABLE t ($o, a varchar(10) NOT NULL DEFAULT 'x', \"b c\" char(3), d varchar(4)[], e varchar, f json DEFAULT '{}', g json[], h money DEFAULT 1, i varchar(5) CONSTRAINT i CHECK (i <> ''))",
		q{a|text|'x'::character varying,d|text[]|,e|character varying|,f|jsonb|'{}'::jsonb,g|jsonb[]|,h|numeric|1,i|text|}, 'i,t_a_check,t_b c_check,t_i_check,t_id_check', undef, undef, undef, undef, undef, 'text_type=error, jsonb_type=error, money_type=error'],
	["CREATE TABLE t ($o, a varchar(10) PRIMARY KEY, at_id varchar(9), b varchar(3) GENERATED ALWAYS AS (\"left\"(a, 3)) STORED) PARTITION BY LIST (a)", undef, undef, undef, undef, undef, undef, undef, 'text_type=error'],
	["CREATE TABLE t ($o, a int REFERENCES numbered, \"b c\" varchar(3) REFERENCES numbered (code), d text COLLATE \"POSIX\" DEFAULT 'x' REFERENCES numbered (code))",
		q{a|bigint|,d|text|'x'::text}, undef, undef, undef, undef, "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname IN ('b c', 'd') AND attcollation = '\"C\"'::regcollation", '2', 'fk_type=error'],
	["CREATE TABLE t ($o, \"fooBar\" int NOT NULL DEFAULT 7, \"Zip Code\" mood, c text)", q{foo_bar|bigint|7,zip_code|mood|}, undef, undef, undef, undef, undef, undef, 'snake_case=error, enum_type=off'],
	# what was written for another type
	["CREATE TABLE t ($o, y int, m int, d date GENERATED ALWAYS AS (make_date(y, m, 1)) STORED)"],
	["CREATE TABLE t ($o, n int CHECK (n > 0.5 AND n IN (1, 2, 3)), name text, CHECK (repeat('x', n) <> name))", undef, 't_id_check,t_n_check'],
	["CREATE TABLE t ($o, a int[] CHECK (a <@ ARRAY[1, 2, 3]), r int4range CHECK (r <@ '[1,10)'::int4range), b int[] CHECK (b IS NOT NULL))", undef, 't_b_check,t_id_check'],
	["CREATE TABLE t ($o, during tsrange, d date GENERATED ALWAYS AS (lower(during)::date) STORED)"],
	["CREATE TABLE t ($o, starts timestamp CHECK (starts > '2020-01-01'), ends timestamp, EXCLUDE USING gist (tsrange(starts, ends) WITH &&))", undef, 't_id_check,t_starts_check'],
	["CREATE TABLE t ($o, during tsrange, EXCLUDE USING gist (during WITH &&) WHERE (lower(during) > '2020-01-01'))"],
	["CREATE TABLE t ($o, at timestamp(0) DEFAULT (now() AT TIME ZONE 'utc'), more timestamp(3)[])", q{at|timestamp(0) with time zone|now(),more|timestamp(3) with time zone[]|}],
	["CREATE TABLE t (LIKE noted INCLUDING ALL, $o)", undef, undef, undef, undef, undef,
		"SELECT string_agg(description, ', ' ORDER BY description) FROM pg_description d LEFT JOIN pg_constraint c ON c.oid = objoid LEFT JOIN pg_index i ON i.indexrelid = objoid WHERE 't'::regclass IN (conrelid, indrelid)", "for n, it's so"],
	["CREATE TABLE t (LIKE classed INCLUDING ALL, $o)"],
	# storage
	["CREATE UNLOGGED TABLE t ($o) WITH (fillfactor = 70, autovacuum_enabled = off, toast.autovacuum_enabled = off)"],
	["CREATE TABLE t ($o, a text COMPRESSION pglz, b bytea)"],
	["CREATE TABLE t ($o) TABLESPACE pg_default"],
	# made of others
	["CREATE TABLE t (LIKE legacy, $o)"],
	["CREATE TABLE t (LIKE legacy INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING COMMENTS INCLUDING STATISTICS, $o)", q{name|character varying(30)|'x'::character varying}],
	["CREATE TABLE t (LIKE legacy INCLUDING ALL, $o)"],
	["CREATE TABLE t (LIKE users INCLUDING ALL)"],
	["CREATE TABLE t ($o) INHERITS (parent)", 'number|bigint|7'],
	["CREATE TABLE t ($o, number bigint DEFAULT 8) INHERITS (parent)", 'number|bigint|8'],
	["CREATE TABLE t ($o, lower_at timestamptz, upper_at timestamptz, EXCLUDE USING gist (tstzrange(lower_at, upper_at) WITH &&))"],
	["CREATE TABLE t ($o, created_at mood)"],
	["CREATE TABLE t ($o, owner_id text, own text GENERATED ALWAYS AS (owner_id || 'x') STORED)"],
	["CREATE TABLE t ($o) USING other_heap", undef, undef, undef, undef, undef, "SELECT amname FROM pg_am JOIN pg_class c ON c.relam = pg_am.oid WHERE c.oid = 't'::regclass", 'other_heap'],
	["CREATE TABLE t ($o) TABLESPACE regress_space", undef, undef, undef, undef, undef, "SELECT spcname FROM pg_tablespace s JOIN pg_class c ON c.reltablespace = s.oid WHERE c.oid = 't'::regclass", 'regress_space'],
	# partitioned
	["CREATE TABLE t ($o, at timestamptz NOT NULL) PARTITION BY RANGE (at)"],
	["CREATE TABLE t ($o, at timestamp) PARTITION BY RANGE (at)"],
	["CREATE TABLE t ($o, n int, region text, PRIMARY KEY (n, region)) PARTITION BY LIST (region)"],
	["CREATE TABLE t ($o, id int) PARTITION BY HASH (id, organization_id)"],
	# CREATE TABLE AS
	["CREATE TABLE t AS SELECT id AS organization_id, 1 AS n FROM organizations"],
	["CREATE TABLE t (organization_id, a, b) AS SELECT o.id, l.id, l.at FROM legacy l CROSS JOIN organizations o WITH NO DATA"],
	["SELECT o.id AS organization_id, l.name INTO t FROM legacy l, organizations o"],
	["CREATE UNLOGGED TABLE t WITH (fillfactor = 50) AS SELECT u.* FROM users u"],
	["CREATE TABLE t AS WITH x AS (SELECT 1 AS n, 'a \\ b'::text AS \"A b\") SELECT x.*, o.id AS organization_id FROM x, organizations o WHERE o.id LIKE 'org%' ORDER BY 1"],
	["CREATE TABLE t AS VALUES ('org_00000000000000000000000000', 1)", undef, undef, undef, 'undecided'],
	["CREATE TABLE t AS SELECT id AS organization_id, int4range(1, 2) AS r, tsrange('2020-01-01', NULL) AS s, '{}'::text AS storytime FROM organizations"],
	["CREATE TABLE t AS SELECT id FROM organizations", undef, undef, undef, 'undecided'],
	# hostile names
	["CREATE TABLE \"t\" ($o, \"select\" int, \"a\"\"b\" int CHECK (\"a\"\"b\" > 0), \"a.b\" int UNIQUE, \"Ünï\" int, \"%s\" int DEFAULT 1, \"\\\" int, \"-- x\" int, \"\$\$\" int, \"' \" text DEFAULT '\$\$ \"')"],
	["CREATE TABLE t ($o, \"" . 'x' x 63 . "\" int CHECK (\"" . 'x' x 63 . "\" > 0), \"" . 'ü' x 31 . "\" int UNIQUE)"],
	["CREATE SCHEMA x AUTHORIZATION customer CREATE TABLE t (n int) CREATE SEQUENCE q", undef, undef, undef, 'undecided', 'x.t', "SELECT relowner::regrole FROM pg_class WHERE oid = 'x.t'::regclass", 'customer'],
	["CREATE SCHEMA x AUTHORIZATION CURRENT_USER CREATE TABLE t ($o)", undef, undef, undef, undef, 'x.t'],
	["CREATE SCHEMA \"s \"\".x\" CREATE TABLE \"t\" ($o, n int) CREATE INDEX \"i x\" ON t (n)", undef, undef, undef, undef, '"s "".x".t'],
	# rows that are nobody's organization's
	["CREATE TABLE t (user_id text REFERENCES users)"],
	["CREATE TABLE t_enum (value int, label text PRIMARY KEY)", undef, undef, undef, undef, 't_enum'],
	["CREATE TABLE t_enum (label text)", undef, undef, undef, undef, 't_enum'],
	["CREATE TABLE t ()", undef, undef, undef, 'undecided'],
	["CREATE TABLE t (a int, b text)", undef, undef, undef, 'undecided'],
	["CREATE TABLE t (LIKE parent INCLUDING ALL)", undef, undef, undef, 'undecided'],
	["CREATE TABLE t AS SELECT * FROM legacy", undef, undef, undef, 'undecided'],
);

my $count = 0;
sub fresh
{
	my $database = 'try_' . $count++;
	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE base");
	return $database;
}

# Return the HINT of the error that a statement gets.
sub hint_of
{
	my ($database, $sql) = @_;
	my (undef, undef, $err) = $node->psql($database, $sql);
	return $err =~ /KD001|schema convention/ && $err =~ /^HINT:  (.*?)(?=^(?:CONTEXT|LINE \d+|STATEMENT):|\z)/ms ? $1 : "no HINT: $err";
}

my $undecided = 0;
for my $case (@cases)
{
	my ($sql, $columns, $checks, $keys, $decision, $table, $query, $answer, $levels) = @$case;
	my $database = fresh();
	$node->safe_psql('postgres', "ALTER DATABASE $database SET dbkit.rule_levels = '$levels'") if $levels;
	$node->safe_psql($database, 'SELECT dbkit.baseline()') if $levels;
	my $hint = hint_of($database, $sql);
	my (undef, undef, $err) = $node->psql($database, $hint, on_error_stop => 1);
	is($err, '', "$sql: the HINT runs") or diag($hint);
	is($node->safe_psql($database, "SELECT count(*) FROM pg_class WHERE oid = to_regclass('" . ($table // 't') =~ s/'/''/gr . "')"), 1, '... the table is there');
	is($node->safe_psql($database, 'SELECT rule, problem FROM dbkit.check()'), '', '... and check() is silent') or diag($hint);
	my $decide = $hint =~ /^-- Nobody sees a row/m;
	is($decide, $decision ? 1 : '', '... it says where there is something to decide');
	$undecided++ if $decision;
	for my $expected ($columns ? split /,(?=\w+\|)/, $columns : ())
	{
		my ($name) = split /\|/, $expected;
		is($node->safe_psql($database, "SELECT attname, format_type(atttypid, atttypmod), pg_get_expr(adbin, adrelid)
			FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = 't'::regclass AND attname = '$name'"),
			$expected, "... column $name is kept");
	}
	is($node->safe_psql($database, $query), $answer, "... $query") if $query;
	is($node->safe_psql($database, "SELECT string_agg(conname, ',' ORDER BY conname COLLATE \"C\") FROM pg_constraint WHERE conrelid = 't'::regclass AND contype = 'c'"),
		$checks, '... the CHECKs have their names') if $checks && !$keys;
	is($node->safe_psql($database, "SELECT string_agg(conname, ',' ORDER BY conname COLLATE \"C\") FROM pg_constraint WHERE conrelid = 't'::regclass AND contype IN ('p', 'u', 'f')"),
		$keys, '... and so have the keys') if $keys;
	$node->safe_psql('postgres', "DROP DATABASE $database");
}
# What is added to a table that is there, and a view: the HINT runs too.
my @additions = (
	['ALTER TABLE users ADD n int', 'ALTER TABLE public.users ADD COLUMN n bigint;'],
	['ALTER TABLE users ADD n int NOT NULL DEFAULT 3 CHECK (n > 0), ADD "up to" timestamp, ADD t text UNIQUE, ADD CHECK (n > 1 OR t IS NULL)',
		'ALTER TABLE public.users ADD COLUMN n bigint NOT NULL DEFAULT 3 CHECK (n > 0), ADD COLUMN "up to" timestamptz, ADD COLUMN t text UNIQUE, ADD CHECK (n > 1 OR t IS NULL);'],
	['SET dbkit.rule_levels = \'snake_case=error\'; ALTER TABLE users ADD "fooBar" varchar NOT NULL DEFAULT 0', 'ALTER TABLE public.users ADD COLUMN foo_bar character varying NOT NULL DEFAULT 0;'],
	['SET dbkit.rule_levels = \'text_type=error\'; ALTER TABLE users ADD nick varchar(9)', 'ALTER TABLE public.users ADD COLUMN nick text CHECK (length(nick) <= 9);'],
	['ALTER TABLE users ADD parent_id int', 'ALTER TABLE public.users ADD COLUMN parent_extid text COLLATE "C";'],
	['ALTER TABLE users ADD user_id uuid', 'BEGIN;
ALTER TABLE public.users ADD COLUMN user_id text COLLATE "C" REFERENCES public.users (id) ON DELETE SET NULL;
CREATE INDEX ON public.users (user_id);
COMMIT;'],
	['ALTER TABLE users ADD boss_id text REFERENCES users', 'BEGIN;
ALTER TABLE public.users ADD COLUMN boss_id text COLLATE "C" REFERENCES public.users (id) ON DELETE SET NULL;
CREATE INDEX ON public.users (boss_id);
COMMIT;'],
	['ALTER TABLE users ADD CONSTRAINT x FOREIGN KEY (organization_id) REFERENCES organizations', 'ALTER TABLE public.users ADD CONSTRAINT x FOREIGN KEY (organization_id) REFERENCES public.organizations (id) ON DELETE CASCADE;'],
	['BEGIN; ALTER TABLE users ADD a int[]; ALTER TABLE users ADD b mood', 'ALTER TABLE public.users ADD COLUMN a bigint[];'],
	['ALTER TABLE users ADD created int, ADD CONSTRAINT cc CHECK (created > 0) NOT VALID, ADD t text COMPRESSION pglz', 'BEGIN;
ALTER TABLE public.users ADD COLUMN created bigint, ADD COLUMN t text, ADD CONSTRAINT cc CHECK (created > 0) NOT VALID;
ALTER TABLE public.users ALTER COLUMN t SET COMPRESSION pglz;
COMMIT;'],
	['ALTER TABLE users ADD n int, ALTER storytime SET DEFAULT \'{}\'', 'BEGIN;
ALTER TABLE public.users ADD COLUMN n bigint;
-- left out: what else the ALTER TABLE does
COMMIT;'],
	['CREATE SCHEMA s CREATE VIEW v AS SELECT 1 AS a', 'BEGIN;
CREATE SCHEMA s;
CREATE OR REPLACE VIEW s.v WITH (security_invoker = true) AS SELECT 1 AS a;
COMMIT;'],
	['CREATE VIEW v WITH (security_invoker = false) AS SELECT 1 AS one', 'CREATE OR REPLACE VIEW public.v WITH (security_invoker = true) AS SELECT 1 AS one;'],
	['CREATE VIEW v AS SELECT id FROM users', 'CREATE OR REPLACE VIEW public.v WITH (security_invoker = true) AS SELECT id
   FROM public.users;'],
	['CREATE VIEW v ("a b", c) WITH (security_barrier) AS SELECT u.id, o.id AS x FROM users u JOIN organizations o ON o.id = u.organization_id',
		'CREATE OR REPLACE VIEW public.v WITH (security_barrier = \'true\', security_invoker = true) AS SELECT u.id AS "a b",
    o.id AS c
   FROM (public.users u
     JOIN public.organizations o ON ((o.id = u.organization_id)));'],
);
for my $case (@additions)
{
	my ($sql, $expected) = @$case;
	my $database = fresh();
	my $hint = hint_of($database, $sql) =~ s/\n\z//r;
	# Until PostgreSQL 15 a view of one table has its name before each column
	is($hint =~ s/SELECT users\.id/SELECT id/r, $expected, "$sql: the HINT");
	my (undef, undef, $err) = $node->psql($database, $hint, on_error_stop => 1);
	is($err . $node->safe_psql($database, 'SELECT rule, problem FROM dbkit.check()'), '', '... which runs, and leaves nothing to say');
	$node->safe_psql('postgres', "DROP DATABASE $database");
}

# Where there is no such text the HINT says why, or fixes what is there already.
my @other = (
	["CREATE TABLE t OF pair", 'There is no SQL to offer: a typed table has the columns of type public.pair, which has to be changed instead.'],
	["PREPARE p AS SELECT 1 AS n; CREATE TABLE t AS EXECUTE p", 'There is no SQL to offer: INSERT cannot take the rows of EXECUTE; create the table first, and INSERT with the query itself.'],
	["DO \$\$ DECLARE x int = 1; BEGIN CREATE TABLE t AS SELECT x; END \$\$", 'There is no SQL to offer: the query has parameters of the function that it is in; create the table first, and INSERT there.'],
	["CREATE TABLE t AS SELECT 1 AS created_at", 'There is no SQL to offer: column "created_at" of the query cannot be converted to timestamp with time zone.'],
	["CREATE TABLE t AS WITH d AS (DELETE FROM legacy RETURNING *) SELECT * FROM d", 'There is no SQL to offer: the query changes rows in its WITH clause, which INSERT cannot do; create the table first.'],
	['ALTER TABLE users DROP COLUMN storytime', 'Nothing has to be fixed: the statement was rolled back.'],
	['ALTER TABLE users RENAME storytime TO story', 'Nothing has to be fixed: the statement was rolled back.'],
	['ALTER TABLE users DROP CONSTRAINT users_id_check, ALTER created_at DROP NOT NULL', 'ALTER TABLE public.users ALTER COLUMN created_at SET NOT NULL;'],
	["CREATE TABLE t ($o, x no_enum)", 'There is no SQL to offer: there can be no enum table of the name that is meant for column "x".'],
	["CREATE TABLE t ($o, user_id text) PARTITION BY RANGE (user_id text_pattern_ops)", 'There is no SQL to offer: a table that is partitioned by an expression, or with an operator class or collation of its own, cannot have a primary key.'],
	["ALTER TABLE users ADD legacy_id int REFERENCES legacy", 'There is no SQL to offer: column "legacy_id" has to be text, but references "public.legacy", whose key is integer and has to be changed first.'],
	["CREATE TABLE t ($o, x $long_enum)", 'There is no SQL to offer: there can be no enum table of the name that is meant for column "x".'],
	["CREATE TABLE t AS SELECT one()", 'There is no SQL to offer: the query runs another CREATE TABLE AS; create the table first, and INSERT with the query.'],
	["CREATE TABLE t ($o, p pair)", 'There is no SQL to offer: column "p" is pair, which contains integer; use bigint.'],
	["CREATE TABLE t ($o) INHERITS (small_parent)", 'There is no SQL to offer: column "number" is inherited, and has to be changed in the parent.'],
	["CREATE TABLE t ($o, legacy_id int REFERENCES legacy)", 'There is no SQL to offer: column "legacy_id" has to be text, but references "public.legacy", whose key is integer and has to be changed first.'],
	["CREATE TABLE t ($o, n bigint) PARTITION BY RANGE ((n % 3))", 'There is no SQL to offer: a table that is partitioned by an expression, or with an operator class or collation of its own, cannot have a primary key.'],
	["BEGIN; CREATE TABLE t ($id, $clocks, user_id text COLLATE \"C\" REFERENCES users ON DELETE CASCADE); COMMIT", 'ALTER TABLE public.t ENABLE ROW LEVEL SECURITY;
CREATE TRIGGER updated_at BEFORE UPDATE ON public.t FOR EACH ROW EXECUTE FUNCTION public.updated_at();
CREATE INDEX ON public.t (user_id);
CREATE POLICY customer_isolation ON public.t TO customer USING (user_id = dbkit.user_id()) WITH CHECK (user_id = dbkit.user_id());
-- The transaction was rolled back. Run this in it, before COMMIT.'],
	['DROP TRIGGER updated_at ON users', 'CREATE TRIGGER updated_at BEFORE UPDATE ON public.users FOR EACH ROW EXECUTE FUNCTION public.updated_at();
-- The transaction was rolled back. Run this in it, before COMMIT.'],
);
for my $case (@other)
{
	my ($sql, $expected) = @$case;
	my $database = fresh();
	is(hint_of($database, $sql) =~ s/\n\z//r, $expected, "$sql: the HINT");
	$node->safe_psql('postgres', "DROP DATABASE $database");
}

# Where each table has to have an organization, a column of that name references it.
{
	my $database = fresh();
	$node->safe_psql($database, q{SELECT dbkit.agree('{"rules": {"organization_scope": "error"}}')});
	for my $sql ('CREATE TABLE t (organization_id text)', 'CREATE TABLE notes (n int)')
	{
		my $hint = hint_of($database, $sql);
		is(($hint =~ s/REFERENCES public\.organizations \(id\) ON DELETE CASCADE//gr) =~ /REFERENCES/ || $hint !~ /organization_id text COLLATE "C" NOT NULL REFERENCES/, '', "$sql: the organization's key") or diag($hint);
		is(($node->psql($database, $hint, on_error_stop => 1))[2], '', '... which runs');
	}
}

# Numbers that a query brings stay the ids, and new ones come after them.
{
	my $database = fresh();
	$node->safe_psql($database, q{SELECT dbkit.agree('{"preset": "bigint"}')});
	my $hint = hint_of($database, 'CREATE TABLE t AS SELECT 7 AS id, 1 AS n');
	$node->safe_psql($database, $hint);
	is($node->safe_psql($database, 'INSERT INTO t (n) VALUES (2) RETURNING id') =~ s/\n.*//sr, 8, 'ids of a query stay') or diag($hint);
	is($node->safe_psql($database, 'SELECT min(id) FROM t'), 7, '... as they are');
}

# An error while the HINT is written does not take the place of the refusal.
{
	my $database = fresh();
	my $session = $node->background_psql($database, on_error_stop => 0);
	$session->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM legacy');
	$node->safe_psql($database, q{SET dbkit.enforce = off; ALTER TABLE users ADD CONSTRAINT late CHECK (id <> 'x')});
	$session->query('ALTER TABLE users ADD n int');
	like($session->{stderr}, qr/breaks the schema convention "bigint"/, 'what another transaction did unseen does not keep the refusal');
	$session->quit;
}

# CONTEXT says where to read why, and names the way past to those who have it.
my $context = qr/^CONTEXT:  dbkit: SELECT dbkit\.explain_rule\('bigint'\) says why and how to be exempt/m;
sub refusal { my ($role) = @_; return ($node->psql('base', "$role; ALTER TABLE users ADD n int"))[2] }
like(refusal('SELECT'), qr/$context; SET LOCAL dbkit\.enforce = off lets it pass$/m, 'a superuser is told the way past');
$node->safe_psql('base', 'CREATE ROLE owner_of_users; ALTER TABLE users OWNER TO owner_of_users; GRANT CREATE ON SCHEMA public TO owner_of_users');
like(refusal('SET ROLE owner_of_users'), qr/$context$/m, '... other roles are not');
$node->safe_psql('base', 'GRANT SET ON PARAMETER dbkit.enforce TO owner_of_users');
like(refusal('SET ROLE owner_of_users'), qr/$context; SET LOCAL/, '... but those that may set it');
$node->append_conf('postgresql.conf', "dbkit.required_rules = 'bigint=error'");
$node->reload;
like(refusal('SELECT'), qr/$context$/m, '... and there is none past a required rule');

cmp_ok(scalar @cases, '>=', 60, 'there are enough cases');
cmp_ok($undecided, '<=', 10, 'and few leave something to decide');

done_testing();
