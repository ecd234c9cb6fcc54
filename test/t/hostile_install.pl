# CREATE EXTENSION, ALTER EXTENSION UPDATE and DROP EXTENSION by a superuser, where a
# stranger has planted code in the schema that they search: operators, functions, types
# and relations that fit what the scripts say better than PostgreSQL's own, and tables
# whose expressions are read.  None of it runs.  What is there already is not taken over.

use strict;
use warnings;

use File::Basename;
use File::Copy;
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
my $directory = $node->config_data('--sharedir') . '/extension';
my @copied;

plan skip_all => "the earlier versions cannot be installed into $directory" unless -w $directory;
for my $script (glob("$FindBin::Bin/../upgrade/dbkit--*.sql"))
{
	my $copy = "$directory/" . basename($script);
	next if -e $copy;
	copy($script, $copy) or die "$copy: $!";
	push @copied, $copy;
}
END { unlink @copied }

$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE regress_mallory LOGIN');

# What the scripts name, whether they qualify it today or not
my $scripts = join '', map { slurp_file($_) } glob("$FindBin::Bin/../../src/dbkit--*.sql $FindBin::Bin/../../src/dbkit_audit--*.sql");
my %functions = map { $_ => 1 } qw(now pg_extension_config_dump pg_blocking_pids), $scripts =~ /\bpg_catalog\.(\w+)\(/g;
my %operators = map { $_ => 1 } qw(= <> < <= > >= ~ !~ ~~ !~~ ||), $scripts =~ /OPERATOR\(pg_catalog\.([^)]+)\)/g;
my %relations = map { $_ => 1 } qw(pg_class pg_proc pg_namespace pg_extension pg_depend pg_stat_activity), $scripts =~ /(?:FROM|JOIN) pg_catalog\.(\w+)(?!\w|\()/g;
my @types = qw(oid int2 int4 int8 "char" text varchar bpchar name bool regclass regnamespace regproc regtype timestamptz timestamp date interval uuid jsonb);

# The function that all planted code calls, and one that looks like dbkit's
sub ground
{
	my ($schema) = @_;
	return "CREATE FUNCTION $schema.ran(place text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
			'BEGIN RAISE LOG \$message\$planted % ran as %\$message\$, place, current_user; RETURN NULL; END';
		CREATE FUNCTION $schema.generate_id(varchar) RETURNS text ${\ body($schema, 'generate_id')};
		CREATE FUNCTION $schema.updated_at(text) RETURNS text ${\ body($schema, 'updated_at')};";
}

sub body
{
	my ($schema, $place) = @_;
	return "LANGUAGE plpgsql IMMUTABLE STRICT AS \$\$BEGIN PERFORM $schema.ran('$place'); RETURN 'x'; END\$\$";
}

# Plant an operator and a function of each name for all pairs of types, and a type and
# a view of each name; each tells the server's log who runs it.
sub plant
{
	my ($schema) = @_;
	my $list = sub { return join ', ', map { "'$_'" } @_ };

	return qq{
		DO \$plant\$
		DECLARE one regtype; other regtype; name text;
			body text := 'LANGUAGE plpgsql IMMUTABLE STRICT AS \$\$BEGIN PERFORM $schema.ran(%L); RETURN NULL; END\$\$';
		BEGIN
			FOR one IN SELECT unnest(ARRAY[${\ $list->(@types)}]::regtype[]) LOOP
				FOR name IN SELECT unnest(ARRAY[${\ $list->(sort keys %functions)}]) LOOP
					EXECUTE format('CREATE FUNCTION $schema.%I(%s) RETURNS text ' || body, name, one, 'function ' || name);
				END LOOP;
				FOR other IN SELECT unnest(ARRAY[${\ $list->(@types)}]::regtype[]) LOOP
					FOR name IN SELECT unnest(ARRAY[${\ $list->(sort keys %operators)}]) LOOP
						EXECUTE format('CREATE FUNCTION $schema.%I(%s, %s) RETURNS %s ' || body, 'op' || name, one, other,
							CASE name WHEN '||' THEN 'text' ELSE 'bool' END, format('operator %s %s %s', one, name, other));
						EXECUTE format('CREATE OPERATOR $schema.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = $schema.%I)', name, one, other, 'op' || name);
					END LOOP;
				END LOOP;
			END LOOP;
			FOR name IN SELECT unnest(ARRAY[${\ $list->(sort keys %relations)}]) LOOP
				EXECUTE format('CREATE VIEW $schema.%I AS SELECT %s, $schema.ran(%L) FROM pg_catalog.%1\$I c', name,
					-- a view cannot have pg_attribute's attmissingval
					(SELECT string_agg('c.' || quote_ident(attname::text), ', ' ORDER BY attnum) FROM pg_catalog.pg_attribute
					WHERE attrelid OPERATOR(pg_catalog.=) to_regclass('pg_catalog.' || name)::oid AND attnum > 0::int2 AND atttypid OPERATOR(pg_catalog.<>) 'pg_catalog.anyarray'::regtype::oid), 'relation ' || name);
			END LOOP;
			FOR name IN SELECT trim('"' FROM t) FROM unnest(ARRAY[${\ $list->(@types)}]) t LOOP
				EXECUTE format('CREATE DOMAIN $schema.%I AS pg_catalog.%1\$I CHECK ($schema.ran(%L) IS NULL)', name, 'type ' || name);
			END LOOP;
		END \$plant\$;
	};
}

# Tables whose expressions dbkit reads to know their prefixes
sub tables
{
	my ($schema) = @_;
	return qq{
		CREATE TYPE $schema.bomb AS (a pg_catalog.int4);
		CREATE FUNCTION $schema.as_text($schema.bomb) RETURNS pg_catalog.text ${\ body($schema, 'cast')};
		CREATE CAST ($schema.bomb AS pg_catalog.text) WITH FUNCTION $schema.as_text($schema.bomb);
		CREATE TABLE $schema.cast_in_check (id pg_catalog.text CHECK (id LIKE ('v' || '(1)'::$schema.bomb)));
		CREATE TABLE $schema.function_in_check (id pg_catalog.text CHECK (id LIKE $schema.generate_id('x'::pg_catalog.varchar)));
		CREATE TABLE $schema.partition_key (id pg_catalog.text, b pg_catalog.int4) PARTITION BY RANGE ((b + pg_catalog.length($schema.generate_id('x'::pg_catalog.varchar))));
		CREATE TABLE $schema.huge (id pg_catalog.text CHECK (id LIKE pg_catalog.repeat('x', 1000000000)), CHECK (id LIKE pg_catalog.repeat('y', 1000000000)));
		CREATE TABLE $schema.fails (id pg_catalog.text CHECK (id LIKE (1/0)::pg_catalog.text));
	};
}

my $read = 0;

# Give what the planted code told since the last call, once each.
sub told
{
	my $log = slurp_file($node->logfile, $read);
	my %told = map { $_ => 1 } $log =~ /planted (.* ran as \S+)/g;
	$read += length $log;
	return join "\n", sort keys %told;
}

# Run SQL as a superuser; gives its error, and checks that nothing of the stranger's ran.
sub silently
{
	my ($db, $sql, $name) = @_;
	told();
	my ($status, $stdout, $stderr) = $node->psql($db, "SET statement_timeout = '20s'; $sql");
	is($stderr =~ s/^psql:<stdin>:1: NOTICE:  this database has tables already.*\nHINT: .*//mr, '', "$name: succeeds");
	is(told(), '', "$name: nothing planted runs");
}

for my $schema (qw(public elsewhere))
{
	for my $planted (qw(names tables))
	{
		my $db = "$schema $planted";
		$node->safe_psql('postgres', qq{CREATE DATABASE "$db"});
		$node->safe_psql($db, "CREATE SCHEMA IF NOT EXISTS $schema; GRANT ALL ON SCHEMA $schema TO regress_mallory");
		$node->psql($db, ground($schema) . ($planted eq 'names' ? plant($schema) : tables($schema)),
			on_error_die => 1, extra_params => [ '-U', 'regress_mallory' ]);
		if ($planted eq 'names')
		{
			$node->safe_psql($db, "SET search_path = $schema; SELECT 1::oid >= 16384");
			like(told(), qr/^operator oid >= integer ran as /m, "$db: what is planted is found by a name without its schema");
		}
		silently($db, "CREATE EXTENSION dbkit SCHEMA $schema", "$db: CREATE EXTENSION");
		silently($db, "SET search_path = $schema; CREATE EXTENSION dbkit_audit", "$db: CREATE EXTENSION dbkit_audit");
		silently($db, "SET search_path = $schema; SET dbkit.record_ddl = on; CREATE SCHEMA recorded; CREATE ROLE regress_recorded; DROP ROLE regress_recorded;
			DROP SCHEMA recorded; SELECT 1 / ((SELECT pg_catalog.count(*) FROM dbkit.ddl_log) OPERATOR(pg_catalog.=) 4)::pg_catalog.int4; TRUNCATE dbkit.ddl_log", "$db: recorded DDL");
		silently($db, 'DROP EXTENSION dbkit_audit', "$db: DROP EXTENSION dbkit_audit");
		silently($db, 'DROP EXTENSION dbkit', "$db: DROP EXTENSION");
		$node->psql($db, "CREATE EXTENSION dbkit VERSION '1.0.0-dev' SCHEMA $schema");
		silently($db, 'ALTER EXTENSION dbkit UPDATE', "$db: ALTER EXTENSION UPDATE");
		silently($db, 'DROP EXTENSION dbkit CASCADE', "$db: DROP EXTENSION after it");
	}
}

# What is there already stays its owner's, and the error says what to do.
$node->safe_psql('postgres', 'CREATE DATABASE taken');
$node->safe_psql('taken', 'GRANT CREATE ON DATABASE taken TO regress_mallory; GRANT CREATE ON SCHEMA public TO regress_mallory');

sub refused
{
	my ($made, $dropped, $expected, $name) = @_;
	$node->psql('taken', $made, on_error_die => 1, extra_params => [ '-U', 'regress_mallory' ]);
	my ($status, $stdout, $stderr) = $node->psql('taken', "\\set SHOW_CONTEXT never\nCREATE EXTENSION dbkit");
	is($stderr =~ s/^psql:<stdin>:\d+: //r, $expected, "$name is not taken over");
	is($node->safe_psql('taken', 'SELECT count(*) FROM pg_extension WHERE extname = $$dbkit$$'), '0', "$name: nothing is left of the extension");
	$node->safe_psql('taken', $dropped);
}

refused('CREATE SCHEMA dbkit CREATE VIEW rules AS SELECT 1', 'DROP SCHEMA dbkit CASCADE',
	qq{ERROR:  schema "dbkit" already exists\nDETAIL:  It belongs to role "regress_mallory".\n}
	  . 'HINT:  Rename or drop it, then run CREATE EXTENSION again.', 'a schema dbkit');
refused(q{CREATE FUNCTION generate_id(text) RETURNS text LANGUAGE sql AS 'SELECT $1'}, 'DROP FUNCTION generate_id(text)',
	qq{ERROR:  function generate_id(text) already exists in schema "public"\nDETAIL:  It belongs to role "regress_mallory".\n}
	  . 'HINT:  Rename or drop it, or choose another schema with CREATE EXTENSION dbkit SCHEMA.', 'a function generate_id');
refused(q{CREATE FUNCTION updated_at() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'}, 'DROP FUNCTION updated_at()',
	qq{ERROR:  function updated_at() already exists in schema "public"\nDETAIL:  It belongs to role "regress_mallory".\n}
	  . 'HINT:  Rename or drop it, or choose another schema with CREATE EXTENSION dbkit SCHEMA.', 'a function updated_at');
$node->safe_psql('taken', 'CREATE EXTENSION dbkit');
is($node->safe_psql('taken', q{SELECT count(*) FROM pg_extension WHERE extname = 'dbkit'}), '1', 'without them, it can be created');

done_testing();
