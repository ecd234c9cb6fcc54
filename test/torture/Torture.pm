# What the scripts of test/torture have in common: a cluster of their own, its
# sessions, its log, and chance.

package Torture;

use strict;
use warnings;
use Conforming qw(table_sql good_table);
use DBI;
use Exporter qw(import);
use File::Temp qw(tempdir);
use POSIX qw(_exit);
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(start_cluster start_server stop_server kill_server server_is_up count_starts connect_to postmaster_pid
  seed_chance chance pick seconds time_is_left run_sql sql_error ask ask_rows good_table table_sql
  registry_complaints log_entries log_complaints is_complaint backend_pid $cluster);

our $cluster;
my $owner = $$;
my $started = time;

# Chance --------------------------------------------------------------------

# Start the run, or one part of it, from a seed.
sub seed_chance
{
	my ($part) = @_;
	srand(($ENV{TORTURE_SEED} || 1) * 1000 + ($part || 0));
}

sub chance
{
	my ($probability) = @_;
	return rand() < $probability;
}

sub pick
{
	return @_ ? $_[ int rand @_ ] : undef;
}

sub seconds
{
	return $ENV{TORTURE_SECONDS} || 45;
}

# Is there time left of the whole, or of a part of it?
sub time_is_left
{
	my ($part) = @_;
	return time - $started < seconds() * ($part // 1);
}

# The cluster ---------------------------------------------------------------

sub run_program
{
	my ($command, $environment) = @_;
	my $log = "$cluster->{directory}/programs.log";
	my $status = system("${\ ($environment || '')} $command >> $log 2>&1 < /dev/null");
	return if $status == 0;
	system("tail -n 30 $log $cluster->{log}");
	die "$command failed\n";
}

# Make a cluster with further settings, and start it.
sub start_cluster
{
	my (%settings) = @_;
	seed_chance();
	my $directory = tempdir('torture.XXXXXX', TMPDIR => 1, CLEANUP => 1);

	$cluster = { directory => $directory, data => "$directory/data", log => "$directory/server.log", read => 0 };
	open(my $log, '>', $cluster->{log}) or die;
	close $log;
	run_program("initdb -D $cluster->{data} -U postgres -E UTF8 --locale=C.UTF-8 -A trust -N");
	%settings = (
		listen_addresses => "''",
		unix_socket_directories => "'$directory'",
		fsync => 'off',
		autovacuum => 'off',
		max_prepared_transactions => 10,
		log_line_prefix => "'[%p] %e '",
		log_error_verbosity => 'verbose',
		log_min_messages => 'warning',
		timezone => "'UTC'",
		%settings);
	open(my $file, '>>', "$cluster->{data}/postgresql.conf") or die;
	print $file "$_ = $settings{$_}\n" for sort keys %settings;
	close $file;
	start_server();
	run_sql(connect_to('postgres'), 'CREATE DATABASE torture');
	run_sql(connect_to(), 'CREATE EXTENSION dbkit');
}

sub start_server
{
	my ($environment) = @_;
	run_program("pg_ctl -D $cluster->{data} -l $cluster->{log} -w start", $environment);
}

sub stop_server
{
	my ($mode) = @_;
	run_program("pg_ctl -D $cluster->{data} -m $mode -w stop");
}

sub postmaster_pid
{
	open(my $file, '<', "$cluster->{data}/postmaster.pid") or return;
	my $pid = <$file>;
	return $pid ? int $pid : undef;
}

# Give the processes of the server, the postmaster first.
sub server_pids
{
	my $pid = postmaster_pid() or return;
	return ($pid, split ' ', `ps -o pid= --ppid $pid`);
}

# kill -9 the postmaster.  Its children follow by themselves, those that are busy
# when they next wait for something; a new server could not start before.  It is stopped
# first: one that it forks between the look and the kill would not be waited for.
sub kill_server
{
	kill 'STOP', postmaster_pid();
	my @pids = server_pids();
	kill 'KILL', $pids[0];
	for (1 .. 600)
	{
		return unless grep { kill 0, $_ } @pids;
		kill 'KILL', @pids if $_ > 20;
		sleep 0.05;
	}
	die "the server's processes do not end\n";
}

# How often has the server come up?
sub count_starts
{
	open(my $log, '<', $cluster->{log}) or die;
	return scalar grep { /ready to accept connections/ } <$log>;
}

# Wait until the server, having come up so many times, accepts connections (again).
sub server_is_up
{
	my ($starts) = @_;
	for (1 .. 600)
	{
		return 1 if count_starts() >= ($starts // 0) && try_connect();
		sleep 0.05;
	}
	return 0;
}

END
{
	if ($cluster && $owner == $$)
	{
		my $status = $?;
		system("pg_ctl -D $cluster->{data} -m immediate -w stop > /dev/null 2>&1") if postmaster_pid();
		$? = $status;
	}
}

# Sessions ------------------------------------------------------------------

sub try_connect
{
	my ($database, $user) = @_;
	return DBI->connect("dbi:Pg:dbname=${\ ($database || 'torture')};host=$cluster->{directory};port=5432",
		$user || 'postgres', '',
		{ AutoCommit => 1, RaiseError => 0, PrintError => 0, PrintWarn => 0, AutoInactiveDestroy => 1,
			pg_server_prepare => 0, pg_enable_utf8 => 0, pg_expand_array => 0 });
}

sub connect_to
{
	my $session = try_connect(@_) or die "cannot connect: $DBI::errstr\n";
	return $session;
}

sub backend_pid
{
	my ($session) = @_;
	return $session->{pg_pid};
}

# Run SQL, and give its SQLSTATE, '' for success.
sub sql_error
{
	my ($session, $sql) = @_;
	return '' if defined $session->do($sql);
	return $session->state || '57P01';
}

# Run SQL that must succeed.
sub run_sql
{
	my ($session, $sql) = @_;
	my $state = sql_error($session, $sql);
	die "$state ${\ $session->errstr} in: $sql\n" if $state;
}

sub ask_rows
{
	my ($session, $sql) = @_;
	my $rows = $session->selectall_arrayref($sql);
	die "${\ $session->state} ${\ $session->errstr} in: $sql\n" if $session->err;
	return @$rows;
}

# Give the answer of a query as text.
sub ask
{
	my ($session, $sql) = @_;
	return join "\n", map { join '|', map { $_ // '' } @$_ } ask_rows($session, $sql);
}

# Give what is wrong with the prefix registry: it has to say what the tables say.
sub registry_complaints
{
	my ($session) = @_;
	run_sql($session, q{BEGIN; CREATE TEMP TABLE was ON COMMIT DROP AS SELECT * FROM dbkit.id_prefix; DELETE FROM dbkit.id_prefix});
	run_sql($session, q{DO $$ DECLARE r oid; BEGIN
		FOR r IN SELECT oid FROM pg_class WHERE relkind IN ('r', 'p') AND relpersistence <> 't' AND oid >= 16384 ORDER BY oid
		LOOP PERFORM dbkit.register_prefix(r); END LOOP; END $$});
	my @complaints = map { "the registry has $_->[0]" } ask_rows($session, q{
		SELECT concat_ws(' ', coalesce(was.prefix, 'nothing'), was.relation::regclass, was.contested, 'where it should have', due.prefix, due.relation::regclass, due.contested)
		FROM was FULL JOIN dbkit.id_prefix due USING (prefix)
		WHERE was.prefix IS NULL OR due.prefix IS NULL OR due.contested AND NOT was.contested
			OR NOT due.contested AND was.relation <> due.relation OR NOT EXISTS (SELECT FROM pg_class WHERE oid = was.relation)});
	run_sql($session, 'ROLLBACK');
	return @complaints;
}

# The log -------------------------------------------------------------------

# PostgreSQL's own internal errors, most of them of concurrent DDL, where dbkit has no part in it;
# sqlsmith casts NULL to "unknown", which the parser cannot convert any further
my $not_ours = qr/tuple concurrently (?:updated|deleted)|could not find tuple for|cannot rename trigger|failed to find conversion function from unknown/;

# The functions that an internal error of dbkit itself is raised in, with their files:
# PostgreSQL has files of the same names.
my $our_functions = join '|', map { functions_of($_) } glob 'src/*.c src/*/*.c src/*/*/*.c';

# Give the functions of a file as the log names them.
sub functions_of
{
	my ($path) = @_;
	open(my $file, '<', $path) or die "$path: $!";
	return map { /^(\w+)\(/ ? quotemeta "$1, " . $path =~ s,.*/,,r : () } <$file>;
}

# Give what the log says since the last call, an entry with all its lines for each message.
sub log_entries
{
	my @entries;

	open(my $log, '<', $cluster->{log}) or die;
	seek $log, $cluster->{read}, 0;
	while (my $line = <$log>)
	{
		if (!@entries || $line =~ /^\[\d+\] \w{5} (?!DETAIL|HINT|CONTEXT|STATEMENT|LOCATION|QUERY|BACKTRACE)/)
		{
			push @entries, $line;
		}
		else
		{
			$entries[-1] .= $line;
		}
	}
	$cluster->{read} = tell $log;
	return @entries;
}

# Give what is wrong in the log since the last call: crashes, and internal errors
# but for those that are excused.
sub log_complaints
{
	my (%excused) = @_;
	return grep { is_complaint($_, %excused) } log_entries();
}

sub is_complaint
{
	my ($entry, %excused) = @_;
	return 0 if $excused{pattern} && $entry =~ $excused{pattern};
	return 1 if $entry =~ /PANIC:|TRAP:|stack smashing|double free/;
	return 1 if $entry =~ /was terminated by signal/ && !$excused{killed};
	return 0 unless $entry =~ /^\[\d+\] XX\w{3} (?:ERROR|FATAL|WARNING)/;
	return 0 if $excused{theirs} && $entry !~ /dbkit\.\w+\(|dbkit's event trigger|LOCATION:  (?:$our_functions):\d/;
	return $entry !~ $not_ours || $entry =~ /dbkit's event trigger/;
}

1;
