# Cancelled statements: statement_timeout from 1 ms up over long scripts, and
# pg_cancel_backend() and pg_terminate_backend() at random moments.  Whatever is
# cancelled, the session goes on, nothing is left behind, and enforcement works as
# before.

use strict;
use warnings;
use DBD::Pg qw(:async);
use Test::More;
use Time::HiRes qw(sleep time);
use Torture;

# Tables of a long script: names and prefixes of their own
my @tables = map { [ "t$_", 't' . chr(97 + $_ / 26) . chr(97 + $_ % 26) ] } 0 .. 19;

# A transaction of many good tables, each with a foreign key to the one before
sub many_tables
{
	my @statements = ('BEGIN');
	my $previous;
	for (@tables)
	{
		my ($name, $prefix) = @$_;
		push @statements, good_table($name, $prefix, $previous ? qq{p_id text COLLATE "C" REFERENCES $previous ON DELETE CASCADE} : '');
		push @statements, "CREATE INDEX ON $name (p_id)" if $previous;
		$previous = $name;
	}
	return (@statements, 'COMMIT');
}

# The same bare, to be mended at the end
sub fixed_tables
{
	return ('BEGIN', q{SET LOCAL dbkit.rule_levels = 'updated_at_trigger=fix, rls_enabled=fix, fk_index=fix, storytime=fix'},
		(grep { !/^(?:BEGIN|COMMIT|CREATE TRIGGER|CREATE INDEX|ALTER TABLE)/ } map { s/, storytime jsonb//r } many_tables()), 'COMMIT');
}

# What to run: one statement of many, or many, and what undoes them
my $drop = 'DROP TABLE IF EXISTS ' . join(', ', map { $_->[0] } @tables) . ' CASCADE';
my %scripts = (
	tables => [ [ many_tables() ], $drop ],
	tables_at_once => [ [ join '; ', many_tables() ], $drop ],
	fixed => [ [ join '; ', fixed_tables() ], $drop ],
	dropped => [ [ join '; ', many_tables(), 'BEGIN', (map { "DROP TABLE $_->[0] CASCADE" } @tables), 'COMMIT' ], $drop ],
	contested => [ [ join '; ', 'BEGIN', q{SET LOCAL dbkit.rule_levels = 'id_prefix=off'}, (map { good_table($_->[0], 'one') } @tables), (map { "DROP TABLE $_->[0]" } @tables), 'COMMIT' ], $drop ],
	savepoints => [ [ join '; ', 'BEGIN', (map { ('SAVEPOINT s', good_table(@$_), 'ROLLBACK TO s', 'SAVEPOINT s', good_table(@$_), 'RELEASE s') } @tables), 'COMMIT' ], $drop ],
	caught => [ [ q{DO $$ BEGIN FOR i IN 1 .. 40 LOOP BEGIN CREATE TABLE bad (id int); EXCEPTION WHEN SQLSTATE 'KD001' THEN NULL; END; END LOOP; END $$} ] ],
	enum => [ [ join '; ', (q{SELECT dbkit.rename_enum_value('mood_enum', 'sad', 'bad')}, q{SELECT dbkit.rename_enum_value('mood_enum', 'bad', 'sad')}) x 4 ] ],
	enum_type => [ [ join '; ', 'BEGIN', 'SET LOCAL dbkit.enforce = off', q{CREATE TYPE color AS ENUM ('red', 'blue')}, (map { "CREATE TABLE $_->[0] (c color DEFAULT 'red')" } @tables),
			q{SELECT dbkit.enum_from_type('color')}, 'ROLLBACK' ] ],
	check => [ [ 'SELECT count(*) FROM dbkit.check()', 'SELECT count(*) FROM dbkit.stale_exemptions' ] ],
	baseline => [ [ q{BEGIN; SELECT dbkit.baseline(); ROLLBACK} ] ],
	lock => [ [ 'BEGIN', q{SELECT dbkit.lock('a', '1 s')}, q{SELECT dbkit.lock('held', '1 s')}, 'ROLLBACK' ] ],
	lock_shared => [ [ q{SELECT dbkit.lock_shared('held')} ] ],
	session_lock => [ [ q{CALL dbkit.session_lock('held', '1 s')} ] ],
	session_lock_shared => [ [ q{CALL dbkit.session_lock_shared('held')} ] ],
	names => [ [ q{SELECT count(dbkit.try_lock('n' || i % 300)) FROM generate_series(1, 20000) i} ] ],
	context => [ [ q{BEGIN; SELECT dbkit.enter('usr_1', 'org_1'); SELECT count(*) FROM generate_series(1, 100000) WHERE dbkit.user_id() = 'usr_1'; COMMIT} ] ],
	ids => [ [ q{SELECT count(generate_id('abc')) FROM generate_series(1, 100000)} ] ]);

# What has to be as before a transaction that did not commit
my $trace = q{
	SELECT md5(string_agg(x, ',' ORDER BY x)) FROM (
		SELECT c.oid || relname || relnatts || relchecks || relrowsecurity FROM pg_class c WHERE oid >= 16384
		UNION ALL SELECT oid || conname FROM pg_constraint WHERE oid >= 16384
		UNION ALL SELECT oid || tgname FROM pg_trigger UNION ALL SELECT oid || polname FROM pg_policy
		UNION ALL SELECT r::text FROM dbkit.id_prefix r UNION ALL SELECT e::text FROM dbkit.exemption e
		UNION ALL SELECT value FROM mood_enum) AS x (x)};

my ($observer, $holder, $session);
my (%failures, %runs, %cancelled);

sub new_session
{
	$session = connect_to();
	run_sql($session, 'SET client_min_messages = error');
}

# What has to hold once a script has been cut off; gives what does not.
sub go_on
{
	my ($name, $before) = @_;

	run_sql($session, 'ROLLBACK') if $session->ping != 1;
	return 'the context is still there' if ask($session, 'SELECT dbkit.user_id() IS NULL') ne '1';
	return 'it holds a lock' if ask($session, q{SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'}) ne '0';
	my $state = sql_error($session, 'CREATE TABLE bad (id int)');
	return "what is bad gave $state" if $state ne 'KD001';
	$state = sql_error($session, join '; ', 'BEGIN', good_table('three', 'thr'), 'COMMIT');
	return "what is good gave $state" if $state;
	$state = sql_error($session, 'DROP TRIGGER updated_at ON three');
	return "a rule of phase commit gave $state" if $state ne 'KD001';
	run_sql($session, 'DROP TABLE three');

	# All of the script is there, or nothing
	my $after = ask($observer, $trace);
	my $wrong = ask($observer, q{SELECT rule, object_identity FROM dbkit.check()});
	return "dbkit.check() finds $wrong" if $wrong;
	($wrong) = registry_complaints($observer);
	return $wrong if $wrong;
	my $tables = ask($observer, q{SELECT count(*) FROM pg_class WHERE relname ~ '^t\d+$'});
	return "there are $tables tables" if $tables ne '0' && $tables ne scalar @tables;
	return 'the enum is half renamed' if ask($observer, q{SELECT count(DISTINCT mood), min(mood) = ANY (SELECT value FROM mood_enum) FROM moods_legacy}) ne '1|1';
	run_sql($observer, $scripts{$name}[1]) if $scripts{$name}[1] && $tables;
	run_sql($observer, q{SELECT dbkit.rename_enum_value('mood_enum', 'bad', 'sad')}) if ask($observer, q{SELECT count(*) FROM mood_enum WHERE value = 'bad'});
	$after = ask($observer, $trace);
	return 'it left a trace' if $before ne $after;
	return '';
}

sub judge_run
{
	my ($name, $how, $before, $state) = @_;
	my $what = '';

	$runs{$name}++;
	$cancelled{$name}++ if $state =~ /^57/;
	$what = "it gave $state" if $state && $state !~ /^(?:57014|57P01)$/ && ($state ne '55P03' || $name !~ /lock/);
	new_session() unless $session->ping;
	$what ||= eval { go_on($name, $before) } // $@;
	return unless $what;
	push @{ $failures{$name} }, "$how: $what";
	$session->disconnect;
	new_session();
	run_sql($observer, "DROP TABLE IF EXISTS bad; $drop");
}

# Run a script with a timeout for each of its statements, in milliseconds.
sub run_with_timeout
{
	my ($name, $timeout) = @_;
	my $before = ask($observer, $trace);
	my $state = '';

	run_sql($session, "SET statement_timeout = '$timeout ms'");
	for my $sql (@{ $scripts{$name}[0] })
	{
		last if $state = sql_error($session, $sql);
	}
	for my $sql ($session->ping != 1 ? 'ROLLBACK' : (), 'RESET statement_timeout')
	{
		1 while sql_error($session, $sql) eq '57014';    # the timeout is on this one, too
	}
	judge_run($name, "statement_timeout $timeout ms", $before, $state);
	return $state eq '57014';
}

# Run a script, and after a while cancel or terminate it from another session.
sub run_with_signal
{
	my ($name, $function, $delay) = @_;
	my $before = ask($observer, $trace);
	my $state = '';
	my $end = time + $delay;
	my $sent = 0;
	my $pid = backend_pid($session);

	for my $sql (@{ $scripts{$name}[0] })
	{
		if ($sent || !defined $session->do($sql, { pg_async => PG_ASYNC }))
		{
			$state = $sent ? '57014' : $session->state;
			last;
		}
		until ($session->pg_ready)
		{
			if (!$sent && time > $end)
			{
				ask($observer, "SELECT $function($pid)");
				$sent = 1;
			}
			sleep 0.0005;
		}
		last if !defined $session->pg_result && ($state = $session->state || '57P01');
	}
	$state = '57P01' if $sent && $state && !$session->ping;
	if ($sent && $function =~ /terminate/)
	{
		for (1 .. 200)
		{
			last if ask($observer, "SELECT count(*) FROM pg_stat_activity WHERE pid = $pid") eq '0';
			sleep 0.01;
		}
	}
	judge_run($name, sprintf('%s after %.4f s', $function, $delay), $before, $state);
}

start_cluster(shared_preload_libraries => 'dbkit', 'dbkit.max_lock_names' => 100, max_locks_per_transaction => 512);
$observer = connect_to();
run_sql($observer, 'SET client_min_messages = error');
run_sql($observer, q{SELECT dbkit.create_enum('mood', '{sad,happy}')});
run_sql($observer, 'SET dbkit.enforce = off; CREATE TABLE moods_legacy (id serial, mood text DEFAULT \'sad\' REFERENCES mood_enum);'
	  . q{INSERT INTO moods_legacy (mood) SELECT 'sad' FROM generate_series(1, 2000);}
	  . q{DO $$ BEGIN FOR i IN 1 .. 50 LOOP EXECUTE format('CREATE TABLE legacy%s (id serial PRIMARY KEY, at timestamp, user_id int)', i); END LOOP; END $$; RESET dbkit.enforce});
run_sql($observer, q{SELECT dbkit.exempt('public.%legacy%', '*', 'was there before')});
$holder = connect_to();
run_sql($holder, q{CALL dbkit.session_lock('held')});
new_session();

# From 1 ms up until a script is through, in steps that grow; then random moments
my %limit;
for my $name (sort keys %scripts)
{
	for (my $timeout = 1; time_is_left(0.6) && $timeout < 2000; $timeout += 1 + int($timeout * rand 0.4))
	{
		$limit{$name} = $timeout / 1000;
		last unless run_with_timeout($name, $timeout) || $timeout < 5;
	}
}
while (time_is_left())
{
	my $name = pick(sort keys %scripts);
	run_with_signal($name, pick(qw(pg_cancel_backend pg_cancel_backend pg_terminate_backend)), rand(($limit{$name} || 0.1) * (@{ $scripts{$name}[0] } > 9 ? 10 : 1)));
}

for my $name (sort keys %scripts)
{
	ok(!$failures{$name}, "$name: $runs{$name} runs, " . ($cancelled{$name} // 0) . ' of them cut off') or do
	{
		diag($_) for grep { defined } @{ $failures{$name} }[ 0 .. 9 ];
	};
}
my @complaints = log_complaints();
is(scalar @complaints, 0, 'no internal error in the log') or diag(@complaints);
done_testing();
