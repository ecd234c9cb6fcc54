# Out of memory: the n-th allocation of a script fails, and those after it succeed
# again, for all n as far as time allows; a memory.so that is compiled here and
# preloaded into the server takes care of that.  Whatever fails, the session goes
# on, nothing is left behind, and enforcement works as before.
#
# TORTURE_POINT=script    goes through that one only
# TORTURE_POINT=script:n  and fails that one allocation only, in a new session

use strict;
use warnings;
use Fcntl;
use Test::More;
use Torture;

my @commit_rules = qw(updated_at_trigger rls_enabled fk_index);
my $good_transaction = [ 'BEGIN', good_table('one', 'one'),
	good_table('two', 'two', 'one_id text COLLATE "C" REFERENCES one ON DELETE CASCADE, other_extid text COLLATE "C"'),
	'CREATE INDEX ON two (one_id)', 'COMMIT' ];
my $fixed_transaction = [ 'BEGIN', "SET LOCAL dbkit.rule_levels = '" . join(', ', map { "$_=fix" } @commit_rules, 'storytime', 'id_check') . "'",
	good_table('one', 'one'), 'CREATE TABLE two (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id(\'two\'), '
	  . 'created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), one_id text COLLATE "C" REFERENCES one ON DELETE CASCADE)',
	'CREATE POLICY own ON two USING (id = current_user)', 'COMMIT' ];
my $drop = 'DROP TABLE IF EXISTS one, two, three CASCADE';

# What to run: statements, and what undoes them when all have succeeded.
my %scripts = (
	transaction => [ $good_transaction, $drop ],
	fixed => [ $fixed_transaction, $drop ],
	rejected => [ [ 'CREATE TABLE bad (id serial PRIMARY KEY, at timestamp, x_id int)' ] ],
	rejected_at_commit => [ [ 'BEGIN', table_sql('one', 'one'), 'CREATE INDEX ON one (storytime)', table_sql('two', 'two'), 'COMMIT' ] ],
	savepoints => [ [ 'BEGIN', 'SAVEPOINT a', good_table('one', 'one'), 'SAVEPOINT b', 'DROP TRIGGER updated_at ON kept', 'ALTER TABLE one ADD COLUMN n int',
			'ROLLBACK TO b', 'SAVEPOINT c', good_table('two', 'two'), 'DROP TABLE one', 'RELEASE c', 'RELEASE a', 'COMMIT' ], $drop ],
	caught => [ [ q{DO $$ BEGIN FOR i IN 1 .. 3 LOOP BEGIN CREATE TABLE bad (id int); EXCEPTION WHEN SQLSTATE 'KD001' THEN NULL; END; END LOOP; END $$} ] ],
	contested => [ [ 'BEGIN', q{SET LOCAL dbkit.rule_levels = 'id_prefix=off'}, good_table('one', 'one'), good_table('two', 'one'), 'DROP TABLE one', 'COMMIT' ], $drop ],
	retyped => [ [ 'BEGIN', 'ALTER TABLE kept ALTER COLUMN n TYPE numeric, ADD COLUMN m bigint', 'ALTER TABLE kept DROP COLUMN m', 'ALTER TABLE kept ALTER COLUMN n TYPE bigint', 'COMMIT' ], 'SELECT' ],
	check => [ [ 'SELECT count(*) FROM dbkit.check()', 'SELECT count(*) FROM dbkit.stale_exemptions', q{SELECT * FROM dbkit.check('legacy')} ] ],
	exempt => [ [ 'BEGIN', q{SELECT dbkit.exempt('public.%', '*', 'because')}, q{SELECT dbkit.baseline()}, 'CREATE TABLE one (n int)', 'COMMIT' ],
		q{DROP TABLE one; DROP FUNCTION dbkit_agreement} ],
	enum => [ [ 'BEGIN', q{SELECT dbkit.add_enum_value('mood_enum', 'new')}, q{SELECT dbkit.rename_enum_value('mood_enum', 'sad', 'bad')},
			q{SELECT dbkit.drop_enum_value('mood_enum', 'new', 'bad')}, q{SELECT count(*) FROM dbkit.enum_usage('mood_enum')}, 'COMMIT' ],
		q{SELECT dbkit.rename_enum_value('mood_enum', 'bad', 'sad') WHERE EXISTS (SELECT FROM mood_enum WHERE value = 'bad')} ],
	enum_type => [ [ q{BEGIN; SET LOCAL dbkit.enforce = off; CREATE TYPE color AS ENUM ('red', 'blue'); CREATE TABLE one (c color DEFAULT 'red')},
			q{SELECT dbkit.enum_from_type('color')}, 'ROLLBACK' ] ],
	lock => [ [ 'BEGIN', q{SELECT dbkit.lock('a', '1 s')}, q{SELECT dbkit.try_lock('b'), dbkit.lock_shared('c')}, 'SAVEPOINT s', q{SELECT dbkit.lock('held', '1 ms')},
			'ROLLBACK TO s', 'SELECT * FROM dbkit.locks', 'COMMIT' ] ],
	session_lock => [ [ q{CALL dbkit.session_lock('a', '1 s')} ], 'SELECT pg_advisory_unlock_all()' ],
	session_lock_fails => [ [ q{CALL dbkit.session_lock('held', '1 ms')} ] ],
	new_names => [ [ q{SELECT count(dbkit.try_lock('n' || i)) FROM generate_series(1, 40) i} ] ],
	context => [ [ 'BEGIN', q{SELECT dbkit.enter('usr_1', 'org_1')}, q{SELECT dbkit.user_id(), current_setting('app.organization_id'), count(*) FROM kept}, 'COMMIT' ] ],
	protect => [ [ 'BEGIN', q{SELECT dbkit.protect('kept', '', 'id', 'regress_torture')}, 'ROLLBACK' ] ],
	ids => [ [ q{SELECT generate_id('abc'), dbkit.id_uuid(generate_id('a')), dbkit.table_of('kep_01h455vb4pex5vsknk084sn02q')}, 'BEGIN', 'UPDATE kept SET n = 2', 'ROLLBACK' ] ]);

