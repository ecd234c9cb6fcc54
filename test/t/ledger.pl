# Versions of the schema outlive a crash, a dump and a subscription: what is noted is what
# has happened, in each database for itself.

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 'logical');
$node->append_conf('postgresql.conf', "lock_timeout = '60s'\nmax_prepared_transactions = 2\nautovacuum = off");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE app');
$node->safe_psql('app', q{CREATE EXTENSION dbkit; ALTER DATABASE app SET dbkit.enforce = off});

my $ledger = 'SELECT version, name, undo FROM dbkit.schema_version ORDER BY version';
my $tables = q{SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname};

# Give a session's output and errors.
sub says
{
	my ($db, $sql) = @_;
	my ($status, $stdout, $stderr) = $node->psql($db, "\\set VERBOSITY terse\n$sql");
	return join "\n", grep { length } $stdout, $stderr =~ s/^psql:<stdin>:\d+: //mgr;
}

# Crashes ---------------------------------------------------------------------

is(says('app', q{SELECT dbkit.apply(1, 'CREATE TABLE one ()', 'first', 'DROP TABLE one')}), 't', 'the first version is applied');
for my $what ('the server', 'the backend')
{
	my ($output, $errors) = ('', '');
	my $sql = q{SELECT dbkit.apply(2, 'CREATE TABLE two (); INSERT INTO two DEFAULT VALUES; SELECT pg_sleep(600); CREATE TABLE three ()')};
	my $session = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('app'), '-c', $sql ], '<', \undef, '>', \$output, '2>', \$errors,
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'}) or die 'the version does not run';
	if ($what eq 'the server')
	{
		$node->stop('immediate');
		$node->start;
	}
	else
	{
		is($node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE wait_event = 'PgSleep'}), 't', 'the backend is ended');
	}
	$session->finish;
	is(says('app', $ledger), '1|first|DROP TABLE one', "$what ends between two statements: no version is noted");
	is(says('app', $tables), 'one', 'and nothing of it is left');
}
is(says('app', q{SELECT dbkit.apply(2, 'CREATE TABLE two (); CREATE TABLE three ()', 'second', 'DROP TABLE two, three')}), 't', 'it can be applied afterwards');

# A prepared transaction is one more runner
is(says('app', q{BEGIN; SELECT dbkit.apply(3, 'CREATE TABLE four ()', 'third', 'DROP TABLE four'); PREPARE TRANSACTION 'third'}), 't', 'a version can be prepared');
is(says('app', q{SET lock_timeout = '10ms'; SELECT dbkit.apply(3, 'CREATE TABLE four ()')}),
	'ERROR:  could not take lock "dbkit.schema_version", held by a prepared transaction', 'others wait for it');
$node->stop('immediate');
$node->start;
is(says('app', q{COMMIT PREPARED 'third'; SELECT dbkit.apply(3, 'CREATE TABLE four ()')}), 'f', 'and see that it is done, also after a crash');

# Whose rights an undo has ---------------------------------------------------

$node->safe_psql('app', q{CREATE ROLE author LOGIN; CREATE ROLE member LOGIN IN ROLE author; CREATE SCHEMA authored AUTHORIZATION author; CREATE SCHEMA private AUTHORIZATION member});

# Give what a session of that role says.
sub says_as
{
	my ($role, $sql) = @_;
	my ($status, $stdout, $stderr) = $node->psql('app', "\\set VERBOSITY terse\n$sql", extra_params => [ '-U', $role ]);
	return join "\n", grep { length } $stdout, $stderr =~ s/^psql:<stdin>:\d+: //mgr;
}

my $attempt = q{SELECT dbkit.apply(4, 'CREATE TABLE authored.own ()', undo => 'RESET ROLE; CREATE TABLE private.taken ()')};
is(says_as('author', $attempt), 't', 'a role that logs in applies a version');
is(says_as('author', 'SELECT dbkit.revert(4)'), 'ERROR:  permission denied for schema private at character 14', 'and reverts it, with the rights that it has');
is(says_as('member', 'SET ROLE author; SELECT dbkit.revert(4)'), 'ERROR:  version 4 was applied by role "author"', 'but not where it could get those of a member');
is(says_as('member', q{SELECT dbkit.run_as('author', 'SELECT dbkit.revert(4)')}),
	'ERROR:  cannot set parameter "role" within security-definer function', 'who can have it run as the author alone');
