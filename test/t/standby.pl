# A streaming standby: dbkit reads there, makes ids, enters contexts and takes
# locks, writes nothing, and goes on after promotion, also in sessions that are open.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Conforming qw(good_table);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Give the SQL of a table that keeps all rules.
sub table
{
	return join '; ', 'BEGIN', good_table(@_), 'COMMIT;';
}

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

# Give what a session on the standby has to say.
sub says
{
	my ($sql, %params) = @_;
	my ($status, $stdout, $stderr) = $standby->psql('postgres', "\\set VERBOSITY sqlstate\n$sql", %params);
	return join "\n", grep { length } $stdout, $stderr =~ s/^psql:<stdin>:\d+: //mgr;
}

$primary->safe_psql('postgres', 'CREATE EXTENSION dbkit; SET dbkit.enforce = off; CREATE TABLE bad (n int); SET dbkit.enforce = on;'
	  . q{SELECT dbkit.exempt('public.bad', 'bigint', 'on purpose'), dbkit.exempt('no.such', '*', 'nothing');}
	  . table('things', 'thi') . 'INSERT INTO things DEFAULT VALUES');
$primary->wait_for_catchup($standby);

my $check = 'SELECT * FROM dbkit.check(); SELECT * FROM dbkit.stale_exemptions; SELECT prefix, relation::regclass, contested FROM dbkit.id_prefix';
my $found = $primary->safe_psql('postgres', $check);
like($found, qr/^created_at\|error\|table\|public.bad\|/m, 'there is something to find');
is(says($check), $found, 'dbkit.check() finds the same on the standby');
is(says(q{SELECT dbkit.id_prefix(id), dbkit.table_of(id), dbkit.id_timestamp(id) <= now() FROM things}), 'thi|things|t', 'ids can be read');
is(says(q{SELECT dbkit.is_id(generate_id('new'), 'new')}), 't', 'and made');
is(says('CREATE TABLE t (n bigint)'), 'ERROR:  25006', 'DDL is impossible, by PostgreSQL');
is(says('CREATE TEMP TABLE t (n bigint)'), 'ERROR:  25006', 'also with temporary tables');
is(says(q{SELECT dbkit.exempt('public.bad', '*', 'x')}), 'ERROR:  25006', 'and so are exemptions');
is(says(q{SELECT dbkit.unexempt('public.bad', 'bigint')}), 'ERROR:  25006', 'their end');
is(says(q{SELECT dbkit.baseline()}), 'ERROR:  25006', 'the baseline');
is(says(q{SELECT dbkit.register_prefix('things')}), 'ERROR:  25006', 'and registering a table');
is(says('BEGIN READ ONLY; SELECT generate_id($$a$$) > $$a$$; ' . $check), "t\n$found", 'a read-only session reads the same');
is($primary->safe_psql('postgres', "BEGIN READ ONLY; $check"), $found, 'also on the primary');

# Changes arrive
$primary->safe_psql('postgres', 'DROP TABLE things;' . table('others', 'thi'));
$primary->wait_for_catchup($standby);
is(says('SELECT prefix, relation::regclass, contested FROM dbkit.id_prefix'), 'thi|others|f', 'the registry follows');

# A read-only transaction by default, and one that sees one state of things
$ENV{PGOPTIONS} = '-c default_transaction_read_only=on -c default_transaction_isolation=repeatable\\ read';
is(says(q{SELECT dbkit.is_id(generate_id('new')), dbkit.is_id(dbkit.generate_id_at('new', now())), dbkit.table_of(generate_id('thi'))}),
	't|t|others', 'ids in a session that is read-only by default');
is($primary->safe_psql('postgres', q{SELECT dbkit.is_id(generate_id('new')), dbkit.table_of(generate_id('thi'))}), 't|others', 'also on the primary');
delete $ENV{PGOPTIONS};

