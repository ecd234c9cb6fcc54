# Ids made by many backends and parallel workers at once are distinct, those of
# one backend increase, and they keep increasing when the clock steps back.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Build a library that, put before the C library, sets the wall clock back an
# hour while the file named by CLOCK_STEPPED_BACK exists.  Gives its path, or
# nothing where this cannot be done.
sub build_clock
{
	my ($dir) = @_;
	my $cc = $ENV{CC} || 'cc';

	return if $^O ne 'linux';
	append_to_file("$dir/clock.c", <<'C');
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	const char *file = getenv("CLOCK_STEPPED_BACK");
	int			result = syscall(SYS_clock_gettime, clock, now);

	if (clock == CLOCK_REALTIME && file && access(file, F_OK) == 0)
		now->tv_sec -= 3600;
	return result;
}
C
	return if system("$cc -shared -fPIC -o '$dir/clock.so' '$dir/clock.c' > '$dir/cc.log' 2>&1") != 0;
	return "$dir/clock.so";
}

my $node = PostgreSQL::Test::Cluster->new('ids');
$node->init;
$node->append_conf('postgresql.conf', "max_connections = 20\ndbkit.enforce = off");
$node->start;
# The table comes before the extension, so that no convention is asked of it.
$node->safe_psql('postgres', q(
	CREATE TABLE made (
		seq bigint GENERATED ALWAYS AS IDENTITY,
		pid bigint NOT NULL,
		id text COLLATE "C" NOT NULL
	);
	CREATE EXTENSION dbkit;
));

# 8 backends with 40,000 ids each.  The sequence tells the order in a backend.
$node->pgbench('--client=8 --jobs=2 --transactions=20 --no-vacuum',
	0, [qr{processed: 160/160}], [qr{^$}], 'concurrent backends make ids',
	{ '001_make_ids' => q(INSERT INTO made (pid, id) SELECT pg_backend_pid(), generate_id('con') FROM generate_series(1, 2000);) });

is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT id), count(DISTINCT pid) FROM made'),
	'320000|320000|8', 'all ids of all backends are distinct');
is($node->safe_psql('postgres', q(
	SELECT count(*) FROM (SELECT id, lag(id) OVER (PARTITION BY pid ORDER BY seq) AS previous FROM made) AS pairs
	WHERE id <= previous)),
	'0', 'the ids of each backend increase');
is($node->safe_psql('postgres', q(
	SELECT count(DISTINCT a.pid)
	FROM (SELECT pid, min(id) AS first, max(id) AS last FROM made GROUP BY pid) AS a
	JOIN (SELECT pid, min(id) AS first, max(id) AS last FROM made GROUP BY pid) AS b
	ON a.pid <> b.pid AND a.first < b.last AND b.first < a.last)),
	'8', 'every backend made its ids while another did');

# Parallel workers, and no leader that could do all the work by itself
my $parallel = q(
	SET parallel_setup_cost = 0;
	SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0;
	SET max_parallel_workers_per_gather = 4;
	SET parallel_leader_participation = off;
);
like($node->safe_psql('postgres', "$parallel
	EXPLAIN (ANALYZE, VERBOSE, COSTS OFF, TIMING OFF) SELECT generate_id('par') FROM made"),
	qr/Workers Launched: [1-9].*Parallel Seq Scan on public\.made[^\n]*\n\s*Output: generate_id/s,
	'parallel workers make ids');
is($node->safe_psql('postgres', "$parallel
	CREATE TEMP TABLE made_parallel AS SELECT generate_id('con') AS id FROM made;
	SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM made UNION ALL SELECT id FROM made_parallel) AS made"),
	'640000|640000', 'all ids of parallel workers are distinct');

SKIP:
{
	my $dir = $node->basedir;
	my $clock = build_clock($dir);
	my $stepped_back = "$dir/stepped_back";

	skip 'no C compiler that makes a library to preload', 6 if !$clock;

	{
		local $ENV{LD_PRELOAD} = join(' ', $clock, grep { defined } $ENV{LD_PRELOAD});
		local $ENV{CLOCK_STEPPED_BACK} = $stepped_back;
		$node->restart;
	}

	# One session: ids, the step, and ids enough to use up the 62 bits of the
	# tail, which takes 2^23 steps of 2^39 on average.
	my ($before_step, $after_step, $tails_used, $last) = split /\n/, $node->safe_psql('postgres', qq(
		SELECT generate_id('s') AS before \\gset
		\\! touch '$stepped_back'
		SELECT generate_id('s') AS after \\gset
		SELECT max(id COLLATE "C") AS used
		FROM (SELECT generate_id('s') AS id FROM generate_series(1, 10000000) OFFSET 0) AS made \\gset
		SELECT generate_id('s') AS last \\gset
		\\echo :before
		\\echo :after
		\\echo :used
		\\echo :last));
	my ($now, $new_session) = split /\n/, $node->safe_psql('postgres', q(
		SELECT extract(epoch FROM clock_timestamp());
		SELECT extract(epoch FROM dbkit.id_timestamp(generate_id('s')));));

	# The time in an id in units of 1/4096 ms: 48 bits, the version, 12 bits
	$node->safe_psql('postgres', q(
		CREATE FUNCTION tick(id text) RETURNS bigint LANGUAGE sql RETURN
			(SELECT ('x0' || overlay(left(translate(dbkit.id_uuid(id)::text, '-', ''), 16) PLACING '' FROM 13 FOR 1))::bit(64)::bigint)));

	cmp_ok($now - $new_session, '>', 3500, 'the clock that ids are made from has stepped back');
	cmp_ok($before_step, 'lt', $after_step, 'the next id of the session is greater nevertheless');
	cmp_ok($after_step, 'lt', $tails_used, 'and so are ten million more');
	cmp_ok($tails_used, 'lt', $last, 'and the one after them');

	is($node->safe_psql('postgres', qq(
		SELECT dbkit.id_uuid('$last')::text ~ '^.{14}7.{4}[89ab]')),
		't', 'a tail that is used up does not reach the version and variant');
	is($node->safe_psql('postgres', qq(
		SELECT (tick('$last') - tick('$after_step')) BETWEEN 1 AND 10)),
		't', 'but advances the time by a tick, each time');
	unlink $stepped_back;
}

$node->stop;
done_testing();
