# dbkit.leak_test() leaves no trace, whatever ends it: a cancel from another session, a terminated
# backend, or its own end.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dbkit'");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION dbkit_test CASCADE;
	SET dbkit.enforce = off;
	CREATE ROLE customer;
	CREATE TABLE organizations (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('org'));
	CREATE TABLE documents (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('doc'), organization_id text COLLATE "C" NOT NULL REFERENCES organizations);
	SELECT dbkit.protect(t) FROM unnest('{organizations,documents}'::regclass[]) t;
	GRANT SELECT, INSERT, UPDATE, DELETE ON organizations, documents TO customer;
	CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM documents;
	CREATE FUNCTION sleep() RETURNS void LANGUAGE sql AS 'SELECT pg_sleep(600)';
});

my $state = q{SELECT (SELECT count(*) FROM organizations), (SELECT count(*) FROM documents), (SELECT count FROM counted),
	pg_relation_filenode('counted'), (SELECT count(*) FROM pg_locks WHERE relation >= 16384)};
my $before = $node->safe_psql('postgres', $state);

# End a test while it calls a function, by another session.
sub ended_by
{
	my ($function) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 0);

	$session->query_until(qr/started/, "\\echo started\nSELECT dbkit.leak_test();\n");
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'});
	$node->safe_psql('postgres', qq{SELECT $function(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'});
	$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep'});
	return $session;
}

my $session = ended_by('pg_cancel_backend');
$session->query('SELECT 1');	# takes in the error
$session->{stderr} = '';
is($session->query_safe("SELECT concat(dbkit.user_id(), dbkit.organization_id(), ' ', current_user = session_user, ' ', current_setting('row_security'))"),
	' t on', 'a cancelled test leaves no context, role or setting in the session');
is($node->safe_psql('postgres', $state), $before, 'and no row, file or lock');
$session->quit;

ended_by('pg_terminate_backend')->{run}->finish;
is($node->safe_psql('postgres', $state), $before, 'nor does a terminated one');

$node->safe_psql('postgres', 'DROP FUNCTION sleep()');
like($node->safe_psql('postgres', 'SELECT dbkit.leak_test()'), qr/^ok 1 .*^1\.\.\d+$/ms, 'it goes to its end');
is($node->safe_psql('postgres', $state), $before, 'and leaves no trace either');

done_testing();