$node->safe_psql('app', q{UPDATE dbkit.schema_version SET undo = 'DROP TABLE own' WHERE version = 4});
is(says_as('author', 'SET search_path = authored; BEGIN; SELECT dbkit.revert(4); ROLLBACK'), 't', q{a harmless undo runs with the author's search_path});
is(says_as('member', q{SET ROLE author; SELECT dbkit.run_as('author', 'SET LOCAL search_path = authored; SELECT dbkit.revert(4)')}), '', 'and for a session that became the author by SET ROLE');
is(says('app', $ledger), "1|first|DROP TABLE one\n2|second|DROP TABLE two, three\n3|third|DROP TABLE four", 'it is reverted');
$node->safe_psql('app', 'DROP SCHEMA authored, private; DROP ROLE author, member');

# Dumps -----------------------------------------------------------------------

# Restore a dump made with these options as a database, and return that.
sub restored
{
	my ($db, @options) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir . "/$db";
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->command_ok([ 'pg_dump', '-d', $node->connstr('app'), @options, '-f', $file ], "$db: dumped");
	$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($db), '-f', $file ], "$db: restored");
	return $db;
}

my $whole = restored('whole');
is(says($whole, $ledger), says('app', $ledger), 'a dump has the versions');
is(says($whole, q{SET dbkit.enforce = off; SELECT dbkit.apply(3, 'CREATE TABLE four ()')}), 'f', 'they are applied where it is restored');
is(says($whole, q{SET dbkit.enforce = off; SELECT dbkit.revert(3), dbkit.revert(2)}), 't|t', 'and can be reverted there');
is(says($whole, $tables), 'one', 'with all that they made');
is(says($whole, q{SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'dbkit.schema_version'::regclass ORDER BY tgname}),
	"ignore_replicated|R\nkeep_ledger|A", 'the triggers are as they were');

my $schema = restored('schema_only', '-s');
is(says($schema, $ledger), '', 'a dump of the schema alone has none');
$node->command_ok([ 'bash', '-c', 'pg_dump -d "$0" -a -t dbkit.schema_version | psql -Xq -v ON_ERROR_STOP=1 -d "$1"', $node->connstr('app'), $node->connstr($schema) ],
	'but they can be added to it');
is(says($schema, $ledger), says('app', $ledger), 'so that it has all');

# Collations ------------------------------------------------------------------

# In C "_" comes before "z"; the other one skips it
SKIP:
{
	skip 'the server has no ICU', 1 if $node->safe_psql('postgres', q{SELECT count(*) FROM pg_collation WHERE collprovider = 'i'}) eq '0';
	my %print;
	$node->safe_psql('postgres', 'CREATE ROLE app_reader; CREATE ROLE appadmin');
	for my $locale ("LOCALE 'C'", "LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'en-u-ka-shifted'")
	{
		$node->safe_psql('postgres', "CREATE DATABASE sorted TEMPLATE template0 ENCODING 'UTF8' $locale");
		$print{ $node->safe_psql('sorted', q{CREATE EXTENSION dbkit; SET dbkit.enforce = off; CREATE TABLE a_z (); CREATE TABLE ab ();
			GRANT SELECT ON ab TO app_reader, appadmin; CREATE PUBLICATION changes FOR TABLE a_z, ab; SELECT dbkit.fingerprint()}) }++;
		$node->safe_psql('postgres', 'DROP DATABASE sorted');
	}
	is(scalar keys %print, 1, 'the fingerprint does not depend on the collation of the database');
}

# Replication -----------------------------------------------------------------

my $subscriber = restored('subscriber', '-s');
is(says($subscriber, q{SET dbkit.enforce = off; SELECT dbkit.apply(1, 'CREATE TABLE own ()', 'its own')}), 't', 'a subscriber has versions of its own');
$node->safe_psql('app', q{CREATE TABLE goods (id bigint PRIMARY KEY); CREATE PUBLICATION all_tables FOR ALL TABLES;
	SELECT pg_create_logical_replication_slot('goods', 'pgoutput')});
my $connection = $node->connstr('app') =~ s/'/''/gr;
$node->safe_psql($subscriber, qq{SET dbkit.enforce = off; CREATE TABLE goods (id bigint PRIMARY KEY);
	CREATE SUBSCRIPTION goods CONNECTION '$connection' PUBLICATION all_tables WITH (create_slot = false, slot_name = 'goods')});
is(says('app', q{SELECT dbkit.apply(4, 'INSERT INTO goods VALUES (1)', undo => 'DELETE FROM goods WHERE id = 1'), dbkit.revert(4);
	SELECT dbkit.apply(4, 'INSERT INTO goods VALUES (2)'), dbkit.apply(5, 'SELECT 1', undo => ''), dbkit.revert(5)}), "t|t\nt|t|t", 'the publisher goes on');
$node->poll_query_until($subscriber, 'SELECT count(*) = 1 FROM goods WHERE id = 2') or die 'nothing arrives';
is(says($subscriber, $ledger), '1|its own|', 'and the versions of the subscriber stay its own');
$node->safe_psql($subscriber, 'ALTER SUBSCRIPTION goods DISABLE; ALTER SUBSCRIPTION goods SET (slot_name = NONE); DROP SUBSCRIPTION goods');

done_testing();
