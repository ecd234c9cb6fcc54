# A database comes through dump and restore, on every road: what dbkit.check()
# says, the prefix registry, the exemptions and a second dump are as before.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Comparing qw(same);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# What is to be the same afterwards
my $state = q{
	SET search_path = pg_catalog;
	SELECT 'check', * FROM dbkit.check();
	SELECT 'registry', prefix, relation::regclass FROM dbkit.id_prefix ORDER BY prefix;
	SELECT 'agreement', dbkit.agreement();
	SELECT 'status', * FROM dbkit.status();
	SELECT 'fingerprint', dbkit.fingerprint();
	SELECT 'version', * FROM dbkit.schema_version ORDER BY version;
	SELECT 'trigger of the ledger', tgname FROM pg_trigger WHERE tgrelid = 'dbkit.schema_version'::regclass ORDER BY tgname;
	SELECT 'exemption', * FROM dbkit.exemption ORDER BY object, rule;
	SELECT 'stale', * FROM dbkit.stale_exemptions ORDER BY object, rule;
	SELECT 'event trigger', evtname, evtenabled FROM pg_event_trigger ORDER BY evtname;
	SELECT 'organization', *, dbkit.table_of(id) FROM public.organizations ORDER BY id;
	SELECT 'person', *, dbkit.table_of(id) FROM public.persons ORDER BY id;
	SELECT 'event', tableoid::regclass, *, dbkit.table_of(id) FROM public.events ORDER BY id;
	SELECT 'color', * FROM public.color_enum;
	SELECT 'policy', * FROM pg_policies ORDER BY schemaname, tablename, policyname;
};

my $source = PostgreSQL::Test::Cluster->new('source');
$source->init;
$source->start;
my $target = PostgreSQL::Test::Cluster->new('target');
$target->init;
$target->start;
my $dir = PostgreSQL::Test::Utils::tempdir;

# The random key of \restrict is all that two dumps of the same may differ in.
sub dump_of
{
	my ($command, $node, @options) = @_;
	my ($stdout, $stderr) = run_command([ $node->installed_command($command), '-d', @options ]);
	is($stderr, '', "$command is silent") or diag($stderr);
	$stdout =~ s/^\\(un)?restrict \w+$//mg;
	return $stdout;
}

