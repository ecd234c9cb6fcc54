# What dbkit says to do instead of an unsafe change is done while others write: none of
# them waits for a lock for 200 ms, and what comes out is what the change would have made.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
# The server says who has waited for a lock that long
$node->append_conf('postgresql.conf', q{
	session_preload_libraries = 'dbkit'
	dbkit.large_table_size = '64kB'
	dbkit.rule_levels = '*=off, table_rewrite=error, blocking_index=error, blocking_validation=error'
	log_lock_waits = on
	deadlock_timeout = '200ms'
	log_line_prefix = '%a: '
	autovacuum = off
	max_connections = 30});
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE base');
$node->safe_psql('base', q{
	CREATE EXTENSION dbkit;
	SELECT dbkit.agree('{"preset": "minimal"}');
	SET dbkit.enforce = off;
	CREATE TABLE shops (id integer PRIMARY KEY);
	INSERT INTO shops SELECT generate_series(1, 100);
	CREATE TABLE orders (id integer, shop integer, number integer NOT NULL DEFAULT 7, remark text);
	CREATE INDEX orders_shop ON orders (shop);
	INSERT INTO orders SELECT n, n % 100 + 1, n, repeat('x', 50) FROM generate_series(1, 20000) n;
	CREATE TABLE visits (id integer, shop integer, number integer) PARTITION BY RANGE (id);
	CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (0) TO (10000);
	CREATE TABLE visits_2 PARTITION OF visits FOR VALUES FROM (10000) TO (MAXVALUE) PARTITION BY RANGE (id);
	CREATE TABLE visits_2a PARTITION OF visits_2 FOR VALUES FROM (10000) TO (MAXVALUE);
	CREATE TABLE visits_old PARTITION OF visits FOR VALUES FROM (MINVALUE) TO (0);
	INSERT INTO visits SELECT n, n % 100 + 1, n FROM generate_series(1, 20000) n;
	CREATE MATERIALIZED VIEW report AS SELECT id, shop FROM orders;
	CREATE UNIQUE INDEX report_id ON report (id);
	CREATE SEQUENCE written START 1000000});
my $writing = "$PostgreSQL::Test::Utils::tmp_check/writing.sql";
append_to_file($writing, q{
	\set id random(1, 20000)
	BEGIN;
	UPDATE orders SET shop = shop % 100 + 1 WHERE id = :id;
	UPDATE visits SET shop = shop % 100 + 1 WHERE id = :id;
	INSERT INTO orders (id, shop, number) SELECT nextval('written'), 1, 1;
	INSERT INTO visits (id, shop, number) SELECT nextval('written'), 1, 1;
	COMMIT;
	\sleep 5 ms
});
# They find rows by an index, so that they do not hold their locks for long
$node->safe_psql('base', 'SET dbkit.enforce = off; CREATE INDEX orders_id ON orders (id); CREATE INDEX visits_id ON visits (id)');

my @changes = (
	'ALTER TABLE orders ALTER shop SET NOT NULL',
	'ALTER TABLE visits ALTER shop SET NOT NULL',
	'ALTER TABLE orders ADD CHECK (shop > 0), ADD note text',
	'ALTER TABLE visits ADD CONSTRAINT positive CHECK (shop > 0)',
	'ALTER TABLE orders ADD FOREIGN KEY (shop) REFERENCES shops ON DELETE CASCADE',
	'ALTER TABLE visits ADD FOREIGN KEY (shop) REFERENCES shops',
	'ALTER TABLE orders ADD COLUMN main integer NOT NULL DEFAULT 1 REFERENCES shops CHECK (main > 0)',
	'CREATE INDEX ON orders (number DESC, lower(remark)) WHERE number > 0',
	'CREATE UNIQUE INDEX orders_key ON orders (id)',
	'CREATE INDEX ON visits (number)',
	'ALTER TABLE orders ADD UNIQUE (id) INCLUDE (shop) DEFERRABLE INITIALLY DEFERRED',
	'ALTER TABLE orders ADD PRIMARY KEY (id)',
	'ALTER TABLE visits ADD PRIMARY KEY (id)',
	'ALTER TABLE visits ADD CONSTRAINT key UNIQUE (id)',
	'REINDEX TABLE orders',
	'REINDEX INDEX orders_shop',
	'ALTER INDEX orders_shop SET TABLESPACE pg_default',
	'DROP INDEX orders_shop',
	'REFRESH MATERIALIZED VIEW report',
	'VACUUM FULL orders',
	'ALTER TABLE orders ALTER number TYPE bigint',
	'ALTER TABLE visits ALTER number TYPE text USING (number + shop)::text',
	q{ALTER TABLE orders ADD COLUMN made timestamptz NOT NULL DEFAULT clock_timestamp(), ADD note text},
	'ALTER TABLE visits DETACH PARTITION visits_old',
);

