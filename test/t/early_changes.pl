# A change of a large table is refused before the work is done, also where it is the
# first statement of a session, on a server that preloads dbkit and on one that does not.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');

# An extension whose scripts change tables that are not its own
my $directory = $node->config_data('--sharedir') . '/extension';
my %files = (
	'dbkit_try.control' => "default_version = '1.0'\nrelocatable = false\n",
	'dbkit_try--1.0.sql' => "SELECT 1;\nALTER TABLE orders ADD CHECK (id > 0);\n",
	'dbkit_try--0.9.sql' => "CREATE TABLE log AS SELECT n AS id FROM generate_series(1, 100000) n;\n",
	'dbkit_try--0.9--1.0.sql' => "CREATE INDEX ON orders (id);\n",
	'dbkit_try--0.9--1.1.sql' => "ALTER TABLE log ALTER id TYPE bigint;\n");
append_to_file("$directory/$_", $files{$_}) for -w $directory ? keys %files : ();
END { unlink "$directory/$_" for defined $directory ? keys %files : () }

$node->init;
$node->append_conf('postgresql.conf', q{
	dbkit.large_table_size = '1MB'
	dbkit.rule_levels = '*=off, table_rewrite=error, blocking_index=error, blocking_validation=error, breaking_change=error'
	autovacuum = off});
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION dbkit;
	SET dbkit.enforce = off;
	CREATE TABLE shops (id integer PRIMARY KEY);
	CREATE TABLE orders (id integer, shop integer, remark text);
	CREATE INDEX orders_shop ON orders (shop);
	INSERT INTO orders SELECT n, NULL, repeat('x', 200) FROM generate_series(1, 100000) n;
	ALTER TABLE orders ADD CONSTRAINT unvalidated CHECK (id > 0) NOT VALID;
	CREATE TABLE visits (LIKE orders) PARTITION BY RANGE (id);
	CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (0) TO (MAXVALUE);
	INSERT INTO visits SELECT * FROM orders;
	CREATE MATERIALIZED VIEW report AS SELECT * FROM orders;
	CREATE TABLE sums (id integer, twice integer GENERATED ALWAYS AS (id * 2) STORED, remark text);
	INSERT INTO sums (id, remark) SELECT n, repeat('x', 200) FROM generate_series(1, 10000) n;
	CREATE VIEW shown AS SELECT * FROM orders;
	CREATE FUNCTION change() RETURNS void LANGUAGE plpgsql AS 'BEGIN ALTER TABLE orders ALTER id SET NOT NULL; END';
	VACUUM ANALYZE});
