# pg_upgrade of a cluster, here to the same version: what dbkit.check() says, the
# prefix registry and the exemptions are as before.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Give what dbkit knows and does.
sub state_of
{
	my ($node) = @_;
	my ($status, $stdout, $stderr) = $node->psql('app', slurp_file("$FindBin::Bin/state.psql"));
	return "$stdout\n$stderr";
}

my $old = PostgreSQL::Test::Cluster->new('old');
$old->init;
$old->start;
$old->safe_psql('postgres', 'CREATE DATABASE app');
$old->command_ok([ 'psql', '-XAtq', '-d', $old->connstr('app'), '-f', "$FindBin::Bin/database.psql" ], 'the database is made');
my $before = state_of($old);
like($before, qr/^registry\|per\|public.persons\|f$/m, 'the registry has something');
$old->stop;

my $new = PostgreSQL::Test::Cluster->new('new');
$new->init;
my $bindir = $new->config_data('--bindir');
chdir ${PostgreSQL::Test::Utils::tmp_check};
command_ok([ 'pg_upgrade', '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $bindir, '-B', $bindir,
		'-s', $new->host, '-p', $old->port, '-P', $new->port ], 'pg_upgrade');
$new->start;

my $after = state_of($new);
ok($after eq $before, 'the state is the same')
  or diag("before:\n$before\nafter:\n$after");

# Give a session's output and errors.
sub says
{
	my ($sql) = @_;
	my ($status, $stdout, $stderr) = $new->psql('app', "\\set VERBOSITY terse\n$sql");
	return join "\n", grep { length } $stdout, $stderr =~ s/^psql:<stdin>:\d+: //mgr;
}
like(says('CREATE TABLE bad (n bigint)'), qr/^ERROR:  table "public.bad" breaks \d+ schema conventions: /m, 'the conventions are enforced');
like(says('DROP INDEX persons_boss_id_idx'), qr/^ERROR:  .* breaks the schema convention "fk_index": /m, 'for old tables as well');
is(says(q{SET client_min_messages = error;
	BEGIN; SAVEPOINT s;
	\set ON_ERROR_STOP off
	CREATE TABLE dup (id text COLLATE "C" PRIMARY KEY DEFAULT "ext.Kit".generate_id('per') CHECK (id LIKE 'per_%'),
		created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb);
	ROLLBACK TO s;
	CREATE TABLE new_table (id text COLLATE "C" PRIMARY KEY DEFAULT "ext.Kit".generate_id('new') CHECK (id LIKE 'new_%'),
		created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb);
	CREATE TRIGGER updated_at BEFORE UPDATE ON new_table FOR EACH ROW EXECUTE PROCEDURE "ext.Kit".updated_at();
	ALTER TABLE new_table ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON new_table USING (id = current_user);
	COMMIT;
	INSERT INTO new_table DEFAULT VALUES RETURNING dbkit.table_of(id)}),
	qq{new_table\nERROR:  table "public.dup" breaks 3 schema conventions: id_prefix, updated_at_trigger, rls_enabled},
	'a prefix that is taken is refused, and a new one registered');
is(says(q{SELECT dbkit.unexempt('public.zebra', 'id_prefix')}), 't', 'exemptions can be taken back');
is(says('SET client_min_messages = error; DROP TABLE organizations, persons, documents CASCADE; SELECT count(*) FROM dbkit.id_prefix WHERE prefix IN ($$org$$, $$per$$)'), '0',
	'and dropped tables free their prefixes');

done_testing();
