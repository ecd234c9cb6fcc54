# Citus: the SQL of docs/explanation/beyond-one-machine.md does on a cluster what it says.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use CitusCluster qw(make_node said);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @servers = map { make_node($_) } qw(coordinator worker1 worker2);
my %names = (coordinator => $servers[0], 'worker-1' => $servers[1], 'worker-2' => $servers[2]);
my ($set_up, $tables) = slurp_file("$FindBin::Bin/../../docs/explanation/beyond-one-machine.md") =~ /^```sql\n-- not run here: it takes a cluster[^\n]*\n(.*?)^```$/msg;

$set_up =~ s/'([a-z0-9-]+)', 5432/sprintf q{'%s', %d}, $names{$1}->host, $names{$1}->port/ge;
unlike(said($servers[0], $set_up), qr/ERROR|WARNING/, 'the set-up');
is(join('/', map { said($_, q{SELECT extversion FROM pg_extension WHERE extname = 'dbkit'}) } @servers), '1.0.0/1.0.0/1.0.0', 'every server has dbkit');
unlike(said($servers[0], $tables), qr/ERROR|WARNING/, 'the tables');
is($servers[0]->safe_psql('postgres', q{SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'documents'::regclass AND contype = 'p'}), 'PRIMARY KEY (organization_id, id)', 'the key of documents');
is(join('/', map { said($_, 'SELECT * FROM dbkit.check()') } @servers), '//', 'nothing is found anywhere');
is(join('/', map { said($_, q{SELECT dbkit.table_of('doc_01h455vb4pex5vsknk084sn02q')}) } @servers), 'documents/documents/documents', 'dbkit.table_of() works on every server');

# Locks
is(said($servers[0], q{SELECT dbkit.try_lock('job')}), 't', 'named locks are taken on the coordinator');
like(said($servers[1], $_), qr/ERROR:  named locks of a cluster are those of its coordinator/, "$_ is refused on another server")
  for q{SELECT dbkit.lock('job')}, q{SELECT dbkit.try_lock_shared('job')}, q{CALL dbkit.session_lock('job')};

# A table that somebody makes on another server
like(said($servers[1], 'CREATE TABLE own (n int)'), qr/ERROR:.*"public.own" breaks/, 'a table that is made on another server is judged there');
$servers[1]->safe_psql('postgres', 'SET dbkit.enforce = off; CREATE TABLE own (n int)');
like(said($servers[1], 'SELECT * FROM dbkit.check()'), qr/^[^\n]*public\.own/, 'and found there');
is(said($servers[0], 'SELECT * FROM dbkit.check()'), '', 'not on the coordinator');

# dbkit.protect() after and before the table is distributed
$servers[0]->safe_psql('postgres', q{SET dbkit.enforce = off; CREATE ROLE regress_customer LOGIN; CREATE TABLE late (organization_id text, n bigint); SELECT create_distributed_table('late', 'organization_id'); SELECT dbkit.protect('late', role => 'regress_customer');
	CREATE TABLE early (organization_id text, n bigint); SELECT dbkit.protect('early', role => 'regress_customer'); SELECT create_distributed_table('early', 'organization_id')});
is($servers[0]->safe_psql('postgres', q{SELECT attrelid::regclass, atthasdef FROM pg_attribute WHERE attrelid IN ('late'::regclass, 'early'::regclass) AND attname = 'organization_id' ORDER BY 1}), "late|f\nearly|t", 'dbkit.protect() gives the distribution column a default before it is distributed');
unlike(said($servers[0], q{SET dbkit.enforce = off; SELECT dbkit.unprotect('early', role => 'regress_customer')}), qr/ERROR/, 'and unprotect() leaves it');

# An application that sends its own settings
for my $server (@servers)
{
	$server->append_conf('postgresql.conf', "dbkit.user_setting = ''\ndbkit.organization_setting = ''");
	$server->restart;
}
$servers[0]->safe_psql('postgres', q{GRANT SELECT ON early TO regress_customer; INSERT INTO early VALUES ('org_a', 1), ('org_b', 2);
	CREATE POLICY own ON early TO regress_customer USING (organization_id = current_setting('app.organization_id', true)); ALTER TABLE early ENABLE ROW LEVEL SECURITY});
is(said($servers[0], q{BEGIN; SET LOCAL citus.propagate_set_commands = 'local'; SET LOCAL app.organization_id = 'org_b'; SELECT n FROM early}, extra_params => [ '-U', 'regress_customer' ]), '2', 'an application can send its own settings where dbkit has none of these names');

done_testing();
