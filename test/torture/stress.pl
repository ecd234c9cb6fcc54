# Sessions that judge, list and look up everything, against sessions that create and
# drop schemas, types, domains, functions, tables, policies, partitions and sequences:
# the server lives, and nothing raises an internal error.  What an argument names may be
# gone, which is an error of class 42 or 3F.

use strict;
use warnings;
use POSIX qw(_exit);
use Test::More;
use Time::HiRes qw(sleep time);
use Torture;

my $makers = 3;
my $readers = 5;

# What one maker goes through; % is its own number, so that makers do not wait for each other
my @made = (
	'CREATE SCHEMA s%',
	'CREATE DOMAIN s%.d AS int CHECK (VALUE > 0)',
	q{CREATE TYPE s%.e AS ENUM ('a', 'b')},
	'CREATE TYPE s%.c AS (e s%.e, d s%.d, at timestamp)',
	'CREATE TYPE s%.r AS RANGE (subtype = int)',
	'CREATE DOMAIN s%.id AS text COLLATE "C" DEFAULT generate_id($$s%$$) CHECK (VALUE LIKE $$s%_%$$)',
	'CREATE COLLATION s%.col (provider = libc, locale = "C")',
	'CREATE FUNCTION s%.f(s%.e, s%.c) RETURNS s%.c LANGUAGE sql SECURITY DEFINER AS $$SELECT $2$$',
	'CREATE FUNCTION s%.g(text) RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = s% AS $$BEGIN RETURN NEW; END$$',
	'CREATE TABLE s%.t (id text COLLATE s%.col PRIMARY KEY, e s%.e, c s%.c, r s%.r, d s%.d, n serial, other_id text COLLATE s%.col, CHECK (id LIKE $$t%_%$$))',
	'CREATE TABLE s%.users (id s%.id PRIMARY KEY, organization_id text REFERENCES s%.t, n int)',
	'CREATE TABLE s%.k_enum (value text PRIMARY KEY)',
	q{INSERT INTO s%.k_enum VALUES ('a'), ('b')},
	q{CREATE TABLE s%.u (k text DEFAULT 'a' REFERENCES s%.k_enum, user_id s%.id REFERENCES s%.users, e s%.e DEFAULT 'a')},
	'CREATE SEQUENCE s%.q OWNED BY s%.u.k',
	'CREATE INDEX ON s%.u (user_id)',
	'CREATE INDEX i ON s%.u (user_id, k)',
	'CREATE TABLE s%.p (id text, n int) PARTITION BY RANGE (n)',
	'CREATE TABLE s%.p1 PARTITION OF s%.p FOR VALUES FROM (0) TO (10)',
	'CREATE POLICY o ON s%.u USING (current_setting($$app.user_id$$) = k)',
	'CREATE VIEW s%.v AS SELECT * FROM s%.u');
my @dropped = (
	[ 'DROP SCHEMA s% CASCADE' ],
	[ 'DROP FUNCTION s%.f', 'DROP TYPE s%.c CASCADE', 'DROP TYPE s%.e CASCADE', 'DROP SCHEMA s% CASCADE' ],
	[ 'ALTER TYPE s%.c DROP ATTRIBUTE e CASCADE', 'DROP TYPE s%.e CASCADE', 'DROP SCHEMA s% CASCADE' ],
	[ 'DROP SEQUENCE s%.q', 'ALTER TABLE s%.p DETACH PARTITION s%.p1 CONCURRENTLY', 'DROP TABLE s%.p1', 'DROP TABLE s%.p', 'DROP SCHEMA s% CASCADE' ],
	[ 'DROP INDEX CONCURRENTLY s%.i', 'DROP POLICY o ON s%.u', 'DROP TABLE s%.users CASCADE', 'DROP SCHEMA s% CASCADE' ],
	[ 'ALTER SCHEMA s% RENAME TO r%', 'ALTER TABLE r%.u ALTER k TYPE varchar', 'DROP TABLE r%.k_enum CASCADE', 'DROP SCHEMA r% CASCADE' ],
	[ 'DROP DOMAIN s%.id CASCADE', 'DROP COLLATION s%.col CASCADE', 'DROP SCHEMA s% CASCADE' ],
	[ 'BEGIN', 'DROP SCHEMA s% CASCADE', 'ROLLBACK', 'ALTER TABLE s%.t RENAME TO t2', 'DROP SCHEMA s% CASCADE' ],
	[ 'ALTER TABLE s%.u DROP CONSTRAINT u_k_fkey', 'ALTER TABLE s%.u DROP COLUMN k CASCADE', 'DROP SCHEMA s% CASCADE' ]);

# What a reader runs; :schema, :rel and :type stand for one that is there, or was a moment ago
my @read = (
	('SELECT count(*) FROM dbkit.check()') x 4,
	'SELECT count(*) FROM dbkit.check_schema(:schema)',
	'SELECT count(*) FROM dbkit.check(:rel)',
	q{BEGIN; SELECT dbkit.baseline(); ROLLBACK},
	q{BEGIN; SELECT dbkit.exempt('s1.%', '*', 'a reason'); SELECT count(*) FROM dbkit.stale_exemptions; ROLLBACK},
	'SELECT count(*) FROM dbkit.stale_exemptions',
	q{SELECT dbkit.table_of(generate_id(prefix)) FROM dbkit.id_prefix},
	'BEGIN; SELECT dbkit.register_prefix(:rel); ROLLBACK',
	'SELECT count(*) FROM dbkit.enum_usage(:rel)',
	'SELECT count(*) FROM dbkit.enum_values(:rel)',
	q{BEGIN; SELECT dbkit.rename_enum_value(:rel, 'a', 'c'); ROLLBACK},
	q{BEGIN; SELECT dbkit.drop_enum_value(:rel, 'a', 'b'); ROLLBACK},
	'BEGIN; SELECT dbkit.enum_from_type(:type); ROLLBACK',
	q{BEGIN; SELECT dbkit.protect(:rel, 'user_id', ''); ROLLBACK},
	q{BEGIN; SELECT dbkit.create_enum('s1.fresh', '{a}'); ROLLBACK},
	'SELECT count(*) FROM dbkit.locks',
	'SELECT count(*) FROM dbkit.rules');