# The catalogs as they have to be after a failure
my $trace = q{
	SELECT md5(string_agg(x, ',' ORDER BY x)) FROM (
		SELECT c.oid || relname || relnatts || relchecks || relrowsecurity FROM pg_class c WHERE oid >= 16384
		UNION ALL SELECT attrelid || attname || atttypid || attnotnull FROM pg_attribute WHERE attrelid >= 16384
		UNION ALL SELECT oid || conname FROM pg_constraint WHERE oid >= 16384
		UNION ALL SELECT oid || tgname || tgenabled::text FROM pg_trigger
		UNION ALL SELECT oid || polname FROM pg_policy
		UNION ALL SELECT r::text FROM dbkit.id_prefix r
		UNION ALL SELECT e::text FROM dbkit.exemption e
		UNION ALL SELECT 'value ' || value FROM mood_enum
		UNION ALL SELECT 'mood ' || mood || count(*) FROM kept_moods GROUP BY mood) AS x (x)};

# Where PostgreSQL, OpenSSL and the dynamic linker say it in other words
my $says_otherwise = qr/invalid regular expression: out of memory|could not compute SHA-256|could not load library/;

my ($observer, $holder, $session, $control);
my %failures;

# Let allocation n of the session fail; nothing for n < 0.
sub fail_allocation
{
	my ($n) = @_;
	sysseek $control, 0, 0;
	syswrite $control, pack('iiii', 0, 0, 0, 0);
	return if $n < 0;
	sysseek $control, 4, 0;
	syswrite $control, pack('iii', $n, 1, 0);
	sysseek $control, 0, 0;
	syswrite $control, pack('i', backend_pid($session));
}

# Has it failed?
sub has_failed
{
	sysseek $control, 12, 0;
	sysread $control, my $failed, 4;
	return unpack 'i', $failed;
}

# PL/pgSQL is loaded, as it cannot be in a session where that has failed half way.
sub new_session
{
	$session = connect_to();
	run_sql($session, q{SET client_min_messages = error; LOAD 'plpgsql'});
}

