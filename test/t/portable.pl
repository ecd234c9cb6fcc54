# The edition without C: a migration that is written for dbkit makes the same database with
# it, dumps go both ways, and so does a database in place, without a table being rewritten.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Comparing qw(same);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $edition = "$FindBin::Bin/../../portable";
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE regress_hosted LOGIN; CREATE ROLE regress_customer');
$node->safe_psql('postgres', 'CREATE ROLE regress_super SUPERUSER; CREATE ROLE regress_bypass BYPASSRLS; CREATE ROLE regress_reader');

my $migration = q{
SELECT dbkit.agree('{"rules": {"storytime": "warning"}, "customer_role": "regress_customer"}');
SELECT dbkit.lock('migration');
SELECT dbkit.create_enum('color', '{red, green}');
CREATE TABLE organizations (
  id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('org') CHECK (id LIKE 'org_%'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  storytime jsonb
);
CREATE TRIGGER updated_at BEFORE UPDATE ON organizations FOR EACH ROW EXECUTE FUNCTION updated_at();
ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON organizations FOR SELECT USING (id = dbkit.organization_id());
SELECT dbkit.create_table('documents',
  'title text NOT NULL, pages int, due timestamp, color text REFERENCES color_enum, organization_id text NOT NULL REFERENCES organizations', 'doc');
SELECT dbkit.create_table('notes', 'body text, document_id text, session_id text, organization_id text');
-- as create_table() leaves it, it takes the rows from an owner who logs in
ALTER TABLE documents NO FORCE ROW LEVEL SECURITY;
ALTER TABLE documents ADD CHECK (dbkit.is_id(id, 'doc'));
CREATE INDEX documents_made_at ON documents (dbkit.id_timestamp(id));
ALTER TABLE organizations ADD CHECK (dbkit.is_typed_json(storytime));
CREATE INDEX organizations_at ON organizations (dbkit.json_timestamp(storytime -> 'at'), dbkit.json_date(storytime -> 'day'));
CREATE VIEW lately WITH (security_invoker = true) AS SELECT id, dbkit.id_timestamp(id) AS made_at FROM documents;
INSERT INTO organizations (id, storytime) SELECT 'org_01h455vb4pex5vsknk084sn02q', dbkit.to_typed_json(s) FROM (SELECT now() AS at, current_date AS day) AS s;
INSERT INTO documents (title, color, organization_id) SELECT 'no. ' || n, 'red', 'org_01h455vb4pex5vsknk084sn02q' FROM generate_series(1, 1000) AS n;
SELECT dbkit.rename_enum_value('color_enum', 'red', 'crimson');
SELECT dbkit.add_enum_value('color_enum', 'blue');
SELECT dbkit.exempt('public.legacy%', '*', 'the old shop');
SELECT dbkit.register_prefix('documents');
SELECT dbkit.baseline();
-- last, because it takes the rows from an owner who logs in
SELECT dbkit.protect('documents', role => 'regress_customer');
GRANT SELECT, INSERT ON documents TO regress_customer;
GRANT USAGE ON SCHEMA public TO regress_customer;
};

# What the database is, apart from the edition
sub schema_of
{
	my ($db) = @_;
	my ($stdout, $stderr) = run_command([ $node->installed_command('pg_dump'), '-s', '-O', '-N', 'dbkit', '-d', $node->connstr($db) ]);
	is($stderr, '', "$db: pg_dump is silent");
	$stdout =~ s/^(\\(un)?restrict |SET default_).*\n+//mg;
	$stdout =~ s/^--\n-- Name: (EXTENSION dbkit|dbkit|FUNCTION (generate_id|updated_at)|generate_id|updated_at\(\)).*?(?=^--\n-- )//msg;
	return $stdout;
}

# What is to stay on the disk as it is
sub files_of
{
	return $node->safe_psql($_[0], q{SELECT relname, relfilenode FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relfilenode <> 0 ORDER BY relname});
}

# A row of the registry is the database's own.
sub sorted { return join "\n", sort grep { !/^row of / } split /\n/, $_[0] }

# Make an empty database of a role, and install the edition as that role.
sub install
{
	my ($db) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $db OWNER regress_hosted TEMPLATE template0");
	is(run_file($db, 'dbkit.sql', 'regress_hosted'), '', "$db: the edition is installed by the owner of the database");
}

# Run a file of the edition, as a superuser or that role, and return what it complains of.
sub run_file
{
	my ($db, $file, $role) = @_;
	my (undef, $stderr) = run_command([ $node->installed_command('psql'), '-1Xq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', "$edition/$file",
		'-d', $node->connstr($db) . ($role ? " user=$role" : '') ]);
	return $stderr;
}

sub as_owner { return $node->psql($_[0], $_[1], extra_params => [ '-U', 'regress_hosted', '-1', '-v', 'ON_ERROR_STOP=1' ]) }

# Insert a document and read it as a tenant.
sub works
{
	my ($db, $how) = @_;
	my $seen = $node->safe_psql($db, q{
		SET client_min_messages = warning;
		BEGIN;
		SET LOCAL ROLE regress_customer;
		SELECT FROM dbkit.enter(NULL, 'org_01h455vb4pex5vsknk084sn02q');
		INSERT INTO documents (title, organization_id) VALUES ('made', dbkit.organization_id());
		SELECT count(*) > 1000, max(id) = max(id) FILTER (WHERE title = 'made'), dbkit.table_of(max(id)) FROM documents;
		ROLLBACK;
		BEGIN;
		SET LOCAL ROLE regress_customer;
		SELECT FROM dbkit.enter(NULL, 'org_other');
		SELECT count(*) FROM documents;
		ROLLBACK});
	is($seen, "t|t|documents\n0", "$db: $how, tenants see their own, and new ids come after the others");
}

# The same migration with both
$node->safe_psql('postgres', 'CREATE DATABASE developed TEMPLATE template0');
$node->safe_psql("developed", "CREATE EXTENSION dbkit; BEGIN; $migration COMMIT");
install('hosted');
my ($status, $stdout, $stderr) = as_owner('hosted', $migration);
is($status, 0, 'the migration runs on the edition without C') or diag($stderr);
my $developed = schema_of('developed');
like($developed, qr/CREATE POLICY regress_customer_isolation ON public\.documents/, 'and makes policies');
same(schema_of('hosted'), $developed, 'both make the same database');
is($node->safe_psql('hosted', 'SELECT dbkit.verify()'), $node->safe_psql('developed', 'SELECT dbkit.verify()'), 'and dbkit.verify() finds the same');
works('developed', 'developed');
works('hosted', 'hosted');
is(run_file('hosted', 'dbkit.sql', 'regress_hosted'), '', 'it is installed again');
works('hosted', 'installed again');

# Versions of the schema: the same answers, also to what is wrong
my $versions = q{
	SELECT dbkit.apply(1, 'SELECT 1; SELECT 2', 'first'), dbkit.apply(2, E'SELECT 2;\r\n', undo => 'SELECT 3'), dbkit.apply(2, 'SELECT 2;'), dbkit.revert(3);
	\set VERBOSITY sqlstate
	SELECT dbkit.apply(2, 'SELECT 3'); SELECT dbkit.apply(4, 'SELECT 3'); SELECT dbkit.apply(0, 'SELECT 3'); SELECT dbkit.apply(3, NULL); SELECT dbkit.revert(1);
	SELECT dbkit.apply(3, 'COPY (SELECT 1) TO STDOUT'); SELECT dbkit.apply(3, 'CREATE INDEX CONCURRENTLY ON documents (title)');
	SELECT dbkit.apply(3, '', undo => ''), dbkit.revert(3);
	SELECT dbkit.apply(3, 'SELECT 1'), dbkit.revert(3)};
my $ledger = q{SELECT version, name, checksum, undo FROM dbkit.schema_version ORDER BY version};
# there everybody may call it who can create something
$node->safe_psql('developed', 'CREATE SCHEMA "free" AUTHORIZATION regress_hosted');
my @answers = map { join "\n", ($node->psql($_, $versions, extra_params => [ '-U', 'regress_hosted' ], on_error_stop => 0))[ 1, 2 ] } qw(developed hosted);
like($answers[1], qr/^t\|t\|f\|f\nt\|t\n(psql:\S+ ERROR:  \w+\n?){8}$/, 'versions of the schema');
is($answers[0], $answers[1], 'both give the same answers');
$node->safe_psql('developed', 'DROP SCHEMA "free"');
my $applied = $node->safe_psql('hosted', $ledger);
is($applied, $node->safe_psql('developed', $ledger), 'and note the same versions');

# Dumps, as the pages have it: what the other edition is, is left out
for my $way ([ 'developed', 'to_hosted' ], [ 'hosted', 'to_developed' ])
{
	my ($from, $to) = @$way;
	my $dump = PostgreSQL::Test::Utils::tempdir . "/$from";
	if ($to eq 'to_hosted') { install($to) }
	else { $node->safe_psql('postgres', "CREATE DATABASE $to TEMPLATE template0"); $node->safe_psql($to, 'CREATE EXTENSION dbkit'); }
	$node->command_ok([ 'pg_dump', '-Fc', '-N', 'dbkit', '-f', $dump, '-d', $node->connstr($from) ], "$from is dumped");
	my ($list) = run_command([ $node->installed_command('pg_restore'), '-l', $dump ]);
	open my $file, '>', "$dump.list" or die;
	print $file grep { !/ EXTENSION - dbkit | EXTENSION dbkit| FUNCTION public (generate_id|updated_at)\(| FUNCTION (generate_id|updated_at)\(/ } split /^/, $list;
	close $file;
	$node->command_ok([ 'pg_restore', '-O', '-e', '-1', '-L', "$dump.list", '-d', $node->connstr($to), $dump ], "$to: it is restored");
	same(schema_of($to), $developed, "$to: it is the same");
	is($node->safe_psql($to, 'SELECT dbkit.agreement()'), $node->safe_psql($from, 'SELECT dbkit.agreement()'), "$to: the agreement as well");
	works($to, 'restored');
}

# A dump of all, with the edition in it
{
	my $dump = PostgreSQL::Test::Utils::tempdir . '/whole';
	$node->safe_psql('postgres', 'CREATE DATABASE whole OWNER regress_hosted TEMPLATE template0');
	$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, '-d', $node->connstr('hosted') ], 'the database is dumped, with the edition in it');
	$node->command_ok([ 'pg_restore', '-e', '-1', '-d', $node->connstr('whole'), $dump ], 'and restored: CHECKs and indexes find its functions');
	same(schema_of('whole'), $developed, 'it is the same');
	works('whole', 'restored with the edition');
}

# In place: to the C library and back
my $members = slurp_file("$FindBin::Bin/members.psql");
my $fresh_members = do { $node->safe_psql('postgres', 'CREATE DATABASE fresh TEMPLATE template0'); $node->safe_psql('fresh', 'CREATE EXTENSION dbkit'); $node->safe_psql('fresh', $members) };
my $functions = q{SELECT p.oid::regprocedure, lanname, proowner::regrole FROM pg_proc p JOIN pg_language l ON l.oid = prolang WHERE pronamespace = 'dbkit'::regnamespace OR proname IN ('generate_id', 'updated_at') ORDER BY p.oid::regprocedure::text};
my $portable_functions = $node->safe_psql('hosted', $functions);
my $oids = q{SELECT oid::regprocedure, oid FROM pg_proc WHERE oid::regprocedure::text IN ('generate_id(text)', 'updated_at()', 'dbkit.is_id(text,text)', 'dbkit.id_timestamp(text)', 'dbkit.organization_id()',
	'dbkit.to_typed_json(anyelement)', 'dbkit.from_typed_json(anyelement,jsonb)', 'dbkit.json_timestamp(jsonb)', 'dbkit.json_date(jsonb)', 'dbkit.is_typed_json(jsonb)') ORDER BY 1};
my ($files, $functions_before) = (files_of('hosted'), $node->safe_psql('hosted', $oids));
$node->safe_psql('hosted', q{CREATE EXTENSION dbkit VERSION 'portable'; ALTER EXTENSION dbkit UPDATE});
same(sorted($node->safe_psql('hosted', $members)), sorted($fresh_members), 'to the C library: the extension is what CREATE EXTENSION makes');
is($node->safe_psql('hosted', $oids), $functions_before, 'its functions are those that were there');
is(files_of('hosted'), $files, 'and no table or index was rewritten');
same(schema_of('hosted'), $developed, 'the database is the same');
is($node->safe_psql('hosted', 'SELECT count(*) FROM dbkit.id_prefix'), '3', 'the registry is filled');
is($node->safe_psql('hosted', $ledger), $applied, 'the ledger as it was');
is($node->safe_psql('hosted', 'SELECT dbkit.revert(2)', extra_params => [ '-U', 'regress_hosted' ]), 't', 'whose author can revert a version');
is($node->safe_psql('hosted', q{SELECT dbkit.apply(2, 'SELECT 2;', undo => 'SELECT 3')}, extra_params => [ '-U', 'regress_hosted' ]), 't', 'and apply it');
works('hosted', 'with the C library');
($status, $stdout, $stderr) = $node->psql('hosted', '\set VERBOSITY sqlstate
	CREATE TABLE bad (n int)');
like($stderr, qr/KD001/, 'which refuses again');

is(run_file('hosted', 'from_extension.sql'), '', 'and goes back');
is(files_of('hosted'), $files, 'back: no table or index was rewritten');
is($node->safe_psql('hosted', $oids), $functions_before, 'the functions are those that were there');
same($node->safe_psql('hosted', $functions), $portable_functions, 'all of them, and of the owner of the database');
same(schema_of('hosted'), $developed, 'the database is the same');
works('hosted', 'without it');
is($node->safe_psql('hosted', $ledger), $applied, 'the ledger goes back as well');
($status, $stdout, $stderr) = $node->psql('hosted', '\set VERBOSITY terse
	SET ROLE regress_hosted; SELECT dbkit.revert(2)');
is($stderr =~ s/^psql:<stdin>:\d+: //r, 'ERROR:  version 2 was applied by role "regress_hosted"', 'where its undo could get the rights of a session, it does not run');
is($node->safe_psql('hosted', 'SELECT dbkit.revert(2)', extra_params => [ '-U', 'regress_hosted' ]), 't', 'and can be reverted by who applied it');

# What its owner has planted there never gets the rights of who creates the extension.
install('trapped');
($status, $stdout, $stderr) = as_owner('trapped', q{
	CREATE FUNCTION dbkit.trap() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT current_user::text';
	ALTER FUNCTION dbkit.user_id() SECURITY DEFINER;
	CREATE VIEW dbkit.passwords AS SELECT rolname FROM pg_authid;
	CREATE RULE trap AS ON INSERT TO dbkit.rules DO INSTEAD DELETE FROM pg_authid});
is($status, 0, 'its owner plants') or diag($stderr);
my $trapped = q{SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_roles r ON r.oid = proowner WHERE pronamespace = 'dbkit'::regnamespace AND rolsuper AND prosecdef
	UNION ALL SELECT 'view ' || relname FROM pg_class c JOIN pg_roles r ON r.oid = relowner WHERE relname = 'passwords' AND rolsuper
	UNION ALL SELECT 'rule ' || rulename FROM pg_rewrite JOIN pg_class c ON c.oid = ev_class JOIN pg_roles r ON r.oid = relowner WHERE rulename = 'trap' AND rolsuper} =~ s/p.oid::regprocedure/p.oid::regprocedure::text/r;
($status, $stdout, $stderr) = as_owner('trapped', q{ALTER TABLE dbkit.schema_version RENAME TO kept; CREATE VIEW dbkit.schema_version AS SELECT * FROM dbkit.kept});
is($status, 0, 'also in place of the ledger') or diag($stderr);
$node->safe_psql('trapped', q{CREATE EXTENSION dbkit VERSION 'portable'});
($status, $stdout, $stderr) = $node->psql('trapped', 'ALTER EXTENSION dbkit UPDATE');
like($stderr, qr/table "dbkit.schema_version" has been altered/, 'which is refused');
$node->safe_psql('trapped', 'DROP VIEW dbkit.schema_version; ALTER TABLE dbkit.kept RENAME TO schema_version');
is($node->safe_psql('trapped', $trapped), '', 'nothing of it has been given to a superuser');
$node->safe_psql('trapped', 'ALTER EXTENSION dbkit UPDATE');
is($node->safe_psql('trapped', $trapped), '', 'nor after the update');
is($node->safe_psql('trapped', q{SELECT count(*) FROM pg_proc JOIN pg_roles r ON r.oid = proowner WHERE pronamespace = 'dbkit'::regnamespace AND NOT rolsuper}), '0', 'and what there is belongs to its new owner');

# What it refuses
($status, $stdout, $stderr) = as_owner('hosted', q{CREATE EXTENSION dbkit VERSION 'portable'});
like($stderr, qr/permission denied to create extension "dbkit"/, 'who owns the database cannot take over anything');
like(run_file('fresh', 'dbkit.sql'), qr/ERROR:  the extension dbkit is installed in this database\nHINT:  It does all that this script would do, and more\./, 'beside the C library it is not installed');
($status, $stdout, $stderr) = $node->psql('postgres', q{CREATE EXTENSION dbkit VERSION 'portable'});
like($stderr, qr/ERROR:  there is no portable edition of dbkit to take over\nDETAIL:  Its functions would be in the schemas "dbkit" and "public"\.\nHINT:  Use CREATE EXTENSION dbkit without VERSION/, 'where there is none, none is taken over');
$node->safe_psql('postgres', 'CREATE DATABASE taken OWNER regress_hosted TEMPLATE template0');
$node->safe_psql('taken', 'CREATE SCHEMA dbkit');
like(run_file('taken', 'dbkit.sql', 'regress_hosted'), qr/ERROR:  schema "dbkit" already exists\nDETAIL:  It belongs to role "\w+"\.\nHINT:  Rename or drop it/, 'nor into the schema of somebody else');

# The same functions and views, apart from what is about event triggers, the adoption, reports and
# scripts, which are written where dbkit enforces, and health
my $surface = q{
	SET search_path = pg_catalog;
	SELECT format('%s(%s) %s %s %s', proname, pg_get_function_arguments(oid), pg_get_function_result(oid), provolatile, proisstrict)
	FROM pg_proc WHERE (pronamespace = 'dbkit'::regnamespace OR proname IN ('generate_id', 'updated_at'))
	AND NOT (prorettype = 'event_trigger'::regtype OR proname IN ('ignore_replicated', 'keep_ledger', 'report', 'suggestion', 'fixes', 'fingerprint', 'schema_sql', 'health', 'describe'))
	UNION ALL SELECT format('view %s: %s', attrelid::regclass, string_agg(format('%s %s', attname, atttypid::regtype), ', ' ORDER BY attnum))
	FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'dbkit'::regnamespace AND relkind = 'v' AND relname NOT IN ('suggestion', 'health') AND attnum > 0
	GROUP BY attrelid};
my %without = map { $_ => 1 } split /\n/, $node->safe_psql('to_hosted', $surface);
is_deeply([ grep { !$without{$_} } split /\n/, $node->safe_psql('fresh', $surface) ], [], 'all functions and views are there, with the same arguments and results');
my $rules = q{SELECT * FROM dbkit.rules ORDER BY id; SELECT object, rule, reason FROM dbkit.exemption WHERE builtin ORDER BY 1, 2, 3};

# dbkit.check() of the one is that of the other, by every preset and by rules that no preset has
my ($judged) = slurp_file("$FindBin::Bin/../../sql/convention_check_all.sql") =~ /^(CREATE TABLE users.*?)^-- rows that the fixes/ms or die 'the tables have moved';

# What a fix has to heed: rows and columns that something depends on, keys of which both ends would
# change, and names that mean a table, or none
my $dependents = q{
SET dbkit.enforce = off;
CREATE SCHEMA fix;
SET search_path = fix, public;
CREATE TABLE boxes (id text PRIMARY KEY); CREATE TABLE "Box" (id integer PRIMARY KEY); CREATE TABLE companies (id uuid PRIMARY KEY); CREATE TABLE public.city (id bigint PRIMARY KEY);
CREATE TABLE pairs (id bigint, n bigint, PRIMARY KEY (id, n)); CREATE TABLE deferred (id bigint PRIMARY KEY DEFERRABLE); CREATE VIEW views AS SELECT 1::bigint AS id;
CREATE DOMAIN number AS integer; CREATE TABLE doms (id number PRIMARY KEY); CREATE TABLE s (id bigint PRIMARY KEY); CREATE TABLE "Ä" (id bigint PRIMARY KEY); CREATE TABLE "äs" (id bigint PRIMARY KEY);
CREATE TABLE means (id bigint PRIMARY KEY, box_id bigint, boxy_id text, "boxId" integer, company_id uuid, city_id integer, pair_id bigint, deferred_id bigint, view_id bigint, dom_id smallint,
  _id bigint, "ä_id" bigint, "Ä_id" bigint, mean_id bigint, y_id bigint, user_id text NOT NULL, organization_id text, user_extid bigint);
CREATE TABLE theirs (id bigint, city_id bigint); ALTER TABLE theirs OWNER TO regress_hosted;
CREATE TABLE ends (id serial PRIMARY KEY, small smallint UNIQUE); CREATE TABLE keys (id bigserial PRIMARY KEY, end_id integer REFERENCES ends, small smallint REFERENCES ends (small), free_id serial, narrow bigint);
ALTER TABLE keys ADD CONSTRAINT narrow FOREIGN KEY (narrow) REFERENCES ends NOT VALID;
CREATE TABLE owned (restricted text NOT NULL REFERENCES users ON DELETE RESTRICT, optional text REFERENCES users ON DELETE RESTRICT, late text, created_at timestamptz NOT NULL);
ALTER TABLE owned ADD CONSTRAINT late FOREIGN KEY (late) REFERENCES users NOT VALID;
CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE used (in_view integer, in_policy integer, in_trigger integer, in_body integer, in_rule integer, in_publication integer, in_condition integer, at timestamp, ends timestamp, starts timestamp,
  begins timestamp, free integer, expr integer, checked integer CHECK (checked > 0), checked_at timestamp CHECK (checked_at > '2020-01-01'), created_at date CHECK (created_at > '2020-01-01'),
  ranged int4range CHECK (NOT isempty(ranged)), other_id varchar CHECK (other_id <> ''), uuid_id uuid CHECK (uuid_id IS NOT NULL), storytime text CHECK (storytime <> ''));
CREATE VIEW v AS SELECT in_view FROM used;
CREATE POLICY p ON used USING (in_policy > 0);
CREATE TRIGGER t BEFORE UPDATE OF in_trigger ON used FOR EACH ROW EXECUTE FUNCTION noop();
CREATE FUNCTION body() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT sum(in_body) FROM used; END;
CREATE RULE r AS ON DELETE TO used WHERE old.in_rule > 0 DO INSTEAD NOTHING;
CREATE PUBLICATION p FOR TABLE used (in_publication) WHERE (in_condition > 0);
CREATE INDEX ON used ((expr + 1)); CREATE INDEX ON used (date_trunc('day', ends)); CREATE INDEX ON used (free) WHERE starts > '2020-01-01'; CREATE INDEX ON used (begins);
CREATE TABLE rows (n integer, at timestamp); CREATE TABLE array_of_rows (n bigint, rows rows[]); CREATE FUNCTION all_rows() RETURNS SETOF rows LANGUAGE sql AS 'SELECT n, at FROM rows';
CREATE TABLE returned (n integer, updated_at timestamptz NOT NULL DEFAULT '2020-01-01'); CREATE FUNCTION all_returned() RETURNS SETOF returned LANGUAGE sql AS 'SELECT n, updated_at FROM returned';
CREATE TABLE base (n integer); CREATE DOMAIN over_rows AS base; CREATE TABLE has_domain (x over_rows);
CREATE TABLE twice (small_id integer REFERENCES "Box" REFERENCES s); CREATE TABLE shifting (zoned timestamp DEFAULT (now() AT TIME ZONE 'UTC'), fixed timestamp DEFAULT '2020-01-01', moving timestamp DEFAULT now(), cut timestamp(3) DEFAULT clock_timestamp(),
  created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'), lo integer, hi integer CHECK (NOT isempty(int4range(lo, hi))), called integer, code_id number, num number);
CREATE INDEX ON shifting (abs(called));
CREATE UNLOGGED TABLE fleeting (id text COLLATE "C" PRIMARY KEY); CREATE TABLE lasting (id text COLLATE "C" PRIMARY KEY, fleeting_id text COLLATE "C", lasting_id text COLLATE "C" GENERATED ALWAYS AS (id) STORED);
CREATE TYPE shape AS (thing_id text); CREATE TABLE typed OF shape; CREATE UNLOGGED TABLE as_fleeting (fleeting_id text COLLATE "C");
CREATE TABLE codes (code varchar(3) PRIMARY KEY, parent text REFERENCES codes, code_id varchar(9), codes varchar(3)[]);
-- below
CREATE TABLE root (a integer, n integer, x integer, free integer, created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')) PARTITION BY LIST (a);
CREATE TABLE part PARTITION OF root FOR VALUES IN (1) PARTITION BY LIST (n); CREATE TABLE part_1 PARTITION OF part DEFAULT; CREATE INDEX ON part_1 ((x + free)); CREATE VIEW of_part AS SELECT x FROM part_1;
CREATE TABLE mother (dropped integer, n integer, free integer, lone_id text); ALTER TABLE mother DROP dropped; CREATE TABLE daughter (twice bigint GENERATED ALWAYS AS (n * 2) STORED) INHERITS (mother);
CREATE TABLE father (free integer, lone_id text); ALTER TABLE daughter INHERIT father;
CREATE FOREIGN DATA WRAPPER fix; CREATE SERVER fix FOREIGN DATA WRAPPER fix;
CREATE TABLE away (user_id text COLLATE "C", order_id text COLLATE "C") PARTITION BY LIST (order_id); CREATE TABLE away_1 PARTITION OF away FOR VALUES IN ('1') PARTITION BY LIST (order_id);
CREATE FOREIGN TABLE away_2 PARTITION OF away_1 DEFAULT SERVER fix;
CREATE TABLE parent (user_id text COLLATE "C", order_id text, thing_id text); CREATE FOREIGN TABLE child () INHERITS (parent) SERVER fix;
CREATE TABLE par (id text COLLATE "C" PRIMARY KEY, created_at timestamptz NOT NULL, updated_at timestamp DEFAULT now());
CREATE TABLE chi (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('chi') CHECK (id LIKE 'chi_%'), created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamp DEFAULT clock_timestamp()) INHERITS (par);
CREATE TABLE older (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('odr') CHECK (id LIKE 'odr_%'), created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT (now() AT TIME ZONE 'utc')) PARTITION BY LIST (id);
CREATE TABLE older_1 PARTITION OF older (created_at DEFAULT (now() AT TIME ZONE 'utc'), updated_at DEFAULT now()) DEFAULT;
CREATE TABLE same (id text COLLATE "C" PRIMARY KEY DEFAULT 'sam_1', created_at timestamptz NOT NULL DEFAULT '2020-01-01 00:00:00Z', updated_at timestamp DEFAULT '2020-01-01') PARTITION BY LIST (id);
CREATE TABLE same_1 PARTITION OF same DEFAULT;
CREATE TABLE ups (id text COLLATE "C" PRIMARY KEY DEFAULT 'USR_' || gen_random_uuid() CHECK (id LIKE 'USR_%')); CREATE TABLE downs (id text COLLATE "C" PRIMARY KEY CHECK (id LIKE '\_usr\_%'));
CREATE TABLE quotes (id text COLLATE "C" PRIMARY KEY CHECK (id LIKE 'it''s(_%'));
CREATE TABLE generated (author text COLLATE "C", user_id text COLLATE "C" GENERATED ALWAYS AS (author) STORED REFERENCES users);
CREATE TABLE likes (author text COLLATE "C", user_id text COLLATE "C" GENERATED ALWAYS AS (author) STORED, other_id text COLLATE "C" GENERATED ALWAYS AS (author) STORED);
CREATE UNLOGGED TABLE sessions (id text COLLATE "C" PRIMARY KEY); CREATE TABLE hits (session_id text COLLATE "C"); CREATE UNLOGGED TABLE visits (session_id text COLLATE "C", user_id text COLLATE "C");
CREATE TYPE place AS (thing_id text, name text); CREATE TABLE places OF place; CREATE TABLE free (thing_id text); CREATE TABLE bound (thing_extid text, storytime jsonb, created_at timestamptz) INHERITS (free);
CREATE TABLE parted (n bigint, updated_at timestamptz) PARTITION BY LIST (n); CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1) PARTITION BY LIST (n); CREATE TABLE parted_2 PARTITION OF parted_1 DEFAULT;
CREATE TABLE parted_3 PARTITION OF parted DEFAULT;
CREATE TRIGGER updated_at BEFORE UPDATE ON parted_2 FOR EACH ROW EXECUTE FUNCTION updated_at(); CREATE TRIGGER updated_at_1 BEFORE UPDATE ON parted_3 FOR EACH ROW EXECUTE FUNCTION updated_at();
CREATE TRIGGER updated_at BEFORE UPDATE ON parted EXECUTE FUNCTION noop();
CREATE TABLE replaced (n bigint, updated_at timestamptz); CREATE TABLE replaced_1 () INHERITS (replaced);
CREATE TRIGGER updated_at AFTER UPDATE ON replaced FOR EACH ROW EXECUTE FUNCTION noop(); CREATE TRIGGER updated_at BEFORE UPDATE ON replaced_1 FOR EACH ROW EXECUTE FUNCTION updated_at();
};
install('judged_without');
$node->safe_psql('postgres', 'CREATE DATABASE judged_with TEMPLATE template0');
$node->safe_psql('judged_with', 'CREATE EXTENSION dbkit');
for my $db ('judged_with', 'judged_without')
{
	$node->safe_psql($db, 'SET check_function_bodies = off; CREATE TABLE old_enum (id int); CREATE TYPE color AS ENUM ($$red$$);');
	(undef, undef, $stderr) = $node->psql($db, "SET dbkit.enforce = off;\n$judged");
	is($stderr =~ s/^WARNING: .*\n//mgr, '', "$db: the tables are made");
	(undef, undef, $stderr) = $node->psql($db, "SET client_min_messages = error;\n$dependents");
	is($stderr, '', "$db: and those that are hard to fix");
}
# Policies of every form, roles and members, keys and views of tenants
my $tenants = q{
SET dbkit.enforce = off;
CREATE TABLE tenants (id text COLLATE "C" PRIMARY KEY, organization_id text COLLATE "C", published boolean, "Organization ""x"" id" text, note_id text REFERENCES tenants, UNIQUE (organization_id, id));
ALTER TABLE tenants ADD FOREIGN KEY (organization_id, note_id) REFERENCES tenants (organization_id, id), ADD FOREIGN KEY (note_id, organization_id) REFERENCES tenants (organization_id, id),
	ADD FOREIGN KEY ("Organization ""x"" id", note_id) REFERENCES tenants (organization_id, id), ADD FOREIGN KEY (organization_id) REFERENCES organizations;
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION "Who is it?"() RETURNS text LANGUAGE sql STABLE RETURN current_setting('app.tenant', true);
SELECT format('CREATE POLICY p%s ON tenants %s', lpad(number::text, 3, '0'), policy)
FROM unnest(ARRAY[
	'USING (true)', 'FOR SELECT USING (organization_id = dbkit.organization_id() OR true)', 'FOR UPDATE USING (true AND true) WITH CHECK (organization_id = id)', 'FOR DELETE USING (NOT false)',
	'FOR INSERT WITH CHECK (true IS TRUE)', 'USING (organization_id = id) WITH CHECK (1 = 1)', 'FOR SELECT USING (organization_id = organization_id)', 'USING (coalesce(true, published))',
	'USING (organization_id = "Who is it?"() OR "Who is it?"() IS NULL)', 'FOR SELECT USING (organization_id = '') OR (true OR '')',
	'USING (nullif(current_setting(''app.tenant'', true), '''') IS NULL OR organization_id = id)', 'USING (current_setting(''app.tenant'', true) = '''' OR organization_id = id)',
	'USING ((SELECT "Who is it?"()) IS NULL OR organization_id = id)', 'USING ((organization_id = "Who is it?"()) IS NOT FALSE)', 'USING ((organization_id <> "Who is it?"()) IS NOT TRUE)',
	'USING ((organization_id = "Who is it?"()) IS NULL)', 'USING ((organization_id = "Who is it?"()) IS UNKNOWN)', 'USING (coalesce(organization_id = "Who is it?"(), true))',
	'USING ((organization_id = "Who is it?"()) IS DISTINCT FROM false)', 'USING (dbkit.organization_id() IS NULL AND (true OR published))', 'USING (published AND (true OR published))',
	'USING (false)', 'USING (NULL)', 'USING (NOT true)', 'USING (organization_id = dbkit.organization_id())', 'USING (organization_id = "Who is it?"() OR published IS NOT FALSE)',
	'USING (organization_id = id OR organization_id IS NULL)', 'USING (coalesce(published, true))', 'USING (coalesce(organization_id = "Who is it?"(), false))', 'USING (organization_id = ''"'')',
	'USING (organization_id = "Who is it?"() AND "Who is it?"() IS NULL)', 'USING (current_setting(''app.role'', true) = ''admin'')', 'USING (organization_id = id)', 'USING (1 = 2)',
	'USING (organization_id = coalesce("Who is it?"(), organization_id))', 'USING (organization_id IS NOT DISTINCT FROM coalesce("Who is it?"(), organization_id))', 'USING ((SELECT true))',
	'USING (EXISTS (SELECT 1))', 'USING (2 > 1)', 'USING (1.0 = 1.00)', 'USING (1 >= 2)', 'USING (organization_id = coalesce(id, organization_id))', 'USING (organization_id IS NOT DISTINCT FROM organization_id)',
	'USING (EXISTS (SELECT FROM organizations o WHERE o.id = organization_id))', 'TO regress_hosted USING (true)', 'TO regress_customer USING (true)', 'TO regress_customer, regress_hosted USING (true)',
	'AS RESTRICTIVE FOR DELETE USING (id <> '''')', 'AS RESTRICTIVE FOR UPDATE TO regress_hosted USING (id <> '''')', 'AS RESTRICTIVE TO regress_hosted USING (true) WITH CHECK (id <> '''')']) WITH ORDINALITY AS x (policy, number) \gexec
CREATE TABLE forced (n bigint) PARTITION BY LIST (n);
CREATE TABLE forced_1 PARTITION OF forced FOR VALUES IN (1) PARTITION BY LIST (n);
CREATE TABLE forced_1_1 PARTITION OF forced_1 FOR VALUES IN (1);
CREATE TABLE forced_2 PARTITION OF forced FOR VALUES IN (2);
CREATE TABLE forced_3 PARTITION OF forced FOR VALUES IN (3);
CREATE TABLE forced_4 PARTITION OF forced FOR VALUES IN (4);
-- there a new partition is protected by itself
ALTER TABLE parts_1 ENABLE ROW LEVEL SECURITY;
ALTER TABLE ONLY forced ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE forced_2 ENABLE ROW LEVEL SECURITY;
GRANT INSERT ON forced_1_1, forced_2 TO regress_customer;
GRANT TRUNCATE ON forced_3 TO regress_customer;
ALTER TABLE forced_3 OWNER TO regress_hosted;
GRANT SELECT ON forced_4 TO regress_super;
CREATE TABLE owned (n bigint, organization_id text COLLATE "C") PARTITION BY LIST (n);
CREATE TABLE owned_1 PARTITION OF owned FOR VALUES IN (1);
ALTER TABLE owned ENABLE ROW LEVEL SECURITY;
ALTER TABLE owned_1 ENABLE ROW LEVEL SECURITY;
CREATE POLICY debug ON owned_1 USING (true);
CREATE POLICY closed ON owned_1 USING (organization_id = "Who is it?"());
CREATE FOREIGN DATA WRAPPER far;
CREATE SERVER far FOREIGN DATA WRAPPER far;
SET client_min_messages = error;
CREATE FOREIGN TABLE owned_2 PARTITION OF owned FOR VALUES IN (2) SERVER far;
GRANT SELECT ON owned_2 TO regress_customer;
RESET client_min_messages;
CREATE TABLE above (n bigint);
CREATE TABLE below () INHERITS (above);
CREATE TABLE below_enum () INHERITS (below);
ALTER TABLE ONLY above ENABLE ROW LEVEL SECURITY;
GRANT UPDATE (n) ON below, below_enum TO PUBLIC;
CREATE VIEW invoking WITH (security_invoker) AS SELECT n FROM above;
CREATE VIEW on_invoking AS SELECT n FROM invoking;
CREATE MATERIALIZED VIEW stored AS SELECT n FROM on_invoking;
CREATE VIEW on_stored AS SELECT n FROM stored;
CREATE VIEW alone AS SELECT n FROM above JOIN forced USING (n);
GRANT SELECT ON invoking, on_invoking, stored TO regress_customer;
GRANT SELECT (n) ON on_stored TO PUBLIC;
};
for my $db ('judged_with', 'judged_without')
{
	(undef, undef, $stderr) = $node->psql($db, $tenants);
	is($stderr =~ s/^(psql:.*)?WARNING: .*\n//mgr, '', "$db: what is about tenants is made");
}
# Return what is said of rules that cannot be.
sub refusals
{
	my ($db) = @_;
	return join '', map { (undef, undef, my $err) = $node->psql($db, "$_;"); $err =~ s/^psql:<stdin>:\d+: //mgr =~ s/\nCONTEXT:.*//sr =~ s/pg_catalog\.//gr . "\n" }
		q{SELECT dbkit.add_rule('plural', 'team.plural(oid)', '{table}', 'x')}, q{SELECT dbkit.add_rule('bigint', 'team.plural(oid)', '{table}', 'x')},
		q{SELECT dbkit.add_rule('X', 'team.plural(oid)', '{table}', 'x')}, q{SELECT dbkit.add_rule('x', 'team.plural(oid)', '{tables}', 'x')},
		q{SELECT dbkit.add_rule('x', 'team.plural(oid)', '{}', 'x')}, q{SELECT dbkit.add_rule('x', 'team.plural(oid)', '{table,NULL}', 'x')},
		q{SELECT dbkit.add_rule('x', 'team.plural(oid)', NULL, 'x')}, q{SELECT dbkit.add_rule('x', 'team.plural(oid)', '{table}', ' ')},
		q{SELECT dbkit.add_rule('x', 'team.plural(oid)', '{table}', 'x', 'y')}, q{SELECT dbkit.add_rule('x', 'pg_catalog.oidin(cstring)', '{table}', 'x')},
		q{SELECT dbkit.drop_rule('bigint')}, q{SELECT dbkit.agree('{"own_rules": {"plural": {"judge": "team.none(oid)"}}}')},
		q{SELECT dbkit.agree('{"own_rules": {"plural": {"kinds": ["x"], "phase": "x"}, "short": 1, "any": null, "Y": {}}}')}, q{SELECT dbkit.agree('{"own_rules": []}')};
}

# The rules of a team: what they find, and what is wrong with them and their functions
my $team = q{
	CREATE SCHEMA team;
	CREATE FUNCTION team.plural(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE sql STABLE AS
		$$ SELECT NULL, format('"%s" is not plural', relname), format('ALTER TABLE %I.%I RENAME TO %I -- or so', relnamespace::regnamespace, relname, relname || 's')
		FROM pg_class WHERE oid = object AND relname NOT LIKE '%s' $$;
	COMMENT ON FUNCTION team.plural IS 'Tables hold many rows.';
	CREATE FUNCTION team.short(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE plpgsql STABLE AS
		$$ BEGIN RETURN QUERY SELECT attname::text, format('"%s" is short', attname), ' '::text FROM pg_attribute WHERE attrelid = object AND attnum > 0 AND length(attname) < 3 ORDER BY attnum; END $$;
	CREATE FUNCTION team.any(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE sql STABLE AS
		$$ SELECT 'none', 'one', NULL UNION ALL SELECT '', 'two', 'SELECT 2;' $$;
	CREATE FUNCTION team.faulty(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE sql STABLE AS
		$$ SELECT 'n', CASE WHEN relname < 'm' THEN 'early' END, NULL FROM pg_class WHERE oid = object $$;
	CREATE FUNCTION team.gone(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE sql STABLE AS $$ SELECT '', '', '' $$;
	CREATE FUNCTION team.write() RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.users DEFAULT VALUES; RETURN 'x'; END $$;
	CREATE FUNCTION team.writing(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE sql STABLE AS
		$$ SELECT NULL, team.write(), NULL $$;
	SELECT dbkit.add_rule('plural', 'team.plural(oid)', '{table,view}', 'names are plural');
	SELECT dbkit.add_rule('short', 'team.short(oid)', '{table,"enum table"}', 'names are long', 'statement');
	SELECT dbkit.add_rule('any', 'team.any(oid)', '{"enum type",function,partition,"materialized view"}', 'nothing is right');
	SELECT dbkit.add_rule('faulty', 'team.faulty(oid)', '{table}', 'fails');
	SELECT dbkit.add_rule('writing', 'team.writing(oid)', '{table}', 'writes');
	SELECT dbkit.add_rule('gone', 'team.gone(oid)', '{table}', 'is not there');
	DROP FUNCTION team.gone;
	SELECT dbkit.exempt('public.t%', 'short', 'why not');
	SELECT name, value, hint FROM dbkit.status() WHERE name ~ 'rule (plural|short|any|faulty|writing|gone)$'};
my %said;
for my $db ('judged_with', 'judged_without')
{
	(undef, $said{$db}, $stderr) = $node->psql($db, $team);
	$said{$db} .= $stderr =~ s/^psql:<stdin>:\d+: //mgr =~ s/^CONTEXT:.*\n//mgr;
	$said{$db} .= refusals($db);
}
same($said{judged_without}, $said{judged_with}, 'rules of a team are added and refused in the same words');

# The text of expressions that is read, and the functions' own, depend on settings of the session.
{
	my ($plain, $set) = map { $node->safe_psql('judged_without', "SET client_min_messages = error; $_ SELECT * FROM dbkit.check()") }
		'', 'SET quote_all_identifiers = on; SET standard_conforming_strings = off;';
	cmp_ok(scalar(split /\n/, $plain), '>', 100, 'many rules are broken');
	same($set, $plain, 'and that is found whatever the session has set for the text of SQL');
}
is($node->safe_psql('judged_without', q{SELECT oid::regprocedure FROM pg_proc
	WHERE (pronamespace = 'dbkit'::regnamespace OR proname IN ('generate_id', 'updated_at')) AND prosqlbody IS NULL
		AND strpos(regexp_replace(prosrc, $$\mE'(\\\\.|[^'\\\\]|'')*'$$, '', 'g'), '\') > 0 AND NOT coalesce('standard_conforming_strings=on' = ANY (proconfig), false)}), '',
	'each function that has a backslash in a literal says how that is read');
{
	my $functions = q{SELECT oid::regprocedure, md5(coalesce(pg_get_function_sqlbody(oid), prosrc)) FROM pg_proc WHERE pronamespace = 'dbkit'::regnamespace ORDER BY 1};
	my $before = $node->safe_psql('hosted', $functions);
	local $ENV{PGOPTIONS} = '-c standard_conforming_strings=off -c quote_all_identifiers=on';
	is(run_file('hosted', 'dbkit.sql', 'regress_hosted'), '', 'it is installed again where such settings are another');
	delete $ENV{PGOPTIONS};
	is($node->safe_psql('hosted', $functions), $before, 'and does the same');
}

# In a parallel query nothing can be set, and no subtransaction begun.
is($node->safe_psql('judged_without', q{
	WITH functions AS (
		SELECT oid, proname, proparallel::text AS parallel, regexp_replace(coalesce(pg_get_function_sqlbody(oid), prosrc), $$'([^']|'')*'$$, '', 'g') AS body
		FROM pg_proc WHERE pronamespace = 'dbkit'::regnamespace OR proname IN ('generate_id', 'updated_at'))
	SELECT f.oid::regprocedure FROM functions f
	WHERE f.parallel <> 'u' AND f.body ~ '\mEXCEPTION\s+WHEN|\mset_config\('
		OR EXISTS (SELECT FROM functions g WHERE f.body ~ ('\m' || g.proname || '\(') AND strpos('sru', f.parallel) < strpos('sru', g.parallel))}), '',
	'no function claims to be safer in a parallel query than those that it calls');
is($node->safe_psql('hosted', q{
	SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	SELECT count(*) FILTER (WHERE dbkit.table_of(id) = 'documents'::regclass) > 1 FROM documents;
	SELECT count(*) > 1 FROM documents WHERE dbkit.table_of(id) IN (SELECT relation FROM dbkit.id_prefix WHERE prefix = 'doc')}), "t\nt",
	'tables are looked up by ids in a parallel query');
install('empty');
(undef, undef, $stderr) = $node->psql('empty', q{SELECT dbkit.table_of('zzz')});
like($stderr, qr/ERROR:  invalid id: "zzz"/, 'what is no id is refused also where no table has a prefix');

# A member of the role that owns the database may agree, and what it has agreed on is used.
{
	my $member = q{SET client_min_messages = error; SELECT dbkit.agree('{"preset": "bigint"}'); SELECT dbkit.agreement() ->> 'preset'; SELECT dbkit.agree('{"preset": "uuid"}'); SELECT dbkit.agreement() ->> 'preset';
		SELECT proowner::regrole FROM pg_proc WHERE proname = 'dbkit_agreement'; DROP FUNCTION dbkit_agreement();
		SET ROLE regress_team; SELECT dbkit.exempt('a', 'bigint', 'why') IS NULL; SELECT proowner::regrole FROM pg_proc WHERE proname = 'dbkit_agreement'; DROP FUNCTION dbkit_agreement()};
	my $as = sub { ($node->psql($_[0], $_[2], extra_params => [ '-U', $_[1] ]))[1, 2] };
	$node->safe_psql('postgres', 'CREATE ROLE regress_team LOGIN; CREATE ROLE regress_member LOGIN IN ROLE regress_team; CREATE ROLE regress_admin LOGIN');
	$node->safe_psql('postgres', "CREATE DATABASE $_ OWNER regress_team TEMPLATE template0") for 'shared', 'shared_without';
	is(run_file('shared_without', 'dbkit.sql', 'regress_team'), '', 'the edition is installed by a role with members');
	$node->safe_psql('shared', 'CREATE EXTENSION dbkit');
	for my $db ('shared', 'shared_without')
	{
		is_deeply([ $as->($db, 'regress_member', $member) ], [ qq({}\nbigint\n{"preset": "bigint"}\nuuid\nregress_team\nf\nregress_team), '' ], "$db: a member of the owner agrees");
	  SKIP:
		{
			skip 'before PostgreSQL 16 a member can give the owner something', 1 if $node->pg_version < 16;
			$node->safe_psql('postgres', 'CREATE ROLE regress_half LOGIN; GRANT regress_team TO regress_half WITH SET FALSE') if $db eq 'shared';
			like(($as->($db, 'regress_half', q{SELECT dbkit.agree('{}')}))[1], qr/ERROR:  must be able to SET ROLE "regress_team"/, "$db: one that cannot give the owner something is told so");
		}
	}
	# The extension has another owner than the database.
	$node->safe_psql('shared', 'DO $$ BEGIN EXECUTE format($f$GRANT %I TO regress_admin$f$, current_user); END $$; GRANT CREATE ON SCHEMA public TO regress_admin');
	is_deeply([ $as->('shared', 'regress_admin', q{SELECT dbkit.agree('{"preset": "bigint"}'); SELECT dbkit.agreement() ->> 'preset';
		SELECT proowner = extowner FROM pg_proc, pg_extension WHERE proname = 'dbkit_agreement' AND extname = 'dbkit'}) ],
		[ qq({}\nbigint\nt), '' ], 'a member of the owner of the extension agrees');
	# Of two owners, it is the extension's that may surely create in its schema.
	$node->safe_psql('shared', 'GRANT regress_team TO regress_admin; DROP FUNCTION dbkit_agreement(); DROP EXTENSION dbkit; CREATE SCHEMA apart; CREATE EXTENSION dbkit SCHEMA apart; GRANT USAGE, CREATE ON SCHEMA apart TO regress_admin');
	is_deeply([ $as->('shared', 'regress_admin', q{SELECT dbkit.agree('{"preset": "bigint"}'); SELECT dbkit.agreement() ->> 'preset'}) ],
		[ qq({}\nbigint), '' ], 'a member of both owners agrees');
}

for my $agreement ((map { qq({"preset": "$_"}) } qw(house uuid bigint rails django minimal)),
	'{"preset": "none", "admin_role": "regress_customer", "organization_columns": ["organization_id", "Organization \\"x\\" id"], "rules": {"tenant_key": "error", "open_policy": "error", "policy_with_check": "warning", "partition_rls": "error", "rls_view": "warning"}}',
	'{"preset": "none", "admin_role": null, "organization_columns": ["organization_id"], "rules": {"open_policy": "warning", "policy_with_check": "error", "rls_view": "error", "view_security_invoker": "error"}}',
	'{"preset": "house", "rules": {"rls_forced": "warning", "organization_scope": "warning", "constraint_validated": "error", "security_definer_path": "error", "text_type": "error", "jsonb_type": "error", "money_type": "error", "snake_case": "error", "function_search_path": "warning"}}',
	'{"preset": "house", "rules": {"text_id": "off", "bigint": "off", "text_type": "warning", "jsonb_type": "error", "storytime": "off", "fk_type": "error", "function_search_path": "error"}}',
	'{"preset": "house", "id_style": "any", "composite_keys": true, "rules": {"bigint": "off"}, "schemas": {"public": {"rules": {"storytime": "off"}}}}')
{
	my $query = "SET search_path = pg_catalog; SELECT FROM dbkit.agree('$agreement'); SELECT row_number() OVER (), * FROM dbkit.check()";
	my $expected = $node->safe_psql('judged_with', "SET client_min_messages = error; $query");
	cmp_ok(length $expected, '>', 100, "there are findings by $agreement");
	same($node->safe_psql('judged_without', $query), $expected, 'and those of the edition without C are the same');
	same($node->safe_psql('judged_without', $_), $node->safe_psql('judged_with', $_), 'as are the rules and the agreement') for "$rules; SELECT dbkit.agreement()";
}

# What would confine a role, of all that is planted for it
$node->safe_psql('postgres', q{CREATE ROLE regress_tenant BYPASSRLS REPLICATION; CREATE ROLE regress_granting; CREATE ROLE regress_stranger; GRANT regress_reader TO regress_tenant WITH ADMIN OPTION;
	GRANT SET ON PARAMETER dbkit.enforce TO regress_tenant});
for my $db ('judged_with', 'judged_without')
{
	$node->safe_psql($db, q{
		SET client_min_messages = error;
		DO $$ BEGIN IF EXISTS (SELECT FROM pg_extension WHERE extname = 'dbkit' AND extversion <> 'portable') THEN SET dbkit.enforce = off; END IF; END $$;
		CREATE SCHEMA "con.fine";
		GRANT CREATE, USAGE ON SCHEMA "con.fine" TO PUBLIC, regress_reader;
		CREATE TABLE "con.fine"."a ""b""" (n int, "c d" int);
		CREATE TABLE "con.fine"."own
	it" (n int);
		ALTER TABLE "con.fine"."own
	it" OWNER TO regress_tenant;
		GRANT SELECT, TRIGGER, TRUNCATE ON "con.fine"."a ""b""" TO PUBLIC, regress_tenant;
		GRANT REFERENCES ("c d") ON "con.fine"."a ""b""" TO PUBLIC;
		GRANT TRIGGER ON "con.fine"."a ""b""" TO regress_granting WITH GRANT OPTION;
		SET ROLE regress_granting;
		GRANT TRIGGER ON "con.fine"."a ""b""" TO regress_tenant WITH GRANT OPTION;
		SET ROLE regress_tenant;
		GRANT TRIGGER ON "con.fine"."a ""b""" TO regress_reader;
		RESET ROLE;
		CREATE FUNCTION "con.fine".definer(a "con.fine"."a ""b"""[], b text, OUT c int) LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
		CREATE FUNCTION "con.fine".sign_up() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT 1';
		GRANT EXECUTE ON FUNCTION "con.fine".sign_up() TO regress_tenant;
		CREATE PROCEDURE "con.fine".definer() LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
		CREATE FUNCTION "con.fine".fires() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN NEW; END';
		CREATE FUNCTION "con.fine".bound() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
		ALTER FUNCTION "con.fine".bound() OWNER TO regress_granting;
		GRANT EXECUTE ON FUNCTION pg_read_file(text) TO regress_tenant;
		ALTER DEFAULT PRIVILEGES FOR ROLE regress_granting GRANT TRIGGER, TRUNCATE ON TABLES TO regress_tenant;
		ALTER DEFAULT PRIVILEGES FOR ROLE regress_granting IN SCHEMA "con.fine" GRANT TRIGGER ON TABLES TO PUBLIC;
		CREATE FOREIGN DATA WRAPPER con_fine; CREATE SERVER con_fine FOREIGN DATA WRAPPER con_fine; GRANT USAGE ON FOREIGN SERVER con_fine TO regress_tenant});
}
for my $role ('regress_tenant', 'regress_reader', 'regress_stranger')
{
	my $query = "SET search_path = pg_catalog; SELECT replace(statement, current_database(), 'this') FROM dbkit.confine_sql('$role') AS statement WHERE statement !~ '^GRANT .* ON DATABASE|public\\.'";
	my ($expected, $said) = map { $node->safe_psql($_, $query) } 'judged_with', 'judged_without';
	cmp_ok(scalar(split /\n/, $expected), '>', 15, "$role is not confined");
	same($said, $expected, 'and the edition without C writes the same to confine it');
}
for my $db ('judged_with', 'judged_without')
{
	is($node->safe_psql($db, q{SELECT statement FROM dbkit.confine_sql('regress_tenant') AS statement \gexec
		SELECT count(*), min(left(statement, 2)) FROM dbkit.confine_sql('regress_tenant') AS statement}) =~ s/.*\n//sr, '1|--', "$db: but for what it owns, it is confined then");
}
{
	my $query = q{SELECT FROM dbkit.agree('{"preset": "none", "customer_role": "regress_reader", "rules": {"customer_role_confined": "error"}}');
		SELECT rule, level, object_type, object_identity, column_name, replace(problem, current_database(), 'this'), fix IS NULL, risk FROM dbkit.check()};
	my ($expected, $said) = map { $node->safe_psql($_, "SET client_min_messages = error; $query") } 'judged_with', 'judged_without';
	like($expected, qr/^customer_role_confined\|error\|role\|regress_reader\|\|it can get out of its tenant/m, 'dbkit.check() reports a role that is not');
	same($said, $expected, 'and so does the edition without C');
	$node->safe_psql($_, q{SELECT dbkit.agree('{"customer_role": null, "rules": {"customer_role_confined": null}}')}) for 'judged_with', 'judged_without';
}

# Roles count whose members may act as them, unless row level security does not bind these.
for my $grant ('GRANT regress_super TO regress_bypass', 'GRANT regress_super TO regress_reader', 'GRANT regress_hosted TO regress_reader',
	'GRANT pg_write_all_data TO regress_reader', 'GRANT pg_read_all_data TO regress_reader')
{
	my $query = "SET search_path = pg_catalog; SELECT FROM dbkit.agree('{\"preset\": \"none\", \"rules\": {\"partition_rls\": \"error\", \"rls_view\": \"warning\"}}'); SELECT * FROM dbkit.check()";
	my $before = $node->safe_psql('judged_with', "SET client_min_messages = error; $query");
	$node->safe_psql('postgres', $grant);
	my $expected = $node->safe_psql('judged_with', "SET client_min_messages = error; $query");
	same($node->safe_psql('judged_without', $query), $expected, "$grant: the edition without C finds the same");
	is($expected eq $before, scalar($grant =~ /TO regress_bypass/), 'which is more than before, unless the member is not bound either');
}
is_deeply([ map { $node->safe_psql($_, q{SELECT dbkit.baseline() > 0; SELECT count(*) FROM dbkit.check() WHERE rule ~ '^(plural|short|any)$';
	SELECT dbkit.drop_rule('plural'), dbkit.drop_rule('short'), dbkit.drop_rule('short'); SELECT dbkit.agreement()}) } 'judged_without' ],
	[ map { $node->safe_psql($_, q{SELECT dbkit.baseline() > 0; SELECT count(*) FROM dbkit.check() WHERE rule ~ '^(plural|short|any)$';
	SELECT dbkit.drop_rule('plural'), dbkit.drop_rule('short'), dbkit.drop_rule('short'); SELECT dbkit.agreement()}) } 'judged_with' ],
	'they are in the baseline, and dropped with all that the agreement says of them');

# dbkit.run_as() does the same, as long as the script does not ask for other rights
my $run_as = q{
\set VERBOSITY verbose
SET dbkit.enforce = off;
CREATE SCHEMA run AUTHORIZATION regress_hosted;
CREATE VIEW run.now AS SELECT current_user = session_user AS is_caller, name, setting FROM pg_settings WHERE name IN ('search_path', 'TimeZone', 'work_mem') ORDER BY name;
SET timezone = 'Asia/Tokyo';
SELECT dbkit.run_as('regress_hosted', $$SET LOCAL timezone = 'UTC'; SET LOCAL work_mem = 77; SET LOCAL search_path = run; CREATE TABLE made AS SELECT current_user AS is, current_setting('timezone') AS zone$$);
TABLE run.now;
TABLE run.made;
SELECT tableowner FROM pg_tables WHERE schemaname = 'run';
BEGIN; SELECT dbkit.run_as('regress_hosted', ''); SELECT dbkit.run_as('regress_hosted', 'SET LOCAL work_mem = 77'); TABLE run.now; COMMIT;
SELECT dbkit.run_as(NULL, 'SELECT 1') IS NULL;
SELECT dbkit.run_as('nobody there', 'SELECT 1');
SELECT dbkit.run_as('regress_hosted', 'SELECT FROM made');
SELECT dbkit.run_as('regress_hosted', 'SELECT 1; COMMIT');
SELECT dbkit.run_as('regress_hosted', 'COPY run.made TO STDOUT');
SELECT dbkit.run_as('regress_stranger', 'DROP TABLE run.made');
BEGIN; SELECT dbkit.enter('usr_1', 'org_1'); SELECT dbkit.run_as('regress_hosted', 'SELECT 1'); ROLLBACK;
SET ROLE regress_stranger;
SELECT dbkit.run_as('regress_hosted', 'DROP TABLE run.made');
SELECT dbkit.run_as('regress_stranger', 'SELECT 1');
RESET ROLE;
TABLE run.now;
DROP SCHEMA run CASCADE;
};
my %outcome;
for my $db ('judged_with', 'judged_without')
{
	($status, $stdout, $stderr) = $node->psql($db, "SET client_min_messages = warning; $run_as", on_error_stop => 0);
	$outcome{$db} = join "\n", $stdout, $stderr =~ /ERROR:  (\w+):/g;
}
like($outcome{judged_with}, qr/^regress_hosted\|UTC\nregress_hosted$/m, 'dbkit.run_as() runs a script with other rights');
same($outcome{judged_without}, $outcome{judged_with}, 'and does the same without C, errors included');

# Typed JSON of the one is that of the other, there and back: rows of every make, and what is refused
my $typed = <<'SQL';
SET dbkit.enforce = off;
CREATE SCHEMA typed;
CREATE TYPE typed.mood AS ENUM ('a b', 'c');
CREATE TYPE typed.pair AS (x int, at timestamptz, "we""ird \" text);
CREATE DOMAIN typed.positive_pair AS typed.pair CHECK ((VALUE).x > 0);
CREATE DOMAIN typed.numbers AS int[];
CREATE DOMAIN typed.short AS varchar(3);
CREATE TABLE typed.wide (id int, gone int, mood typed.mood, pair typed.pair, positive typed.positive_pair, pairs typed.pair[], positives typed.positive_pair[], numbers typed.numbers, lists typed.numbers[],
	short typed.short, json json, b bpchar(5), moods typed.mood[], days date[], amounts numeric(6, 2)[], price float8, boxes box[], span tstzrange, at timestamptz(0), raw bytea, "__sentinel" jsonb);
ALTER TABLE typed.wide DROP COLUMN gone;
INSERT INTO typed.wide VALUES (1, 'a b', ROW(1, '2024-01-01 00:00+00', 'q"\,()'), ROW(2, NULL, NULL), ARRAY[ROW(1, NULL, 'x'), NULL, ROW(NULL, NULL, NULL)]::typed.pair[],
	ARRAY[ROW(5, '2024-01-01 00:00:00.000001+00', 'y')]::typed.positive_pair[], '[-1:0]={1,2}', '{"{1,2}",NULL,"{}","[0:0]={3}"}', 'abc', '{"__sentinel": 1}', 'ab', '{c,NULL}', '[2:3]={2024-01-01,NULL}',
	'{{1.5},{NULL}}', '-0', '{(1,2),(3,4);(5,6),(7,8)}', '[2024-01-10 12:00+00,)', '1900-01-01 00:00+00', '\x00ff', '[null, {"__sentinel": {}}]');
INSERT INTO typed.wide (id, json) VALUES (2, 'null');
INSERT INTO typed.wide (id, "__sentinel") SELECT 10 + n, to_jsonb(array_fill(n, ARRAY[n])) FROM generate_series(1, 5) AS n;
SELECT format('CREATE TABLE typed.many (%s)', string_agg(format('c%s date', n), ', ')) FROM generate_series(1, 300) AS n \gexec
INSERT INTO typed.many (c1, c300) VALUES ('2024-01-01', '2024-02-02');
SELECT dbkit.to_typed_json(w), dbkit.from_typed_json(NULL::typed.wide, dbkit.to_typed_json(w)), dbkit.is_typed_json(dbkit.to_typed_json(w)) FROM typed.wide AS w ORDER BY id;
SELECT count(*) FROM typed.wide AS w WHERE dbkit.from_typed_json(NULL::typed.wide, dbkit.to_typed_json(w))::text <> w::text;
SELECT dbkit.from_typed_json(w, '{"id": 7, "unknown": 1, "mood": null}') FROM typed.wide AS w ORDER BY id;
SELECT dbkit.to_typed_json(m), dbkit.from_typed_json(NULL::typed.many, dbkit.to_typed_json(m)) = m FROM typed.many AS m;
SELECT dbkit.from_typed_json(NULL::pg_class, dbkit.to_typed_json(c))::text = c::text FROM pg_class AS c WHERE relname = 'pg_class';
SELECT dbkit.to_typed_json(s), dbkit.from_typed_json(s, '{"said": "new"}') FROM (SELECT id, 'said' AS said, mood, positive, lists FROM typed.wide ORDER BY id LIMIT 2) AS s;
SELECT dbkit.to_typed_json(ROW()), dbkit.from_typed_json(ROW(), '{}'), dbkit.from_typed_json(ROW(), NULL), dbkit.from_typed_json(ROW(1, now()), NULL), dbkit.from_typed_json(ROW(1, '2024-01-01'::date), '{"f1": 5}');
SELECT dbkit.to_typed_json(lists), dbkit.to_typed_json(numbers), dbkit.to_typed_json(pairs), dbkit.to_typed_json(positive) FROM typed.wide WHERE id = 1;
SELECT dbkit.from_typed_json(NULL::int[], '[[], []]'), dbkit.from_typed_json(NULL::int[], '{"__sentinel": "array", "value": [], "lower_bounds": []}'), dbkit.from_typed_json(NULL::int[], '{"__sentinel": "array", "value": [1, 2], "lower_bounds": [-3.2]}');
SELECT dbkit.from_typed_json(NULL::bool, 'true'), dbkit.from_typed_json(NULL::text, 'true'), dbkit.from_typed_json(NULL::text, '1.50'), dbkit.from_typed_json(NULL::xid8, '5');
SELECT dbkit.from_typed_json(NULL::typed.pair[], '[{"x": 1}, null, {"we\"ird \\": "a\\\"b{},"}]'), dbkit.from_typed_json(NULL::typed.positive_pair, 'null') IS NULL;
UPDATE typed.wide SET pair.at = 'infinity' WHERE id = 1;
SELECT dbkit.to_typed_json(w) FROM typed.wide AS w WHERE id = 1;
SELECT dbkit.from_typed_json(w, '{"id": 8}') FROM typed.wide AS w WHERE id = 1;
SELECT dbkit.from_typed_json(ROW(1, NULL, NULL)::typed.positive_pair, '{"x": -1}');
SELECT dbkit.from_typed_json('ab'::typed.short, '"abcd"');
SELECT dbkit.from_typed_json(NULL::timestamptz, '{"__sentinel": "timestamp", "value": null}');
SELECT dbkit.from_typed_json(NULL::typed.wide, '{"__sentinel": "object", "value": {"id": "5", "pair": {"__sentinel": "object", "value": {"x": true}}}}');
SELECT dbkit.from_typed_json(NULL::typed.wide, '{"json": {"a": {"__sentinel": 5}}}');
SELECT dbkit.from_typed_json(NULL::typed.pair[], '[{"x": 1}, [1]]');
SELECT dbkit.from_typed_json(NULL::typed.mood, '"zz"');
SELECT dbkit.from_typed_json(NULL::typed.pair, '{"x": 1.4}');
SELECT dbkit.is_typed_json('{"__sentinel": ["date"], "value": 1}'), dbkit.is_typed_json('["__sentinel"]'), dbkit.is_typed_json('{"__sentinel": "array", "value": {"a": 1}, "lower_bounds": 1}'), dbkit.is_typed_json('{"a": "\"__sentinel\": "}');
PREPARE q AS SELECT dbkit.to_typed_json(w) FROM typed.wide AS w WHERE id = 2;
EXECUTE q; ALTER TABLE typed.wide ADD late date DEFAULT '2024-05-05'; EXECUTE q; ALTER TABLE typed.wide ALTER late TYPE text; EXECUTE q;
DROP SCHEMA typed CASCADE;
SQL
for my $db ('judged_with', 'judged_without')
{
	($status, $stdout, $stderr) = $node->psql($db, "SET client_min_messages = warning; $typed", on_error_stop => 0);
	$outcome{$db} = join "\n", $stdout, grep { /^(psql:\S+ ERROR|DETAIL|HINT):/ } split /\n/, $stderr;
}
is(() = $outcome{judged_with} =~ /ERROR/g, 9, 'typed JSON, of which some is refused');
same($outcome{judged_without}, $outcome{judged_with}, 'and the edition without C writes and reads the same, errors included');

# Whatever the caller's search_path finds, no function looks there: all operators and most functions
# of PostgreSQL are planted in front, and raise.  The columns of a new table are the caller's.
install('planted');
my $planted = $node->safe_psql('planted', q{
CREATE SCHEMA planted;
CREATE TEMP TABLE types AS SELECT unnest('{text,name,int2,int4,int8,float8,bool,oid,jsonb,timestamptz,interval,text[],bytea,uuid,regclass,regproc}'::regtype[])::oid AS oid;
SELECT format('CREATE FUNCTION planted.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', proname, pg_get_function_identity_arguments(oid), prorettype::regtype, 'BEGIN RAISE EXCEPTION ''planted''; END')
FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND NOT proretset AND provariadic = 0 AND prorettype IN (TABLE types)
AND proargtypes::oid[] <@ ARRAY(TABLE types) AND proname NOT IN ('set_config') \gexec
SELECT format('CREATE FUNCTION planted.operator_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L', oid, oprleft::regtype, oprright::regtype, oprresult::regtype, 'BEGIN RAISE EXCEPTION ''planted''; END'),
	format('CREATE OPERATOR planted.%s (FUNCTION = planted.operator_%s, LEFTARG = %s, RIGHTARG = %s)', oprname, oid, oprleft::regtype, oprright::regtype)
FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprleft IN (TABLE types) AND oprright IN (TABLE types) AND oprresult IN (TABLE types) \gexec
GRANT USAGE ON SCHEMA planted TO PUBLIC;
SELECT count(*) FROM pg_operator WHERE oprnamespace = 'planted'::regnamespace});
cmp_ok($planted, '>', 200, 'operators are planted');
($status, $stdout, $stderr) = $node->psql('planted', q{
\set ON_ERROR_STOP off
SET search_path = planted, pg_catalog, public;
SELECT 'a' = 'a'::text; -- fails
\set ON_ERROR_STOP on
SET client_min_messages = error;
CREATE TABLE public.organizations (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('org') CHECK (dbkit.is_id(id, 'org')), updated_at timestamptz, changed_at timestamptz);
CREATE TRIGGER updated_at BEFORE UPDATE ON public.organizations FOR EACH ROW EXECUTE FUNCTION updated_at();
CREATE TRIGGER changed_at BEFORE UPDATE ON public.organizations FOR EACH ROW EXECUTE FUNCTION updated_at('changed_at');
INSERT INTO public.organizations DEFAULT VALUES;
UPDATE public.organizations SET updated_at = NULL;
SELECT dbkit.id_prefix(id), dbkit.id_uuid(id), dbkit.id_timestamp(id), dbkit.id_from_uuid('org', dbkit.id_uuid(id)), dbkit.table_of(id) FROM public.organizations;
SELECT dbkit.to_typed_json(o), dbkit.from_typed_json(NULL::public.organizations, dbkit.to_typed_json(o)), dbkit.from_typed_json(o, '{}'), dbkit.is_typed_json(dbkit.to_typed_json(o)),
	dbkit.json_timestamp(dbkit.to_typed_json(o.updated_at)), dbkit.json_date('"2024-01-10"'), dbkit.to_typed_json(ROW(1, ARRAY[1.5])), dbkit.from_typed_json('{}'::inet[], '{"__sentinel": "array", "value": ["10.0.0.1"], "lower_bounds": [0]}'),
	dbkit.from_typed_json(NULL::jsonb, '{"a": [{"__sentinel": "object", "value": {}}]}')
FROM public.organizations AS o;
SELECT dbkit.generate_id_at('org', timestamptz '2020-01-01'), dbkit.id_lower_bound('org', timestamptz '2020-01-01'), dbkit.id_upper_bound('org', timestamptz '2020-01-01');
SELECT dbkit.agree('{"rules": {"storytime": "warning"}}'), dbkit.agreement(), dbkit.exempt('public.o%', 'extid', 'why not'), dbkit.unexempt('public.o%', 'extid');
CREATE FUNCTION public.judge(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE sql STABLE AS $$ SELECT attname, format('%s', attname), NULL FROM pg_attribute WHERE attrelid = object $$;
SELECT dbkit.add_rule('own', 'public.judge(oid)', '{table,view}', 'x'), dbkit.agree('{"rules": {"own": "warning"}}');
SELECT dbkit.create_enum('public.color', '{red, green}');
SELECT dbkit.add_enum_value('public.color_enum', 'blue');
SELECT dbkit.enum_values('public.color_enum');
SELECT dbkit.create_table('public.documents', 'title text, color text REFERENCES public.color_enum, organization_id text', 'doc');
INSERT INTO public.documents (color) VALUES ('red');
SELECT dbkit.rename_enum_value('public.color_enum', 'red', 'crimson');
SELECT dbkit.drop_enum_value('public.color_enum', 'crimson', 'blue');
SELECT dbkit.enum_usage('public.color_enum');
CREATE TYPE public.mood AS ENUM ('ok'); CREATE TABLE public.moods (mood public.mood DEFAULT 'ok');
SELECT dbkit.enum_from_type('public.mood');
CREATE ROLE regress_planted;
SELECT dbkit.protect('public.documents', role => 'regress_planted');
SELECT * FROM dbkit.check(); SELECT * FROM dbkit.rules; SELECT * FROM dbkit.status(); SELECT * FROM dbkit.exemption; SELECT * FROM dbkit.id_prefix; SELECT * FROM dbkit.stale_exemptions;
SELECT dbkit.explain_rule('own'), dbkit.drop_rule('own');
SELECT dbkit.run_as('regress_planted', 'SET LOCAL search_path = planted, pg_catalog; SET LOCAL work_mem = 77');
SELECT dbkit.explain_rule('bigint'), dbkit.baseline(), dbkit.unbaseline(), dbkit.baseline('public.documents'), dbkit.register_prefix('public.documents'), dbkit.suggest();
BEGIN; SELECT dbkit.enter('usr_1', 'org_1'), dbkit.user_id(), dbkit.organization_id(), dbkit.nonce(); COMMIT;
SELECT dbkit.lock('a', '1 s'), dbkit.lock_shared('b'), dbkit.try_lock('c'), dbkit.try_session_lock('d'), dbkit.session_unlock('d');
CALL dbkit.session_lock('e', '1 s');
SELECT * FROM dbkit.locks;
SELECT 'reached the end'; -- the planted functions do not hinder a literal
});
is($stderr =~ s/^psql:<stdin>:\d+: //mgr =~ s/\nCONTEXT:.*//r, 'ERROR:  planted', 'they are what a caller finds, and no function of dbkit\'s');
like($stdout, qr/^reached the end$/m, 'all functions were called');
is($node->safe_psql('planted', q{SELECT count(*) FROM pg_proc WHERE pronamespace = 'dbkit'::regnamespace AND prosecdef}), '0', 'none is SECURITY DEFINER');

# Ids under concurrency: from eight sessions, of which one in three transactions is rolled back
my $script = PostgreSQL::Test::Utils::tempdir . '/ids.sql';
append_to_file($script, q{\set rolled_back random(0, 2)
BEGIN;
INSERT INTO made (pid) SELECT pg_backend_pid() FROM generate_series(1, 5);
\if :rolled_back
COMMIT;
\else
ROLLBACK;
\endif
});
$node->safe_psql('hosted', 'CREATE TABLE made (n bigserial, pid int, id text COLLATE "C" DEFAULT generate_id($$mad$$))');
$node->command_ok([ 'pgbench', '-n', '-c', '8', '-j', '2', '-t', '300', '-f', $script, '-h', $node->host, '-p', $node->port, 'hosted' ], 'ids are made by eight sessions') ;
is($node->safe_psql('hosted', q{SELECT count(*) = count(DISTINCT id), bool_and(dbkit.is_id(id, 'mad')), count(*) FILTER (WHERE NOT rises), count(*) > 5000
	FROM (SELECT id, coalesce(id > lag(id) OVER (PARTITION BY pid ORDER BY n), true) AS rises FROM made) AS m}), 't|t|0|t',
	'they differ, and each session\'s rise');

done_testing();