# What enforcement does in a new session
sub enforces
{
	my ($node, $db, $how) = @_;
	my $conforming = q{
		SET search_path = public, "ext.Kit";
		BEGIN;
		CREATE TABLE new_table (
			id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('%s') CHECK (id LIKE '%s_%%'),
			created_at timestamptz NOT NULL DEFAULT now(),
			updated_at timestamptz NOT NULL DEFAULT now(),
			storytime jsonb,
			organization_id text COLLATE "C" NOT NULL REFERENCES organizations (id) ON DELETE CASCADE
		);
		CREATE TRIGGER updated_at BEFORE UPDATE ON new_table FOR EACH ROW EXECUTE PROCEDURE updated_at();
		CREATE INDEX ON new_table (organization_id);
		ALTER TABLE new_table ENABLE ROW LEVEL SECURITY;
		CREATE POLICY own ON new_table USING (organization_id = dbkit.organization_id());
	};
	my ($status, $stdout, $stderr) = $node->psql($db, '\set VERBOSITY sqlstate
		CREATE TABLE bad (n bigint)');
	like($stderr, qr/ERROR:  KD001$/, "$how: a table that does not conform is rejected");
	($status, $stdout, $stderr) = $node->psql($db, sprintf($conforming, 'per', 'per'), on_error_stop => 1);
	like($stderr, qr/prefix "per" belongs to table "public.persons"/, "$how: and one with the prefix of a restored one");
	($status, $stdout, $stderr) = $node->psql($db, sprintf($conforming, 'new', 'new') . q{
		INSERT INTO new_table (organization_id) SELECT min(id) FROM organizations
		RETURNING dbkit.table_of(id);
		COMMIT; DROP TABLE new_table}, on_error_stop => 1);
	is("$stdout$stderr", 'new_table', "$how: one that conforms is accepted");
	($status, $stdout, $stderr) = $node->psql($db, 'DROP INDEX public.persons_boss_id_idx');
	like($stderr, qr/breaks the schema convention "fk_index"/, "$how: a restored index is guarded");
	is($node->safe_psql($db, q{SELECT dbkit.exempt('public.persons', 'bigint', 'new');
		SELECT reason, dbkit.unexempt(object, rule) FROM dbkit.exemption WHERE object = 'public.persons'}), "\nnew|t",
		"$how: exemptions can be made and taken back");
}

# What a database that was not restored with --create lacks
sub create_database
{
	my ($db) = @_;
	$target->safe_psql('postgres', "CREATE DATABASE $db");
}

$source->safe_psql('postgres', 'CREATE DATABASE app');
$source->command_ok([ 'psql', '-XAtq', '-d', $source->connstr('app'), '-f', "$FindBin::Bin/database.psql" ],
	'the database is made');
# A rule of the team, whose function comes in the same dump
$source->safe_psql('app', q{
	CREATE SCHEMA "a team";
	CREATE FUNCTION "a team"."Short"(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE sql STABLE AS
		$$ SELECT attname, 'it has one letter', NULL FROM pg_attribute WHERE attrelid = object AND attnum > 0 AND length(attname) = 1 $$;
	SELECT dbkit.add_rule('short', '"a team"."Short"(oid)', '{table}', 'columns have names', 'statement');
	SELECT dbkit.agree('{"rules": {"short": "warning"}}')});
# and versions of the schema
$source->safe_psql('app', q{
	SELECT dbkit.apply(1, 'SELECT 1', E'a name\twith a tab', E'SELECT ''a'';\n-- and "b"\n');
	SELECT dbkit.apply(2, 'SELECT 2')});
my $before = $source->safe_psql('app', $state);
like($before, qr/^version\|2\|/m, 'there are versions');
like($before, qr/^registry\|shr\|public.apple$/m, 'the first table has a prefix that others share');
my $dump = dump_of('pg_dump', $source, $source->connstr('app'));
unlike($dump, qr/ledger of/, 'what is exempt for everybody is not dumped');
like($before, qr/^check\|bigint\|error\|table\|public.loose_one\|n\|/m, 'there is something to find');
like($before, qr/^check\|short\|warning\|table\|public.loose_one\|n\|it has one letter\|/m, 'also by a rule of the team');
like($before, qr/^registry\|per\|public.persons$/m, 'and to register');

# A whole cluster comes first: it brings the roles
my $all = dump_of('pg_dumpall', $source, $source->connstr('postgres'));
append_to_file("$dir/all.sql", $all);
my ($stdout, $stderr) = run_command([ 'psql', '-Xq', '-d', $target->connstr('postgres'), '-f', "$dir/all.sql" ]);
my $superuser = $source->safe_psql('postgres', 'SELECT current_user');
is($stderr =~ s/^psql:\S+ ERROR:  role "\Q$superuser\E" already exists$//mr, '', 'pg_dumpall: restored');
same($target->safe_psql('app', $state), $before, 'pg_dumpall: the state is the same');
same(dump_of('pg_dumpall', $target, $target->connstr('postgres')), $all, 'pg_dumpall: a second dump is the same');
enforces($target, 'app', 'pg_dumpall');
is($target->safe_psql('app', q{SELECT id, level FROM dbkit.rules WHERE id IN ('bigint', 'extid') ORDER BY id},
		extra_params => [ '-U', 'regress_owner' ]),
	"bigint|warning\nextid|off", 'pg_dumpall: a role has its settings');
is($target->safe_psql('app', 'SELECT FROM dbkit.rules; SET dbkit.enforce = off; SHOW dbkit.enforce',
		extra_params => [ '-U', 'regress_owner' ]),
	'off', 'pg_dumpall: and the right to change one');

# Dump of one database: the name, options of pg_dump, and commands to restore
my @psql = qw(psql -Xq -v ON_ERROR_STOP=1 -d DATABASE -f);
my @restore = qw(pg_restore -e -d DATABASE);
my @ways = (
	[ 'plain', [], [ [ @psql, 'FILE' ] ] ],
	[ 'plain, one transaction', [], [ [ @psql, 'FILE', '-1' ] ] ],
	[ 'plain, inserts', ['--inserts'], [ [ @psql, 'FILE' ] ] ],
	[ 'custom', ['-Fc'], [ [ @restore, 'FILE' ] ] ],
	[ 'custom, one transaction', ['-Fc'], [ [ @restore, '-1', 'FILE' ] ] ],
	[ 'custom, by psql', ['-Fc'], [ [ 'pg_restore', '-f', "$dir/custom.sql", 'FILE' ], [ @psql, "$dir/custom.sql" ] ] ],
	[ 'directory, four jobs', [ '-Fd', '-j', '4' ], [ [ @restore, '-j', '4', 'FILE' ] ] ],
	[ 'tar', ['-Ft'], [ [ @restore, 'FILE' ] ] ],
	[ 'by sections', ['-Fc'], [ map { [ @restore, "--section=$_", 'FILE' ] } qw(pre-data data post-data) ] ],
	[ 'schema, then data', ['-Fc'],
		[ [ @restore, '--schema-only', 'FILE' ], [ @restore, '--data-only', '--disable-triggers', 'FILE' ] ] ],
	# The event triggers do not fire: dbkit.check() would say so, and this is its fix.
	[ 'as a replica', [],
		[ [ 'env', 'PGOPTIONS=-c session_replication_role=replica', @psql, 'FILE' ],
			[ qw(psql -Xq -d DATABASE -c), q{SELECT dbkit.register_prefix(oid) FROM pg_class WHERE relkind IN ('r', 'p') ORDER BY oid} ] ] ],
	[ 'clean, into the last one', [ '--clean', '--if-exists' ], [ [ @psql, 'FILE' ] ], 1 ],
	[ 'clean in one transaction, into the last one', ['-Fc'], [ [ @restore, '-1', '--clean', '--if-exists', 'FILE' ] ], 1 ],
	[ 'clean with four jobs, into the last one', ['-Fd'], [ [ @restore, '-j', '4', '--clean', '--if-exists', 'FILE' ] ], 1 ],
);

my $n = 0;
my $db;
for my $way (@ways)
{
	my ($how, $dump_options, $commands, $again) = @$way;
	my $file = "$dir/dump" . ++$n;

	if (!$again)
	{
		$db = "restored$n";
		create_database($db);
	}
	# DROP CONSTRAINT, which --clean makes, fails on a partition's primary key.
	$target->safe_psql($db, 'DROP TABLE public.events CASCADE') if $again;
	$source->command_ok([ 'pg_dump', '-d', $source->connstr('app'), @$dump_options, '-f', $file ], "$how: dumped");
	for my $command (@$commands)
	{
		my %words = (DATABASE => $target->connstr($db), FILE => $file);
		my ($out, $err) = run_command([ map { $words{$_} // $_ } @$command ]);
		is($err, '', "$how: restored without a word");
	}
	same($target->safe_psql($db, $state), $before, "$how: the state is the same");
	same(dump_of('pg_dump', $target, $target->connstr($db)), $dump, "$how: a second dump is the same");
	enforces($target, $db, $how);
}

# Without the first of the tables that share a prefix
create_database('partial');
$source->command_ok([ 'pg_dump', '-d', $source->connstr('app'), '-T', 'public.zebra', '-T', 'dbkit.id_prefix', '-f', "$dir/partial" ],
	'partial: dumped');
($stdout, $stderr) = run_command([ map { $_ eq 'DATABASE' ? $target->connstr('partial') : $_ } @psql, "$dir/partial" ]);
is($stderr, '', 'partial: restored without a word');
is($target->safe_psql('partial', q{SELECT relation::regclass FROM dbkit.id_prefix WHERE prefix = 'shr'}), 'apple', 'partial: another has the prefix');
enforces($target, 'partial', 'partial');

done_testing();