# What has to hold in the session after a failure; gives what does not.
sub go_on
{
	my ($name, $failed, $before) = @_;

	sql_error($session, 'ROLLBACK') if $session->ping && $session->ping != 1;
	if ($failed)
	{
		my $after = ask($observer, $trace);
		return 'it left a trace: ' . ask($observer, "SELECT to_regclass('bad'), to_regclass('one')") if $before ne $after;
	}
	return 'the context is still there' if ask($session, 'SELECT dbkit.user_id() IS NULL') ne '1';
	return 'it holds a lock' if $failed && ask($session, q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()}) ne '0';
	my $state = sql_error($session, 'CREATE TABLE bad (id int)');
	return "what is bad gave $state" if $state ne 'KD001';
	$state = sql_error($session, "BEGIN; $_") and return "what is good gave $state" for join '; ', good_table('three', 'thr'), 'COMMIT';
	$state = sql_error($session, 'DROP TRIGGER updated_at ON three');
	return "a rule of phase commit gave $state" if $state ne 'KD001';
	run_sql($session, 'DROP TABLE three');
	return '';
}

# Run a script with its n-th allocation failing; gives whether it did.
sub run_script
{
	my ($name, $n) = @_;
	my ($statements, $undo) = @{ $scripts{$name} };
	my $expected = $name =~ /^rejected/ ? 'KD001' : '';
	my $before = ask($observer, $trace);
	my ($state, $last, $xid) = ('', '', '');
	my $pid = backend_pid($session);

	fail_allocation($n);
	for my $sql (@$statements)
	{
		$last = $sql;
		$xid = ask($observer, "SELECT backend_xid FROM pg_stat_activity WHERE pid = $pid") // '' if $sql eq 'COMMIT';
		$state = sql_error($session, $sql);
		next if $state eq '55P03' && $sql =~ /'held'/ || $state eq 'KD001' && $sql =~ /ADD COLUMN n int/;
		last if $state;
	}
	my $has_failed = has_failed();
	fail_allocation(-1);
	$state = '' if $state eq $expected || $state eq '55P03';

	my $what = '';
	my $ended = !$session->ping;
	if ($ended)
	{
		$what = "the session ended with $state ${\ ($session->errstr // '')}" unless session_end_is_excused();
		server_is_up() or BAIL_OUT('the server is gone');
		$observer = connect_to() unless $observer->ping;
		hold_lock() unless $holder->ping;
		new_session();
	}
	elsif ($state && $state ne '53200' && $session->errstr !~ $says_otherwise)
	{
		$what = "it gave $state: " . $session->errstr;
	}

	# What fails after the commit, such as the report of statistics, undoes nothing
	$state = '' if $xid ne '' && ask($observer, "SELECT pg_xact_status('$xid')") eq 'committed';
	run_sql($observer, $undo) if $undo && (!$state || $what || $ended);
	$what ||= eval { go_on($name, $state ne '' || !$undo, $before) } // $@;
	if ($what)
	{
		if ($what =~ /no connection|server closed/ && session_end_is_excused())
		{
			new_session();
			return $has_failed;
		}
		push @{ $failures{$name} }, "allocation $n: $what; the last statement was: $last";
		run_sql($observer, 'DROP TABLE IF EXISTS bad');
		$session->disconnect;
		new_session();
	}
	return $has_failed;
}

# Where PostgreSQL itself ends a session, or the server, for want of memory: by the
# place that the log gives, or when dbkit has no part in a commit that has been done
my $ends = qr/LOCATION:  (?:InitializeOneGUCOption|guc_\w+|UserAbortTransactionBlock), /;
my @complaints;

