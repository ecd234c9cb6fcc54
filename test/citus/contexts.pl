# Citus: a tenant context does not reach other servers yet.  Its policies show nothing there,
# and nothing that Citus offers a tenant leads to another tenant's rows.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use CitusCluster qw(make_cluster said);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($coordinator, @workers) = make_cluster(2);

$coordinator->safe_psql('postgres', 'CREATE EXTENSION dbkit');
$coordinator->safe_psql(
	'postgres', q{
	SET dbkit.enforce = off;
	CREATE ROLE regress_customer LOGIN;
	CREATE TABLE prize (organization_id text COLLATE "C", user_id text COLLATE "C", secret text);
	SELECT create_distributed_table('prize', 'organization_id');
	INSERT INTO prize SELECT 'org_' || o, 'usr_' || o, 'secret of ' || o FROM unnest('{a,b,c,d}'::text[]) o, generate_series(1, 5);
	SELECT dbkit.protect('prize', role => 'regress_customer');
	CREATE TABLE setting_prize (organization_id text COLLATE "C", secret text);
	SELECT create_distributed_table('setting_prize', 'organization_id');
	INSERT INTO setting_prize SELECT organization_id, secret FROM prize;
	ALTER TABLE setting_prize ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON setting_prize TO regress_customer USING (organization_id = current_setting('app.organization_id', true));
	CREATE TABLE countries (id text COLLATE "C");
	SELECT create_reference_table('countries');
	INSERT INTO countries VALUES ('x');
	CREATE TABLE public_facts (n bigint);
	SELECT create_distributed_table('public_facts', 'n');
	INSERT INTO public_facts SELECT generate_series(1, 20);
	GRANT ALL ON prize, setting_prize TO regress_customer;
	GRANT SELECT ON countries, public_facts TO regress_customer;
});

my $tables = q{SELECT 'seen ' || secret FROM prize; SELECT 'seen ' || secret FROM setting_prize;};

# Give what a tenant of a server has to say in the context of organization a.
sub tenant
{
	my ($node, $sql) = @_;
	return said($node, "BEGIN; SELECT dbkit.enter(NULL, 'org_a'); $sql", extra_params => [ '-U', 'regress_customer' ]);
}

is($coordinator->safe_psql('postgres', 'SELECT count(*) FROM prize'), '20', 'there are rows');
is($workers[0]->safe_psql('postgres', q{SELECT count(*) FROM pg_policy WHERE polrelid::regclass::text ~ '^prize_\d+$'}) > 0 ? 1 : 0, 1, 'and policies on the shards');

for my $node ($coordinator, @workers)
{
	my $name = $node->name;
	unlike(tenant($node, $tables), qr/secret of [bcd]/, "$name: a tenant sees nothing of another");
	unlike(tenant($node, "SELECT 'seen ' || secret FROM prize WHERE organization_id = 'org_b'"), qr/secret/, "$name: nor with a filter that goes to one shard");
}
is(tenant($coordinator, $tables), '', 'on the coordinator its policies show nothing: it fails closed');

# What leads to a context of one's own choice on another server
my %attacks = (
	'run_command_on_workers' => q{SELECT result FROM run_command_on_workers($$SELECT string_agg(secret, ',') FROM prize$$)},
	'run_command_on_all_nodes' => q{SELECT result FROM run_command_on_all_nodes($$SELECT string_agg(secret, ',') FROM prize$$)},
	'run_command_on_shards' => q{SELECT result FROM run_command_on_shards('prize', $$SELECT string_agg(secret, ',') FROM %s$$)},
	'run_command_on_placements' => q{SELECT result FROM run_command_on_placements('prize', $$SELECT string_agg(secret, ',') FROM %s$$)},
	'run_command_on_colocated_placements' => q{SELECT result FROM run_command_on_colocated_placements('prize', 'setting_prize', $$SELECT string_agg(secret, ',') FROM %s$$)},
	'run_command_on_coordinator' => q{SELECT run_command_on_coordinator($$SELECT string_agg(secret, ',') FROM prize$$)},
	'citus_run_local_command' => q{SELECT citus_run_local_command($$SELECT 1$$)},
	'worker_save_query_explain_analyze' => q{SELECT * FROM worker_save_query_explain_analyze($$SELECT 1$$, '{}') AS t(n bigint)},
);
like(tenant($coordinator, $attacks{$_} . ';'), qr/ERROR:  $_ is not allowed while a tenant context is entered/, "$_() is refused in a context") for sort keys %attacks;
like(tenant($coordinator, sprintf q{SELECT * FROM master_run_on_worker(ARRAY['%s'], ARRAY[%d], ARRAY['SELECT 1'], false)}, $workers[0]->host, $workers[0]->port),
	qr/ERROR:  master_run_on_worker is not allowed/, 'master_run_on_worker() is refused in a context');
like(tenant($coordinator, q{DO $$ BEGIN PERFORM run_command_on_workers('SELECT 1'); END $$;}), qr/ERROR:  run_command_on_workers is not allowed/, 'also in a block');