# A tenant's context
$primary->safe_psql('postgres', q{
	SET dbkit.enforce = off;
	CREATE ROLE regress_customer LOGIN;
	CREATE TABLE prize (organization_id text COLLATE "C", secret text);
	INSERT INTO prize VALUES ('org_a', 'secret of a'), ('org_b', 'secret of b');
	SELECT dbkit.protect('prize', role => 'regress_customer');
	GRANT SELECT ON prize TO regress_customer});
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('write'));
is(says(q{
		SELECT secret FROM prize;
		BEGIN;
		SELECT dbkit.enter('usr_a', 'org_a') \g /dev/null
		SELECT secret, dbkit.user_id(), current_setting('app.organization_id') FROM prize;
		COMMIT;
		SELECT secret FROM prize;
		BEGIN;
		SELECT dbkit.enter('usr_b', 'org_b') \g /dev/null
		RESET ROLE;
		COMMIT},
		extra_params => [ '-U', 'regress_customer' ]),
	"secret of a|usr_a|org_a\nERROR:  42501", 'a context is entered and left on a standby, and guarded');
is(says('SELECT length(dbkit.nonce())'), '32', 'and a nonce is made');

# Locks, which are each server's own
my $session = $standby->background_psql('postgres', on_error_stop => 0);
$session->query_safe(q{SELECT dbkit.try_session_lock('it')});
is(says(q{SELECT dbkit.try_lock('it'), dbkit.try_lock_shared('other')}), 'f|t', 'a named lock excludes others on the standby');
is($primary->safe_psql('postgres', q{SELECT dbkit.try_lock('it')}), 't', 'but nobody on the primary');
is(says(q{SELECT dbkit.lock('it', '10 ms')}), 'ERROR:  55P03', 'there are timeouts');
is(says(q{CALL dbkit.session_lock('own'); SELECT name, mode, granted FROM dbkit.locks WHERE pid = pg_backend_pid(); SELECT dbkit.session_unlock('own')}),
	"own|ExclusiveLock|t\nt", 'session locks, and the view');

# The standby becomes a primary
my $last = $primary->safe_psql('postgres', 'INSERT INTO others DEFAULT VALUES RETURNING id');
$session->query_safe(q{SELECT set_config('my.last', generate_id('thi'), false)});
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('write'));
$primary->stop;
$standby->promote;
is(says('CREATE TABLE worse (n int)'), 'ERROR:  KD001', 'after promotion the conventions are enforced');
is(says(table('more', 'thi')), 'ERROR:  KD001', 'prefixes are guarded');
is(says(table('more', 'mor') . 'SELECT prefix, relation::regclass FROM dbkit.id_prefix ORDER BY prefix'),
	"mor|more\nthi|others", 'and registered');
is(says(q{SELECT dbkit.unexempt('public.bad', 'bigint')}), 't', 'exemptions can be taken back');
is(says("INSERT INTO others DEFAULT VALUES; SELECT id > '$last' FROM others ORDER BY id DESC LIMIT 1"), 't', 'a new id sorts after those of the old primary');
is(says('SELECT dbkit.table_of(id), count(*) FROM others GROUP BY 1'), 'others|2', 'and they belong to one table');

# A session that was there before
is($session->query(q{SELECT generate_id('thi') > current_setting('my.last')}), 't', 'ids of a session go on in order');
is(says(q{SELECT dbkit.try_lock('it')}), 'f', 'its locks stay');
is($session->query(q{SELECT dbkit.session_unlock('it')}), 't', 'until it unlocks them');
$session->query('CREATE TABLE worst (n int)');
like($session->{stderr}, qr/breaks \d schema conventions/, 'it creates a table, and is refused');
$session->{stderr} = '';
$session->query(table('late', 'lat') . ' SELECT 1;');
is($session->{stderr}, '', 'or not');
is(says(q{SELECT relation::regclass FROM dbkit.id_prefix WHERE prefix = 'lat'}), 'late', 'with a prefix of its own');
$session->quit;

$standby->stop;
done_testing();