# Return what the schema is, whatever the order of the columns and the names that NOT NULL has from
# PostgreSQL 18 on.  DETACH ... CONCURRENTLY leaves a CHECK of the bounds.
sub schema
{
	my ($database) = @_;
	my ($out) = run_command([ 'pg_dump', '-s', '-d', $node->connstr($database) ]);
	return join "\n", sort map { s/,$//r =~ s/CONSTRAINT \w+ NOT NULL/NOT NULL/r } grep { /\S/ && !/CONSTRAINT visits_old_id_check/ && !/^--|^\\(un)?restrict/ } split /\n/, $out;
}

# Split what is to be done into what is sent at once: statements, DO blocks, transactions.
sub steps
{
	my ($hint) = @_;
	my @steps;
	my $until = qr/;$/;
	my $step = '';
	for my $line (split /\n/, $hint)
	{
		next if $line =~ /^--/;
		$until = $line =~ /^DO / ? qr/^END \$fill\$;$/ : $line eq 'BEGIN;' ? qr/^COMMIT;$/ : qr/;$/ if $step eq '';
		$step .= "$line\n";
		next unless $line =~ $until;
		push @steps, $step;
		$step = '';
	}
	return @steps;
}

my $count = 0;
for my $change (@changes)
{
	my ($done, $wanted) = ("done_$count", "wanted_$count");
	$count++;
	$node->safe_psql('postgres', "CREATE DATABASE $_ TEMPLATE base") for $done, $wanted;
	$node->safe_psql($wanted, "SET dbkit.enforce = off;\n$change");

	my (undef, undef, $error) = $node->psql($done, "SET application_name = 'refused';\n$change");
	my ($hint) = $error =~ /^HINT:  (.*?)^CONTEXT:  /ms;
	ok($hint, "$change: is refused, with what to do instead") or do { diag($error); next };

	my $logged = -s $node->logfile;
	my $said = "$PostgreSQL::Test::Utils::tmp_check/writers.log";
	my $writers = IPC::Run::start([ 'pgbench', '-n', '-c', '2', '-T', '120', '-f', $writing, '-d', $node->connstr($done) . ' application_name=writer' ],
		'<', \undef, '>', '/dev/null', '2>', $said);
	$node->poll_query_until($done, q{SELECT last_value > 1000005 FROM written});
	my $before = $node->safe_psql($done, 'SELECT last_value FROM written');

	my $migration = $node->background_psql($done, on_error_stop => 0);
	my $failed = '';
	for my $step (steps($hint))
	{
		for my $try (1 .. 100)
		{
			$migration->{stderr} = '';
			$migration->query($step =~ s/;\n\z/;/r);
			$failed = $migration->{stderr} =~ /^.*ERROR:.*$/m ? $& : '';
			$migration->query('ROLLBACK') if $failed && $step =~ /^BEGIN;/;
			last unless $failed =~ /lock timeout/;
		}
		last if $failed;
	}
	$migration->quit;
	is($failed, '', "$change: its steps can be run");
	my $after = $node->safe_psql($done, 'SELECT last_value FROM written');
	$writers->signal('TERM');
	eval { $writers->finish };
	unlike(slurp_file($said), qr/ERROR|aborted/, "$change: no writer fails");
	cmp_ok($after, '>', $before, "$change: while others write");
	my $log = slurp_file($node->logfile, $logged);
	unlike($log, qr/^writer: LOG:  process \d+ still waiting/m, "$change: nobody waits for 200 ms");
	is(schema($done), schema($wanted), "$change: what comes out is what was wanted");
	$node->safe_psql('postgres', "DROP DATABASE $_ WITH (FORCE)") for $done, $wanted;
}

done_testing();
