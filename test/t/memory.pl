# Memory that is taken and not given back: per row inside one query, and per
# statement or transaction of one session.  What is counted is what the memory
# contexts hold, so a leak of 16 bytes a time is one whatever the machine does.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\nfsync = off");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->safe_psql($_, q{
	CREATE FUNCTION used() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT sum(used_bytes)::bigint FROM pg_backend_memory_contexts'})
  for 'postgres', 'plain';
$node->safe_psql('postgres', q{
	CREATE EXTENSION dbkit;
	SET dbkit.enforce = off;
	CREATE TABLE rows (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('row'), n bigint, updated_at timestamptz, long text);
	INSERT INTO rows (n, long) SELECT n, 'x' FROM generate_series(1, 20000) n;
	CREATE TRIGGER updated_at BEFORE UPDATE ON rows FOR EACH ROW EXECUTE FUNCTION updated_at();
	SELECT dbkit.create_enum('kind', '{a,b}');
	CREATE TABLE kinds (kind text REFERENCES kind_enum DEFAULT 'a');
	INSERT INTO kinds SELECT 'a' FROM generate_series(1, 10);
	CREATE TABLE tenants (organization_id text COLLATE "C");
	SELECT dbkit.protect('tenants', role => 'public');
});

# What is done for each row, of 20000; memory is compared between two of them.
my %per_row = (
	'generate_id' => q{generate_id('abc')},
	'generate_id_at' => q{dbkit.generate_id_at('abc', to_timestamp(n))},
	'is_id' => q{dbkit.is_id(id, 'row')},
	'id_prefix' => q{dbkit.id_prefix(id)},
	'id_uuid' => q{dbkit.id_from_uuid('row', dbkit.id_uuid(id))},
	'id_timestamp' => q{dbkit.id_timestamp(id)},
	'id_lower_bound' => q{dbkit.id_lower_bound('row', dbkit.id_timestamp(id))},
	'table_of' => q{dbkit.table_of(id)},
	'user_id' => q{dbkit.user_id() || dbkit.organization_id() || current_setting('app.user_id')},
	'nonce' => q{dbkit.nonce()},
	'lock_key' => q{dbkit.lock_key(id)},
	'try_lock' => q{dbkit.try_lock('the same')},
	'try_session_lock' => q{dbkit.try_session_lock('its') AND dbkit.session_unlock('its')},
);

# What a session does over and over, with %d for the turn; how often; and whether
# PostgreSQL alone does not keep memory as well, of what it did not find in a catalog.
my %per_statement = (
	'generate_id' => [ q{SELECT generate_id('abc');}, 2000 ],
	'a wrong id' => [ q{SELECT dbkit.id_prefix('abc');}, 1000 ],
	'updated_at' => [ q{UPDATE rows SET n = n WHERE id = (SELECT min(id) FROM rows WHERE n = %d);}, 300 ],
	'a context' => [ q{BEGIN; SELECT dbkit.enter('usr_%d', 'org_%d'); SELECT count(*) FROM tenants; COMMIT;}, 1000 ],
	'a context that fails' => [ q{BEGIN; SELECT dbkit.enter('usr_%d', NULL); SELECT dbkit.enter('a', 'b'); ROLLBACK;}, 1000 ],
	'a lock' => [ q{SELECT dbkit.lock('lock %d');}, 2000 ],
	'a session lock' => [ q{CALL dbkit.session_lock('lock %d', '1 minute'); SELECT dbkit.session_unlock('lock %d');}, 1000 ],
	'the view of locks' => [ q{SELECT count(*) FROM dbkit.locks;}, 300 ],
	'check' => [ q{SELECT count(*) FROM dbkit.check();}, 100 ],
	'check of one table' => [ q{SELECT count(*) FROM dbkit.check('kinds');}, 300 ],
	'the rules' => [ q{SELECT count(*) FROM dbkit.rules;}, 200 ],
	'an exemption' => [ q{SELECT dbkit.exempt('public.x%d', 'bigint', 'test'); SELECT dbkit.unexempt('public.x%d', 'bigint');}, 300 ],
	'enum values' => [ q{SELECT dbkit.rename_enum_value('kind_enum', 'a', 'c'); SELECT dbkit.rename_enum_value('kind_enum', 'c', 'a');}, 100 ],
	'DDL' => [ q{COMMENT ON TABLE rows IS 'turn %d'; ALTER TABLE kinds ALTER kind SET STATISTICS 10;}, 500 ],
	'rejected DDL' => [ q{SET dbkit.enforce = on; ALTER TABLE rows ALTER n SET STATISTICS 10; SET dbkit.enforce = off;}, 300 ],
	'rejected at commit' => [ q{BEGIN; SET LOCAL dbkit.enforce = on; COMMENT ON TABLE kind_enum IS NULL; COMMENT ON TABLE tenants IS NULL; COMMIT;}, 300 ],
	'tables' => [ q{CREATE TABLE t%d_enum (value text PRIMARY KEY); DROP TABLE t%d_enum;}, 200, 1 ],
	'judged tables' => [ q{SET dbkit.enforce = on; CREATE TABLE t%d_enum (value text PRIMARY KEY); DROP TABLE t%d_enum; SET dbkit.enforce = off;}, 200, 1 ],
	'held locks' => [ q{BEGIN; SET LOCAL dbkit.enforce = on; LOCK TABLE rows IN SHARE MODE; SAVEPOINT s; LOCK TABLE rows; ROLLBACK TO s; COMMIT;}, 500 ],
	'reported locks' => [ q{BEGIN; SET LOCAL dbkit.enforce = on; SET LOCAL dbkit.large_table_size = 0; SET LOCAL dbkit.max_lock_time = 0; SET LOCAL client_min_messages = error; LOCK TABLE rows; COMMIT;}, 300 ],
	'savepoints' => [ q{BEGIN; SAVEPOINT s; COMMENT ON TABLE rows IS 'turn %d'; ROLLBACK TO s; COMMIT;}, 500 ],
);