# A query is sent to the servers that have its rows, with the functions that it calls
for my $calls (
	q{SELECT dbkit.enter(NULL, 'org_b') FROM public_facts WHERE n = 1},
	q{SELECT dbkit.enter(NULL, 'org_' || CASE WHEN n > 0 THEN 'b' END) FROM public_facts WHERE n < 3})
{
	like(tenant($coordinator, "$calls; $tables"), qr/ERROR:  a tenant context cannot be entered on a connection that another server/, "$calls enters nothing on another server");
	my $log = tenant($coordinator, "SAVEPOINT s; $calls; ROLLBACK TO s; $tables");
	unlike($log, qr/secret/, 'nor before a savepoint is rolled back');
}
like(tenant($coordinator, q{SELECT dbkit.enter(NULL, 'org_b') FROM countries}), qr/ERROR:  a tenant context is already entered/, 'nor on a reference table, which is here');
for my $local ('true', 'false')
{
	my $calls = qq{SELECT set_config('app.organization_id', 'org_b', $local) FROM public_facts WHERE n = 1};
	like(tenant($coordinator, "$calls; $tables"), qr/ERROR:  the tenant context cannot be changed with a setting/, "$calls is refused");
	unlike(tenant($coordinator, "SAVEPOINT s; $calls; ROLLBACK TO s; $tables"), qr/secret/, 'nothing is shown afterwards');
}
like(tenant($coordinator, q{SELECT set_config('role', 'none', true) FROM public_facts WHERE n = 1; SELECT set_config('role', 'postgres', true) FROM public_facts WHERE n = 2}), qr/ERROR/, 'no other role is taken on another server');

# Such a query may call the functions that lead on
for my $function (
	q{run_command_on_workers($$SELECT string_agg(secret, ',') FROM (SELECT dbkit.enter(NULL, 'org_b')) e, prize$$)},
	q{run_command_on_all_nodes('SELECT 1')},
	q{citus_run_local_command('SELECT 1')})
{
	my ($name) = $function =~ /^(\w+)/;
	like(tenant($coordinator, "SELECT set_config('citus.allow_nested_distributed_execution', 'on', true) FROM public_facts WHERE n = 1; SELECT $function FROM public_facts WHERE n = 1"),
		qr/ERROR:  $name is not allowed on a connection that another server/, "$name() is refused in a query on another server");
}

# Citus sends the text of SET LOCAL to other servers, with the statements beside it
my $elsewhere = q{SELECT CASE WHEN current_setting('port') <> '} . $coordinator->port . q{' THEN dbkit.enter(NULL, 'org_b') END};
my $setting_elsewhere = q{SELECT CASE WHEN current_setting('port') <> '} . $coordinator->port . q{' THEN set_config('app.organization_id', 'org_b', true) END};
for my $payload ($elsewhere, $setting_elsewhere)
{
	for my $switch (q{SET LOCAL citus.propagate_set_commands = 'local'}, q{SET citus.propagate_set_commands = 'local'}, q{SELECT set_config('citus.propagate_set_commands', 'local', true)})
	{
		my $log = tenant($coordinator, "$switch \\; SET LOCAL work_mem = '4MB' \\; $payload ; $tables");
		like($log, qr/ERROR:  SET on other servers of the cluster is not allowed/, "$switch is refused, or what it would send");
		unlike($log, qr/secret/, 'and nothing is shown');
	}
}
like(tenant($coordinator, 'RESET citus.propagate_set_commands'), qr/ERROR:  SET on other servers/, 'the switch cannot be reset either');
is(tenant($coordinator, q{SET LOCAL work_mem = '4MB'}), '', 'other settings can be set where they are not sent');

# Where the application sends its settings to other servers, it does so without contexts
like(said($coordinator, q{BEGIN; SET LOCAL citus.propagate_set_commands = 'local'; SET LOCAL app.organization_id = 'org_b'; SELECT secret FROM setting_prize}, extra_params => [ '-U', 'regress_customer' ]),
	qr/ERROR:.*the tenant context cannot be changed with a setting/, 'a setting cannot carry a tenant to other servers');

# What a client sets of its own accord is no more than dbkit.enter() gives everybody
like(said($workers[0], q{SELECT dbkit.enter(NULL, 'org_b')}, connstr => $workers[0]->connstr('postgres') . q{ user=regress_customer application_name='citus_internal gpid=10000000001'}),
	qr/ERROR:  a tenant context cannot be entered on a connection/, 'who pretends to be Citus enters nothing');

# dbkit.confine_sql() takes those functions away
like($coordinator->safe_psql('postgres', q{SELECT string_agg(s::text, E'\n') FROM dbkit.confine_sql('regress_customer') s}),
	qr/REVOKE.*master_run_on_worker/s, 'dbkit.confine_sql() revokes them');

# Rows that need a policy on another server are not written either
like(tenant($coordinator, q{INSERT INTO prize VALUES ('org_a', NULL, 'new')}), qr/ERROR:  new row violates row-level security policy/, 'nothing is written');
like(tenant($coordinator, "COPY prize FROM STDIN;\norg_a\t\\N\tnew\n\\.\n"), qr/ERROR:  COPY FROM not supported with row-level security/, 'nor copied');
is(tenant($coordinator, q{UPDATE prize SET secret = 'mine' RETURNING 'seen'; DELETE FROM prize RETURNING 'seen'}), '', 'nor changed');
is($coordinator->safe_psql('postgres', q{SELECT count(*) FROM prize WHERE secret LIKE 'secret of %'}), '20', 'all rows are as they were');

done_testing();