my @changes = (
	[ 'ALTER TABLE orders ALTER id SET NOT NULL' ],
	[ 'ALTER TABLE orders ADD CHECK (id > 0)' ],
	[ 'ALTER TABLE orders ADD FOREIGN KEY (shop) REFERENCES shops' ],
	[ 'BEGIN; LOCK TABLE shops; ALTER TABLE orders ADD CHECK (id > 0) NOT VALID; ALTER TABLE orders VALIDATE CONSTRAINT unvalidated' ],
	[ 'CREATE INDEX ON orders (id)' ],
	[ 'ALTER TABLE orders ADD PRIMARY KEY (id)' ],
	[ 'ALTER TABLE orders ADD UNIQUE (id)' ],
	[ 'ALTER TABLE orders ADD EXCLUDE (id WITH =)' ],
	[ 'ALTER TABLE visits DETACH PARTITION visits_1' ],
	[ 'DROP INDEX orders_shop' ],
	[ 'ALTER INDEX orders_shop SET TABLESPACE pg_default' ],
	[ q{SET dbkit.rule_levels = 'table_rewrite=error'; BEGIN; DROP VIEW shown; DROP MATERIALIZED VIEW report; ALTER TABLE orders ALTER id TYPE bigint} ],
	[ 'ALTER TABLE orders ADD COLUMN made timestamptz DEFAULT clock_timestamp()' ],
	[ 'ALTER TABLE orders ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY' ],
	[ 'ALTER TABLE orders ADD COLUMN n bigint GENERATED ALWAYS AS (id + 1) STORED' ],
	[ 'ALTER TABLE orders SET UNLOGGED' ],
	[ 'ALTER TABLE orders SET TABLESPACE pg_default' ],
	[ 'REFRESH MATERIALIZED VIEW report' ],
	[ 'ALTER TABLE visits ADD COLUMN made timestamptz DEFAULT clock_timestamp()' ],
	[ 'ALTER TABLE visits ADD UNIQUE (id)' ],
	[ 'ALTER TABLE orders RENAME TO old_orders' ],
	[ 'ALTER TABLE orders RENAME remark TO note' ],
	[ 'ALTER TABLE orders DROP remark' ],
	[ 'ALTER TABLE orders SET SCHEMA pg_temp' ],
	[ 'DROP TABLE orders' ],
	[ 'DROP VIEW shown' ],
	[ 'SELECT change()' ],
	[ 'DO $$ BEGIN ALTER TABLE orders ALTER id SET NOT NULL; END $$' ],
	[ 'DO $$ BEGIN CREATE INDEX ON orders (id); END $$' ],
	$node->pg_version >= 17 ? [ 'ALTER TABLE sums ALTER twice SET EXPRESSION AS (id * 3)' ] : (),
	-w $directory ? (
		[ 'CREATE EXTENSION dbkit_try' ],
		[ q{BEGIN; CREATE EXTENSION dbkit_try VERSION '0.9'; ALTER EXTENSION dbkit_try UPDATE} ]) : (),
	# Not all versions fire event triggers for these: they need the library to be there before them
	[ 'VACUUM FULL orders', 1 ],
	[ 'VACUUM FULL', 1 ],
	[ 'CLUSTER orders USING orders_shop', 1 ],
	[ 'REINDEX TABLE orders', 1 ],
	[ 'REINDEX INDEX orders_shop', 1 ],
	[ 'REINDEX SCHEMA public', 1 ],
);

# What was read of the large tables since the statistics were reset
sub blocks_read
{
	return $node->safe_psql('postgres', q{SELECT coalesce(sum(heap_blks_read + heap_blks_hit), 0) FROM pg_statio_user_tables WHERE relname IN ('orders', 'sums', 'visits_1', 'report')});
}

for my $preloaded (0, 1)
{
	my $where = $preloaded ? 'with dbkit preloaded' : 'without';
	if ($preloaded)
	{
		$node->append_conf('postgresql.conf', q{session_preload_libraries = 'dbkit'});
		$node->reload;
	}
	for (@changes)
	{
		my ($change, $needs_preload) = @$_;
		my $before = blocks_read();
		# what is not refused is not let go on either
		my ($status, $out, $err) = $node->psql('postgres', "SET statement_timeout = '60s';\n$change");
		if ($needs_preload && !$preloaded)
		{
			unlike($err, qr/KD001|schema convention/, "$change: is not judged $where");
			next;
		}
		like($err, qr/^(psql:<stdin>:\d+: )?ERROR:  .* schema convention/m, "$change: is refused $where");
		cmp_ok(blocks_read() - $before, '<', 100, '... having read few blocks');
	}
}

# What an extension does to its own tables is up to its authors; and a restore is not judged
if (-w $directory)
{
	my ($status, $out, $err) = $node->psql('postgres', q{
		CREATE EXTENSION dbkit_try VERSION '0.9';
		ALTER EXTENSION dbkit_try UPDATE TO '1.1';
		DROP EXTENSION dbkit_try;
		SET check_function_bodies = off;
		CREATE EXTENSION dbkit_try VERSION '0.9';
		ALTER EXTENSION dbkit_try UPDATE TO '1.0'}, on_error_stop => 1);
	is($status, 0, 'the tables of an extension and a restore are not judged') or diag($err);
	is($node->safe_psql('postgres', q{SELECT extversion FROM pg_extension WHERE extname = 'dbkit_try'}), '1.0', '... and the scripts have run');
}

done_testing();