# Errors that a statement may have: what it names is gone or of another kind, or
# somebody was faster; a deadlock and a timeout are PostgreSQL's way out.
my $allowed = qr/^(?:|42\w{3}|3F000|2BP01|KD001|40001|40P01|55P03|57014|22\w{3}|55000|55006|0A000|23\w{3}|25P02|25P01|25001|P0001)$/;

# Run a function in a process of its own; it gives what went wrong.
sub start_process
{
	my ($part, $run) = @_;
	my $pid = fork // die "cannot fork: $!\n";
	return $pid if $pid;

	seed_chance($part);
	my $session = eval { connect_to() } or _exit(2);
	run_sql($session, q{SET client_min_messages = error; SET lock_timeout = '2s'; SET statement_timeout = '20s'; SET dbkit.rule_levels = 'column_comment=warning, duplicate_index=warning, forgeable_policy=warning'; SET dbkit.enforce = off});
	_exit(eval { $run->($session); 1 } ? 0 : 1);
}

# Run one statement; die when the session is gone, and say what should not be.
sub attempt
{
	my ($session, $sql) = @_;
	my $state = sql_error($session, $sql);
	print STDERR "# $state ${\ ($session->errstr // '')} in: $sql\n" unless $state =~ $allowed;
	die "the session is gone\n" if $state =~ /^(?:57P0[123]|08\w{3}|S8006|S1000)$/;
	sql_error($session, 'ROLLBACK') if $sql =~ /BEGIN/ && $sql !~ /^BEGIN$/;
	return $state =~ $allowed;
}

sub make_and_drop
{
	my ($session, $n) = @_;
	while (time_is_left())
	{
		my $enforce = chance(0.3) ? 'warning' : 'off';
		attempt($session, 'SET dbkit.enforce = ' . ($enforce eq 'off' ? 'off' : 'on')) if chance(0.5);
		attempt($session, s/%/$n/gr) for @made, @{ pick(@dropped) };
		attempt($session, "ROLLBACK; DROP SCHEMA IF EXISTS s$n, r$n CASCADE");
	}
}

sub read_all
{
	my ($session) = @_;
	my %known = map { $_ => [0] } qw(schema rel type);
	my %catalog = (schema => [ 'pg_namespace', 'regnamespace', q{nspname ~ '^[sr]\d'} ], rel => [ 'pg_class', 'regclass', q{relnamespace::regnamespace::text ~ '^[sr]\d'} ],
		type => [ 'pg_type', 'regtype', q{typtype = 'e' AND typnamespace::regnamespace::text ~ '^[sr]\d'} ]);
	while (time_is_left())
	{
		my $sql = pick(@read);
		for my $kind (keys %catalog)
		{
			next unless $sql =~ /:$kind/;
			my ($table, $cast, $condition) = @{ $catalog{$kind} };
			my $oids = $session->selectcol_arrayref("SELECT oid FROM pg_catalog.$table WHERE $condition");
			push @{ $known{$kind} }, @$oids if $oids;
			@{ $known{$kind} } = @{ $known{$kind} }[ -30 .. -1 ] if @{ $known{$kind} } > 30;
			my $oid = pick(@{ $known{$kind} });
			$sql =~ s/:$kind/'$oid'::$cast/g;
		}
		attempt($session, $sql);
	}
}

start_cluster(shared_preload_libraries => 'dbkit', max_connections => 40, max_locks_per_transaction => 512, log_min_messages => 'error', deadlock_timeout => "'200ms'");
my @pids = ((map { my $n = $_; start_process($n, sub { make_and_drop($_[0], $n) }) } 1 .. $makers),
	(map { start_process($makers + $_, \&read_all) } 1 .. $readers));
my $ended = 0;
for my $pid (@pids)
{
	waitpid $pid, 0;
	$ended++ if $? == 0;
}
is($ended, scalar @pids, 'all sessions end by themselves');
ok(server_is_up(), 'the server is up');
is(count_starts(), 1, 'and did not crash');
my %seen;
my @complaints = grep { !$seen{ /ERROR:  (.*)/ ? $1 =~ s/\d+/N/gr : $_ }++ } log_complaints();
is(scalar @complaints, 0, 'no internal error') or diag(@complaints[ 0 .. ($#complaints < 19 ? $#complaints : 19) ]);
my $session = connect_to();
is(sql_error($session, 'SELECT count(*) FROM dbkit.check()'), '', 'dbkit.check() works');
is(sql_error($session, 'CREATE TABLE bad (id int)'), 'KD001', 'enforcement is at work');
is(join("\n", registry_complaints($session)), '', 'the registry says what the tables say');
done_testing();