for my $what (sort keys %per_row)
{
	my $session = $node->background_psql('postgres');
	$session->query_safe(q{BEGIN; SELECT dbkit.enter('usr_1', 'org_1')});
	my $grown = $session->query_safe(qq{
		SELECT max(used) - min(used) FROM (
			SELECT ($per_row{$what}) IS NULL AS done, CASE WHEN number IN (1000, 19000) THEN used() END AS used
			FROM (SELECT *, row_number() OVER () AS number FROM rows OFFSET 0) AS rows OFFSET 0) AS measured});
	cmp_ok($grown, '<', 18000 * 8, "$what: memory does not grow with the rows");
	$session->quit;
}

# Run a script in one session and return what used() gave, each time.
sub used
{
	my ($sql, $db) = @_;
	my ($status, $out) = $node->psql($db || 'postgres', $sql, on_error_stop => 0);
	return $out =~ /^used (\d+)$/mg;
}

# Some bytes for each row are PostgreSQL's own, whatever the trigger; the rows come from
# the first update with a value to replace.
my %grown;
for my $function ('updated_at', 'suppress_redundant_updates_trigger', 'updated_at')
{
	my ($first, $last) = used(qq{
		CREATE OR REPLACE TRIGGER updated_at BEFORE UPDATE ON rows FOR EACH ROW EXECUTE FUNCTION $function();
		UPDATE rows SET n = n, long = long || 'x' RETURNING CASE WHEN n IN (1000, 19000) THEN 'used ' || used() END});
	$grown{$function} = abs($last - $first);
}
cmp_ok($grown{updated_at} - $grown{suppress_redundant_updates_trigger}, '<', 18000 * 8,
	'updated_at: memory does not grow with the rows');

# Give how many bytes a session keeps each time it does something.
sub kept
{
	my ($sql, $turns, $db) = @_;
	my $script = $db ? '' : 'SET dbkit.enforce = off;';
	for my $part (0 .. 2)
	{
		$script .= join "\n", '', map({ my $turn = $part * $turns + $_; $sql =~ s/%d/$turn/gr } 1 .. $turns), q{SELECT 'used ' || used();};
	}
	my @used = used($script, $db);
	return ($used[2] - $used[1]) / $turns;
}

for my $what (sort keys %per_statement)
{
	my ($sql, $turns, $also_plain) = @{ $per_statement{$what} };
	my $kept = kept($sql, $turns);
	my $plain = $also_plain ? kept($sql, $turns, 'plain') : 0;
	note sprintf '%s: %.1f bytes a time, PostgreSQL %.1f', $what, $kept, $plain;
	cmp_ok($kept, '<', 1.05 * $plain + 12, "$what: memory does not grow with each");
}

$node->stop;
done_testing();