sub session_end_is_excused
{
	my @entries = grep { !/57P03/ } log_entries();
	my ($end) = grep { /FATAL|PANIC/ } reverse @entries;
	my ($pid) = ($end // '') =~ /^(\[\d+\])/;
	my ($cause) = grep { $pid && /^\Q$pid\E 53200/ } reverse @entries;

	return 1 if $end && ($end =~ $ends || $end =~ /dbkit could not be loaded completely/);
	return 1 if $end && $end =~ /already committed/ && $cause && $cause !~ /dbkit\.so/ && ($cause =~ /BACKTRACE/ || $cause !~ /(?:mcxt|aset)\.c/);
	push @complaints, grep { defined } $cause, $end;
	return 0;
}

sub hold_lock
{
	$holder = connect_to();
	run_sql($holder, q{CALL dbkit.session_lock('held')});
}

sub set_up
{
	run_sql($observer, 'SET client_min_messages = error; CREATE ROLE regress_torture');
	run_sql($observer, join '; ', 'BEGIN', good_table('kept', 'kep', 'n bigint'), 'COMMIT');
	run_sql($observer, q{SELECT dbkit.create_enum('mood', '{sad,happy}')});
	run_sql($observer, 'SET dbkit.enforce = off; CREATE TABLE legacy (id serial PRIMARY KEY, at timestamp, user_id int);'
		  . q{CREATE TABLE kept_moods (mood text DEFAULT 'sad' REFERENCES mood_enum); INSERT INTO kept_moods SELECT 'sad' FROM generate_series(1, 100); RESET dbkit.enforce});
	run_sql($observer, q{SELECT dbkit.exempt('public.kept\_moods', '*', 'was there before')});
	run_sql($observer, 'INSERT INTO kept DEFAULT VALUES');
}

system("cc -O2 -shared -fPIC -o $ENV{TMPDIR}/memory.so test/torture/memory.c") == 0 or die "cannot compile memory.c\n";
my $file = "$ENV{TMPDIR}/memory.control";
sysopen($control, $file, O_RDWR | O_CREAT) or die;
syswrite $control, pack('iiii', 0, 0, 0, 0);
start_cluster(shared_preload_libraries => 'dbkit', 'dbkit.max_lock_names' => 30,
	backtrace_functions => "'AllocSetAlloc,AllocSetAllocFromNewBlock,AllocSetAllocLarge,AllocSetRealloc,AllocSetContextCreateInternal,MemoryContextAlloc,MemoryContextAllocZero,MemoryContextAllocExtended,palloc,palloc0,MemoryContextAllocationFailure'");
stop_server('fast');
my $preload = "FAIL_CONTROL=$file LD_PRELOAD=$ENV{TMPDIR}/memory.so";
start_server($preload);
$observer = connect_to();
set_up();
hold_lock();
new_session();

my ($only) = ($ENV{TORTURE_POINT} // '') =~ /^(\w+)/;
delete @scripts{ grep { $_ ne $only } keys %scripts } if $only;
if (($ENV{TORTURE_POINT} // '') =~ /:/)
{
	my ($name, $n) = split /:/, $ENV{TORTURE_POINT};
	run_script($name, $n);
	ok(!%failures, $ENV{TORTURE_POINT}) or diag(join "\n", map { @$_ } values %failures);
	diag($_) for log_complaints();
	done_testing();
	exit;
}

my (%points, %length);

# Go through scripts in growing detail until time is up: every 64th allocation, then
# those between.  A new session has its caches to fill, an old one has not.
sub run_scripts
{
	my ($until, $preloaded, @names) = @_;
	for my $step (64, 16, 4, 1)
	{
		for my $name (@names)
		{
			for my $cold ($preloaded ? (1, 0) : 1)
			{
				my $length = \$length{"$name $cold $preloaded"};
				for (my $n = int rand $step; time_is_left($until) && $n <= ($$length // 1e9); $n += $step)
				{
					if ($cold)
					{
						$session->disconnect;
						new_session();
					}
					$points{$name}++;
					next if run_script($name, $n);
					$$length = $n;
				}
			}
		}
	}
}

run_scripts(0.8, 1, sort keys %scripts);

# The same where a session loads the library
stop_server('fast');
open(my $configuration, '>>', "$Torture::cluster->{data}/postgresql.conf") or die;
print $configuration "shared_preload_libraries = ''\n";
close $configuration;
start_server($preload);
$observer = connect_to();
hold_lock();
new_session();
run_scripts(1, 0, grep { exists $scripts{$_} } qw(transaction context lock check));

for my $name (sort keys %scripts)
{
	ok(!$failures{$name}, "$name: " . ($points{$name} // 0) . ' allocations failed') or do
	{
		diag("to have one again: TORTURE_POINT=$name:N tools/torture memory");
		diag($_) for grep { defined } @{ $failures{$name} }[ 0 .. 9 ];
	};
}
push @complaints, grep { $_ !~ $ends && $_ !~ $says_otherwise } log_complaints();
is(scalar @complaints, 0, 'no internal error in the log') or diag(@complaints);
done_testing();
