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

# The log of changes, of which a part is sealed, and the log of DDL
$old->safe_psql('postgres', 'CREATE DATABASE audited');
$old->safe_psql('audited', q{CREATE EXTENSION dbkit_audit CASCADE; ALTER DATABASE audited SET dbkit.record_ddl = on; ALTER DATABASE audited SET dbkit.enforce = off});
$old->safe_psql('audited', q{CREATE TABLE notes (id text PRIMARY KEY, title text); SELECT dbkit.audit('notes'); INSERT INTO notes VALUES ('a', 'one')});
my $hash = $old->safe_psql('audited', 'CALL dbkit.audit_seal()');
$old->safe_psql('audited', q{UPDATE notes SET title = 'two'});
my $logs = q{SELECT id, relation, at, transaction, old_values, new_values FROM dbkit.audit_log ORDER BY id; SELECT at, command_tag, object_identity FROM dbkit.ddl_log ORDER BY at};
my $logs_before = $old->safe_psql('audited', $logs);
like($logs_before, qr/\|CREATE TABLE\|public.notes$/m, 'DDL was recorded');
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

is($new->safe_psql('audited', $logs), $logs_before, 'the logs are the same, and nothing of the upgrade is in them');
is($new->safe_psql('audited', "SELECT * FROM dbkit.audit_check('$hash')"), '', 'what was sealed is proven');
$new->safe_psql('audited', "UPDATE notes SET title = 'three'; CALL dbkit.audit_seal()");
is($new->safe_psql('audited', "SELECT count(*) FROM dbkit.audit_check('$hash')"), '0', 'and the chain goes on');
is($new->safe_psql('audited', 'SELECT count(*) FROM dbkit.audit_unsealed'), '0', 'with what was not sealed before');
is($new->safe_psql('audited', q{SELECT string_agg(new_values ->> 'title', ' ' ORDER BY at) FROM dbkit.audit_history('notes', 'a')}), 'one two three', 'a row has its history');
is($new->safe_psql('audited', q{CREATE TABLE more (); SELECT count(*) FROM dbkit.ddl_log WHERE object_identity = 'public.more'}), '1', 'DDL is recorded');

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
