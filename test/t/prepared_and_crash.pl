# Conventions and the prefix registry with prepared transactions, also across a
# restart, and when the server crashes between DDL and commit.

use strict;
use warnings;

use IPC::Run;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Conforming qw(good_table);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "max_prepared_transactions = 10\nlock_timeout = '60s'");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION dbkit');

# A table with all that belongs to it, or without its trigger
sub table
{
	my ($name, $prefix, $without_trigger) = @_;
	my @statements = good_table($name, $prefix);

	@statements = grep { !/^CREATE TRIGGER/ } @statements if $without_trigger;
	return join '', map { "$_;" } @statements;
}

# Give a session's output and errors.
sub says
{
	my ($sql) = @_;
	my ($status, $stdout, $stderr) = $node->psql('postgres', "\\set VERBOSITY terse\n$sql");
	return join "\n", grep { length } $stdout, $stderr =~ s/^psql:<stdin>:\d+: //mgr;
}

# Start a session that runs SQL as one transaction, and wait until it waits.
sub start_waiting
{
	my ($sql, $wait_event_type) = @_;
	my $session = { output => '', errors => '' };

	$session->{process} = IPC::Run::start(
		[ 'psql', '-XAtq', '-v', 'VERBOSITY=terse', '-d', $node->connstr('postgres'), '-c', $sql ],
		'<', \undef, '>', \$session->{output}, '2>', \$session->{errors},
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	$node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = '$wait_event_type' AND backend_type = 'client backend'")
	  or die 'the session does not wait';
	return $session;
}

sub finish
{
	my ($session) = @_;
	$session->{process}->finish;
	chomp(my $said = $session->{output} . $session->{errors});
	return $said;
}

my $registry = 'SELECT prefix, relation::regclass, contested FROM dbkit.id_prefix ORDER BY prefix';
my $prepared = 'SELECT gid FROM pg_prepared_xacts ORDER BY gid';

# PREPARE is judged as COMMIT is
like(says('BEGIN;' . table('bad', 'bad', 1) . q{PREPARE TRANSACTION 'bad'}),
	qr/^ERROR:  table "public.bad" breaks the schema convention "updated_at_trigger": /, 'a transaction that does not conform is not prepared');
is(says("$prepared; $registry"), '', 'and leaves nothing behind');
is(says('BEGIN;' . table('bad', 'bad', 1) . q{DROP TABLE bad; PREPARE TRANSACTION 'bad'; ROLLBACK PREPARED 'bad'}), '',
	'what is gone before PREPARE does not count');
like(says(q{SET dbkit.rule_levels = 'updated_at_trigger=fix'; BEGIN;} . table('mended', 'men', 1) . q{PREPARE TRANSACTION 'fix'}),
	qr/^NOTICE:  fixed the schema convention "updated_at_trigger" of table "public.mended"$/, 'at level fix it is mended');
is(says(q{COMMIT PREPARED 'fix'; SELECT tgname FROM pg_trigger WHERE tgrelid = 'mended'::regclass}), 'updated_at',
	'before it is prepared');

# Two transactions whose fix picks the same prefix: one of them has it
sub bare
{
	my ($name) = @_;
	my $fixes = q{SET LOCAL dbkit.rule_levels = 'id_default=fix, id_check=fix, updated_at_trigger=fix, rls_enabled=fix';};
	return qq(
		BEGIN;
		$fixes
		CREATE TABLE $name (
			id text COLLATE "C" PRIMARY KEY,
			created_at timestamptz NOT NULL DEFAULT now(),
			updated_at timestamptz NOT NULL DEFAULT now(),
			storytime jsonb);
		CREATE POLICY own ON $name USING (id = current_user););
}

says(bare('same_one') . q{PREPARE TRANSACTION 'same'});
is(says(qq(\\set ON_ERROR_STOP off
	SET client_min_messages = error; SET lock_timeout = '50ms';) . bare('same_two') . 'COMMIT; CREATE TABLE bad (n int); SELECT 1 FROM dbkit.check()'),
	qq(ERROR:  canceling statement due to lock timeout\nERROR:  table "public.bad" breaks 6 schema conventions: primary_key, created_at, updated_at and 3 more),
	'lock_timeout in a fix is what it is elsewhere, and the session goes on');
my $cancelled = start_waiting('SET client_min_messages = error;' . bare('same_two') . 'COMMIT', 'Lock');
says(q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'});
is(finish($cancelled), 'ERROR:  canceling statement due to user request', 'so is pg_cancel_backend()');
my $second = start_waiting('SET client_min_messages = error;' . bare('same_two') . 'COMMIT', 'Lock');
is(says(q{COMMIT PREPARED 'same'; SELECT prefix, relation::regclass FROM dbkit.id_prefix WHERE relation::regclass::text LIKE 'same%'}), 'sam|same_one',
	'of two tables whose prefix was made up, the first has it');
like(finish($second), qr/^ERROR:  table "public.same_two" breaks /, 'the second is rejected');
is(says('SELECT * FROM dbkit.check()'), '', 'no two tables share it');
like(says(bare('same_two') . 'COMMIT'), qr/^NOTICE:  fixed/, 'and the second time it gets another one');
is(says(q{DROP TABLE same_one, same_two}), '', 'both go');

# A prepared transaction keeps its claim, also across restart and crash
for my $mode (qw(fast immediate))
{
	is(says('BEGIN;' . table('one', 'one') . q{PREPARE TRANSACTION 'one'}), '', "$mode: a transaction that conforms is prepared");
	is(says($registry), 'men|mended|f', "$mode: its table is in the registry for nobody else");
	$node->stop($mode);
	$node->start;
	is(says($prepared), 'one', "$mode: it is still there after a restart");
	like(says(q{SET lock_timeout = '50ms';} . table('two', 'one')), qr/^ERROR:  canceling statement due to lock timeout$/,
		"$mode: another transaction waits for the prefix");

	my $waiting = start_waiting(table('two', 'one'), 'Lock');
	is(says(q{COMMIT PREPARED 'one'}), '', "$mode: it commits");
	like(finish($waiting), qr/^ERROR:  table "public.two" breaks 3 schema conventions: id_prefix, updated_at_trigger, rls_enabled$/,
		"$mode: the one that waited is rejected");
	is(says($registry), "men|mended|f\none|one|f", "$mode: the registry knows the table");
	is(says('INSERT INTO one DEFAULT VALUES RETURNING dbkit.table_of(id)'), 'one', "$mode: the table works");
	like(says(table('two', 'one')), qr/breaks 3 schema conventions: id_prefix, /, "$mode: its prefix is taken");

	is(says(q{BEGIN; DROP TABLE one; PREPARE TRANSACTION 'drop'}), '', "$mode: a DROP is prepared");
	$node->stop($mode);
	$node->start;
	$waiting = start_waiting(table('two', 'one'), 'Lock');
	is(says(q{COMMIT PREPARED 'drop'}), '', "$mode: and commits");
	is(finish($waiting), '', "$mode: the one that waited takes the prefix");
	is(says($registry), "men|mended|f\none|two|f", "$mode: and has it");

	is(says('BEGIN;' . table('three', 'thr') . q{PREPARE TRANSACTION 'three'}), '', "$mode: another claim is prepared");
	$waiting = start_waiting(table('four', 'thr'), 'Lock');
	is(says(q{ROLLBACK PREPARED 'three'}), '', "$mode: and rolled back");
	is(finish($waiting), '', "$mode: the one that waited takes the prefix");
	is(says($registry), "men|mended|f\none|two|f\nthr|four|f", "$mode: and has it");
	is(says('DROP TABLE two, four'), '', "$mode: all is as before");
}

# A crash before and after the commit
my $running = start_waiting(table('lost', 'los') . 'DROP TABLE mended; SELECT pg_sleep(600)', 'Timeout');
$node->stop('immediate');
like(finish($running), qr/terminat|abort|clos|lost/, 'the session is lost');
$node->start;
is(says("$registry; SELECT to_regclass('lost'), to_regclass('mended')"), "men|mended|f\n|mended",
	'a crash before the commit leaves no trace');
is(says('BEGIN;' . table('saved', 'los') . 'COMMIT'), '', 'its prefix is free');
$node->stop('immediate');
$node->start;
is(says("$registry; SELECT * FROM dbkit.check()"), "los|saved|f\nmen|mended|f", 'after one that follows the commit all is there');
like(says(table('lost', 'los')), qr/breaks 3 schema conventions: id_prefix, /, 'the prefix is taken');
like(says('DROP TRIGGER updated_at ON saved'), qr/breaks the schema convention "updated_at_trigger"/, 'and the table is guarded');
$node->stop('immediate');
$node->start;
is(says(q{DROP TABLE saved; SELECT prefix FROM dbkit.id_prefix}), 'men', 'a crash after a rejection changes nothing');

done_testing();
