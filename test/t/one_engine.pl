# What dbkit.check() reports for an object is what making it is refused for: for every
# rule, in both phases, at every level, and a fix leaves nothing of it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Conforming qw(columns);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION dbkit');

# Return the SQL of a table that keeps the rules of phase "statement", and further columns.
sub table_sql
{
	my ($more) = @_;
	return 'CREATE TABLE bad.t (' . columns('bad') . ($more ? ", $more" : '') . ')';
}

# For each rule, statements of one transaction that break it.
my %bad = (
	primary_key => ['CREATE TABLE bad.t (n bigint)'],
	id_default => [q{CREATE TABLE bad.t (id text COLLATE "C" PRIMARY KEY CHECK (id LIKE 'bad_%'))}],
	id_check => [q{CREATE TABLE bad.t (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('bad'))}],
	id_prefix => ['CREATE TABLE bad.t (' . columns('long') . ')'],
	created_at => [ table_sql(), 'ALTER TABLE bad.t ALTER created_at DROP NOT NULL' ],
	updated_at => [ table_sql(), 'ALTER TABLE bad.t ALTER updated_at DROP DEFAULT' ],
	storytime => [ table_sql(), 'ALTER TABLE bad.t DROP storytime' ],
	timestamptz => [ table_sql('at timestamp, t timestamp(0)') ],
	bigint => [ table_sql('n int4range, m smallserial') ],
	text_type => [ table_sql('a varchar(10), b char(3)') ],
	jsonb_type => [ table_sql('a json, b json[]') ],
	money_type => [ table_sql('a money, b money[]') ],
	text_id => [ table_sql('o_extid text') ],
	enum_type => [q{CREATE TYPE bad.t AS ENUM ('x')}],
	enum_table => ['CREATE TABLE bad.t_enum (value varchar)'],
	view_security_invoker => ['CREATE VIEW bad.t AS SELECT 1 AS n'],
	updated_at_trigger => [ table_sql() ],
	fk_index => [ table_sql('users_id text COLLATE "C" REFERENCES users ON DELETE CASCADE') ],
	fk_on_delete => [ table_sql('users_id text COLLATE "C" REFERENCES users'), 'CREATE INDEX ON bad.t (users_id)' ],
	fk_type => [ table_sql('boss text REFERENCES users') ],
	extid => [ table_sql('stripe_id text COLLATE "C"') ],
	rls_enabled => [ table_sql() ],
	rls_policy => [ table_sql(), 'ALTER TABLE bad.t ENABLE ROW LEVEL SECURITY' ],
	organization_scope => [ table_sql('organization_id text COLLATE "C"') ],
	rls_forced => [ table_sql(), 'ALTER TABLE bad.t ENABLE ROW LEVEL SECURITY' ],
	policy_with_check => [ table_sql(), 'ALTER TABLE bad.t ENABLE ROW LEVEL SECURITY', 'CREATE POLICY own ON bad.t USING (true)' ],
	open_policy => [ table_sql('organization_id text'), 'ALTER TABLE bad.t ENABLE ROW LEVEL SECURITY', 'CREATE POLICY own ON bad.t USING (id IS NULL OR true)' ],
	partition_rls => [ 'CREATE TABLE bad.r (n bigint) PARTITION BY LIST (n)', 'CREATE TABLE bad.t PARTITION OF bad.r DEFAULT', 'GRANT SELECT ON bad.t TO PUBLIC',
		'ALTER TABLE ONLY bad.r ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY' ],
	rls_view => [ 'CREATE TABLE bad.r (n bigint)', 'ALTER TABLE bad.r ENABLE ROW LEVEL SECURITY', 'CREATE MATERIALIZED VIEW bad.t AS SELECT n FROM bad.r', 'GRANT SELECT ON bad.t TO PUBLIC' ],
	tenant_key => [ table_sql('organization_id text, t_id text COLLATE "C" REFERENCES bad.t') ],
	forgeable_policy => [ table_sql(), 'ALTER TABLE bad.t ENABLE ROW LEVEL SECURITY', q{CREATE POLICY own ON bad.t USING (id = current_setting('a.b'))} ],
	constraint_validated => [ table_sql('n bigint'), 'ALTER TABLE bad.t ADD CHECK (n > 0) NOT VALID' ],
	column_comment => [ table_sql() ],
	table_comment => [ table_sql() ],
	duplicate_index => [ table_sql('n bigint'), 'CREATE INDEX ON bad.t (n)', 'CREATE INDEX ON bad.t (n)' ],
	invalid_index => [ table_sql('n bigint') =~ s/PRIMARY KEY//r . ' PARTITION BY LIST (n)', 'CREATE TABLE bad.t_1 PARTITION OF bad.t DEFAULT', 'CREATE INDEX ON ONLY bad.t (n)' ],
	function_search_path => ["CREATE FUNCTION bad.t() RETURNS bigint LANGUAGE sql AS 'SELECT 1'"],
	snake_case => [ table_sql('"fooBar" bigint, "order" text') ],
	plural => ['CREATE TABLE bad.thing (n bigint)'],
	own_view => [ 'CREATE VIEW bad.t AS SELECT 1 AS n' ],
	security_definer_path => ['CREATE FUNCTION bad.t() RETURNS bigint LANGUAGE sql SECURITY DEFINER RETURN 1'],
);
# Judged at the change only
my %changes = map { $_ => 1 } qw(table_rewrite blocking_index blocking_validation breaking_change lock_timeout lock_held);
# Judged by dbkit.check() only, as there is no event trigger for it
my %checks = (customer_role_confined => 1);
# Fixed by what does not run in a transaction, which is not where it is refused either
my %alone = (invalid_index => 1);

# Run SQL in one transaction with all rules off but one, and return the lines of its DETAIL.
sub details
{
	my ($rule, $level, @statements) = @_;
	my (undef, undef, $err) = $node->psql('postgres', join("\n",
		"SET dbkit.rule_levels = '*=off, $rule=$level';", 'BEGIN;', map({ "$_;" } @statements), 'COMMIT;'), on_error_stop => 1);
	$err =~ s/^psql:<stdin>:\d+: //mg;
	return ($err, sort { $a cmp $b } $err =~ /^(?:DETAIL:  )?($rule: .*)\.$/mg);
}

sub checked
{
	my ($rule) = @_;
	return sort { $a cmp $b } split /\n/, $node->safe_psql('postgres',
		"SET dbkit.rule_levels = '$rule=error'; SELECT rule || ': ' || problem FROM dbkit.check_schema('bad') WHERE rule = '$rule'");
}

$node->safe_psql('postgres', 'SET dbkit.enforce = off; CREATE TABLE users (' . columns('usr') . ')');

# Rules of a team, in both phases
$node->safe_psql('postgres', q{
	CREATE FUNCTION plural(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE sql STABLE AS $$
		SELECT NULL, format('the name "%s" is not plural', relname), format('ALTER TABLE %I.%I RENAME TO %I', relnamespace::regnamespace, relname, relname || 's')
		FROM pg_class WHERE oid = object AND relname NOT LIKE '%s' $$;
	CREATE FUNCTION own_view(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE plpgsql STABLE AS $$
	BEGIN
		RETURN QUERY SELECT attname::text, format('column "%s" is short', attname), format('ALTER VIEW %s RENAME %I TO %I', object::regclass, attname, 'long_' || attname)
		FROM pg_attribute WHERE attrelid = object AND length(attname) = 1;
	END $$;
	SELECT dbkit.add_rule('plural', 'plural(oid)', '{table}', 'table names are plural');
	SELECT dbkit.add_rule('own_view', 'own_view(oid)', '{view}', 'columns of views have long names', 'statement')});
my @rules = split /\n/, $node->safe_psql('postgres', q{SELECT id || ' ' || fixable FROM dbkit.rules});
for (@rules)
{
	my ($rule, $fixable) = split / /;
	next if $changes{$rule} || $checks{$rule};
	my $statements = delete $bad{$rule} or do { fail("there is a case of $rule"); next; };

	# refused with the lines that dbkit.check() has when it is let through, and warned of
	$node->safe_psql('postgres', 'CREATE SCHEMA bad');
	my ($err, @refused) = details($rule, 'error', @$statements);
	like($err, qr/^ERROR: /m, "$rule: refused at level error");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE relnamespace = 'bad'::regnamespace}), 0, "$rule: and nothing is left");
	my (undef, @warned) = details($rule, 'warning', @$statements);
	my @checked = checked($rule);
	cmp_ok(scalar @checked, '>', 0, "$rule: dbkit.check() finds it");
	is_deeply(\@refused, \@checked, "$rule: is what dbkit.check() says");
	my %seen;
	is_deeply([ grep { !$seen{$_}++ } @warned ], \@checked, "$rule: at level warning as well");
	$node->safe_psql('postgres', 'SET client_min_messages = error; SET dbkit.enforce = off; DROP SCHEMA bad CASCADE; CREATE SCHEMA bad');

	# off: nothing is said
	($err) = details($rule, 'off', @$statements);
	is($err, '', "$rule: nothing at level off");
	$node->safe_psql('postgres', 'SET client_min_messages = error; SET dbkit.enforce = off; DROP SCHEMA bad CASCADE; CREATE SCHEMA bad');

	# fix: nothing is left of it
	if ($fixable eq 'true' && !$alone{$rule})
	{
		($err) = details($rule, 'fix', @$statements);
		like($err, qr/^NOTICE:  fixed the schema convention "$rule"/m, "$rule: fixed");
		is_deeply([ checked($rule) ], [], "$rule: and dbkit.check() finds nothing any more");
	}
	$node->safe_psql('postgres', 'SET client_min_messages = error; SET dbkit.enforce = off; DROP SCHEMA bad CASCADE');
}
is_deeply([ keys %bad ], [], 'there is no case of a rule that is not');

$node->stop;
done_testing();
