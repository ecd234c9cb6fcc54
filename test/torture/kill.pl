# kill -9 of a backend, which makes the server start over, and of the server
# itself, at random moments of enforcement, of enum functions and of named locks.
# What comes up again has all of a transaction or nothing of it, no lock, and
# enforces as before.

use strict;
use warnings;
use DBD::Pg qw(:async);
use Test::More;
use Time::HiRes qw(sleep time);
use Torture;

my @tables = map { [ "t$_", 't' . chr(97 + $_ / 26) . chr(97 + $_ % 26) ] } 0 .. 29;
my @rules = qw(updated_at_trigger rls_enabled storytime);

my @good = map { good_table(@$_) } @tables;
my @bare = map { (s/, storytime jsonb//r =~ s/^CREATE TRIGGER.*|^ALTER TABLE.*//r) } @good;
my $drop = join ', ', map { $_->[0] } @tables;

# What is going on when it is cut off; each is one string of statements.
my %scripts = (
	tables => join('; ', 'BEGIN', @good, 'COMMIT'),
	fixed => join('; ', 'BEGIN', "SET LOCAL dbkit.rule_levels = '" . join(', ', map { "$_=fix" } @rules) . "'", @bare, 'COMMIT'),
	rejected => join('; ', 'BEGIN', @good, 'DROP POLICY own ON t7', 'COMMIT'),
	dropped => join('; ', 'BEGIN', @good, 'COMMIT', "DROP TABLE $drop"),
	savepoints => join('; ', 'BEGIN', (map { ('SAVEPOINT s', good_table(@$_), 'ROLLBACK TO s', good_table(@$_)) } @tables), 'COMMIT'),
	renamed => q{SELECT dbkit.rename_enum_value('mood_enum', v, CASE v WHEN 'sad' THEN 'bad' ELSE 'sad' END) FROM dbkit.enum_values('mood_enum') v WHERE v <> 'happy'},
	replaced => q{BEGIN; SELECT dbkit.add_enum_value('mood_enum', 'other'); SELECT dbkit.drop_enum_value('mood_enum', 'happy', 'other');
		SELECT dbkit.rename_enum_value('mood_enum', 'other', 'happy'); COMMIT},
	enum_type => q{BEGIN; SET LOCAL dbkit.enforce = off; CREATE TYPE color AS ENUM ('red', 'blue'); CREATE TABLE legacy_colors AS SELECT 'red'::color AS c FROM generate_series(1, 20000);
		SELECT dbkit.enum_from_type('color'); DROP TABLE legacy_colors, color_enum; COMMIT},
	lock => q{BEGIN; SELECT dbkit.lock('torture lock'); SELECT pg_sleep(0.1); COMMIT},
	session_lock => q{SELECT dbkit.try_session_lock('torture lock'), dbkit.try_session_lock('torture lock'), pg_sleep(0.1)},
	names => q{SELECT count(dbkit.try_lock('name ' || i % 300)) FROM generate_series(1, 30000) i},
	prepared => join('; ', 'BEGIN', @good, q{PREPARE TRANSACTION 'torture'}));
my %duration;
my $session;

# What has to hold once the server is up again; gives what does not.
sub complaints
{
	my ($name, $committed) = @_;
	my @complaints;
	my $observer = connect_to();

	run_sql($observer, q{SET client_min_messages = error; SET lock_timeout = '2 s'});
	run_sql($observer, q{COMMIT PREPARED 'torture'}) if ask($observer, 'SELECT count(*) FROM pg_prepared_xacts') ne '0';
	push @complaints, map { "dbkit.check() finds @$_" } ask_rows($observer, 'SELECT rule, object_identity FROM dbkit.check()');
	push @complaints, registry_complaints($observer);
	my $tables = ask($observer, q{SELECT count(*) FROM pg_class WHERE relname ~ '^t\d+$'});
	push @complaints, "there are $tables tables" unless $tables eq '0' || $tables eq scalar @tables;
	push @complaints, 'there are no tables' if $committed && $tables eq '0' && $name =~ /^(?:tables|fixed|savepoints|prepared)$/;
	push @complaints, 'what is rejected is there' if $name eq 'rejected' && $tables ne '0';
	my $moods = ask($observer, 'SELECT mood, count(*), mood IN (SELECT value FROM mood_enum) FROM legacy_moods GROUP BY mood ORDER BY mood');
	push @complaints, "the moods are $moods" unless $moods =~ /^(?:bad\|10000\|1\nhappy\|10000\|1|happy\|10000\|1\nsad\|10000\|1)$/;
	my $values = ask($observer, q{SELECT dbkit.enum_values('mood_enum')});
	push @complaints, "the values are $values" unless $values =~ /^(?:sad|bad)\nhappy$/;
	push @complaints, 'legacy_colors is there' if ask($observer, q{SELECT to_regclass('legacy_colors'), to_regtype('color')}) ne '|';

	# Locks are free, and their names are right
	push @complaints, 'there is a lock' if ask($observer, q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'}) ne '0';
	run_sql($observer, 'BEGIN');
	push @complaints, 'the lock is not free' if sql_error($observer, q{SELECT dbkit.lock('torture lock', '0')});
	run_sql($observer, q{SELECT count(dbkit.try_lock('name ' || i)) FROM generate_series(1, 40) i});
	my $wrong = ask($observer, q{SELECT count(*) FROM dbkit.locks WHERE CASE WHEN name IS NOT NULL THEN dbkit.lock_key(name) <> key END});
	push @complaints, "$wrong locks have a wrong name" if $wrong ne '0';
	run_sql($observer, 'ROLLBACK');

	# Enforcement is at work
	my $state = sql_error($observer, 'CREATE TABLE bad (id int)');
	push @complaints, "what is bad gave '$state'" if $state ne 'KD001';
	if ($tables eq '0')
	{
		$state = sql_error($observer, join '; ', 'BEGIN', @good, 'COMMIT');
		push @complaints, "what is good gave '$state'" if $state;
	}
	$state = sql_error($observer, 'DROP POLICY own ON t3');
	push @complaints, "a rule of phase commit gave '$state'" if $state ne 'KD001';
	run_sql($observer, "DROP TABLE $drop");
	push @complaints, map { "a prefix is left: @$_" } ask_rows($observer, 'SELECT prefix, relation::text FROM dbkit.id_prefix');
	return @complaints;
}

# Run a script and kill the backend or the server after a while; gives what is wrong.
sub run_and_kill
{
	my ($name, $victim, $delay) = @_;
	my $until = time + $delay;
	my $committed = 0;
	my $starts = count_starts() + 1;

	$session = connect_to();
	my $waiting = connect_to();
	run_sql($_, 'SET client_min_messages = error') for $session, $waiting;
	$session->do($scripts{$name}, { pg_async => PG_ASYNC });
	$waiting->do(q{CALL dbkit.session_lock('torture lock')}, { pg_async => PG_ASYNC }) if $name =~ /lock/;
	while (time < $until && !$committed)
	{
		$committed = defined $session->pg_result if $session->pg_ready;
		sleep 0.0002;
	}
	if ($victim eq 'server')
	{
		kill_server();
		start_server();
	}
	else
	{
		kill 'KILL', backend_pid($session);
	}
	$_->{InactiveDestroy} = 1 for $session, $waiting;
	server_is_up($starts) or return 'the server does not come up';
	return complaints($name, $committed);
}

start_cluster(shared_preload_libraries => 'dbkit', 'dbkit.max_lock_names' => 100, max_locks_per_transaction => 256, restart_after_crash => 'on',
	checkpoint_timeout => '30s');
$session = connect_to();
run_sql($session, q{SET client_min_messages = error; SELECT dbkit.create_enum('mood', '{sad,happy}')});
run_sql($session, 'SET dbkit.enforce = off; CREATE TABLE legacy_moods (id serial, mood text DEFAULT \'sad\' REFERENCES mood_enum);'
	  . q{INSERT INTO legacy_moods (mood) SELECT CASE WHEN i % 2 = 0 THEN 'sad' ELSE 'happy' END FROM generate_series(1, 20000) i;}
	  . q{CREATE INDEX ON legacy_moods (mood); RESET dbkit.enforce});
run_sql($session, q{SELECT dbkit.exempt('public.legacy%', '*', 'was there before')});

# How long each takes when nobody is killed
for my $name (sort keys %scripts)
{
	my $start = time;
	my $state = sql_error($session, $scripts{$name});
	$duration{$name} = time - $start;
	run_sql($session, 'ROLLBACK') if $session->ping != 1;
	run_sql($session, 'SELECT pg_advisory_unlock_all()');
	my @complaints = complaints($name, !$state);
	die "$name: $state @complaints\n" if @complaints || $state && $name ne 'rejected';
}
$session->disconnect;

my (%failures, %runs);
my @queue;
while (time_is_left())
{
	@queue = sort keys %scripts unless @queue;
	my $name = splice @queue, int rand @queue, 1;
	my $victim = chance(0.5) ? 'server' : 'backend';
	my $delay = rand(1.1 * $duration{$name});
	my @complaints = eval { run_and_kill($name, $victim, $delay) };
	push @complaints, $@ if $@;
	push @complaints, log_complaints(killed => 1);
	$runs{$name}++;
	push @{ $failures{$name} }, sprintf("the %s killed after %.4f s:\n", $victim, $delay) . join "\n", @complaints if @complaints;
	last if @complaints && !server_is_up();
}
for my $name (sort keys %scripts)
{
	ok(!$failures{$name}, "$name: killed " . ($runs{$name} // 0) . ' times') or diag($_) for @{ $failures{$name} || [''] };
}
done_testing();
