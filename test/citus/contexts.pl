# Citus: a tenant context holds on all servers that have a part in its transaction, and no
# longer, and nothing that Citus offers a tenant leads to another tenant's rows.

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
	CREATE TABLE copied_prize (LIKE prize);
	SELECT create_distributed_table('copied_prize', 'secret', colocate_with => 'none');
	SELECT dbkit.protect('copied_prize', organization_column => 'organization_id', role => 'regress_customer');
	CREATE TABLE shared_prize (organization_id text COLLATE "C", secret text);
	SELECT create_reference_table('shared_prize');
	INSERT INTO shared_prize SELECT organization_id, secret FROM prize;
	SELECT dbkit.protect('shared_prize', role => 'regress_customer');
	CREATE FUNCTION count_prizes(organization text) RETURNS text LANGUAGE plpgsql AS
		$$ BEGIN RETURN (SELECT string_agg(DISTINCT secret, ',') FROM prize) || ' at ' || current_setting('port'); END $$;
	SELECT create_distributed_function('count_prizes(text)', '$1', colocate_with => 'prize');
	CREATE FUNCTION enter_at(organization text) RETURNS text LANGUAGE plpgsql AS
		$$ BEGIN PERFORM dbkit.enter(NULL, organization); RETURN (SELECT string_agg(DISTINCT secret, ',') FROM prize); END $$;
	SELECT create_distributed_function('enter_at(text)', '$1', colocate_with => 'prize');
	CREATE ROLE regress_definer LOGIN;
	GRANT regress_customer TO regress_definer;
	CREATE FUNCTION count_as_owner() RETURNS bigint SECURITY DEFINER LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM prize); END $$;
	CREATE FUNCTION count_as_other() RETURNS bigint SECURITY DEFINER LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM prize); END $$;
	ALTER FUNCTION count_as_other() OWNER TO regress_definer;
	CREATE FUNCTION run(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN 'done'; END $$;
	CREATE FUNCTION enter_and_look(organization text) RETURNS bigint LANGUAGE plpgsql AS
		$$ BEGIN PERFORM dbkit.enter(NULL, organization); RETURN (SELECT count(*) FROM prize); END $$;
	GRANT ALL ON prize, setting_prize, copied_prize, shared_prize TO regress_customer;
	GRANT SELECT ON countries, public_facts TO regress_customer;
});

my $tables = q{SELECT 'seen ' || secret FROM prize; SELECT 'seen ' || secret FROM setting_prize;};

# Give what the tenants' role has to say to a server, also after errors.
sub outside
{
	my ($node, $sql) = @_;
	return said($node, $sql, extra_params => [ '-U', 'regress_customer' ], on_error_stop => 0);
}

# Give what a tenant has to say in the context of organization a.
sub tenant
{
	my ($node, $sql) = @_;
	return outside($node, "BEGIN; SELECT dbkit.enter(NULL, 'org_a'); $sql");
}

is($coordinator->safe_psql('postgres', 'SELECT count(*) FROM prize'), '20', 'there are rows');
is($workers[0]->safe_psql('postgres', q{SELECT count(*) FROM pg_policy WHERE polrelid::regclass::text ~ '^prize_\d+$'}) > 0 ? 1 : 0, 1, 'and policies on the shards');

for my $node ($coordinator, @workers)
{
	my $name = $node->name;
	unlike(tenant($node, $tables), qr/secret of [bcd]/, "$name: a tenant sees nothing of another");
	unlike(tenant($node, "SELECT 'seen ' || secret FROM prize WHERE organization_id = 'org_b'"), qr/secret/, "$name: nor with a filter that goes to one shard");
}

# Give the rows that a tenant sees, each once.
sub seen
{
	my ($node, $sql) = @_;
	my %seen;
	return join ' ', grep { length && !$seen{$_}++ } split /\n/, tenant($node, $sql);
}

for my $node ($coordinator, @workers)
{
	my $name = $node->name;
	my $mine = 'secret of a';
	is(seen($node, $tables), "seen $mine", "$name: a tenant sees its rows, by policies of both kinds");
	is(seen($node, 'SELECT count(*) FROM prize; SAVEPOINT s; SELECT count(*) FROM prize; ROLLBACK TO s; SELECT count(*) FROM prize; RELEASE s; SELECT count(*) FROM prize'),
		'5', "$name: also in and after savepoints");
	is(seen($node, 'SAVEPOINT s; SELECT count(*) FROM prize; ROLLBACK TO s; SAVEPOINT t; SELECT count(*) FROM prize; RELEASE t; SELECT count(*) FROM prize'),
		'5', "$name: where connections are opened after the savepoint");
	is(seen($node, q{SAVEPOINT s; SELECT 1/(n - 1) FROM public_facts; ROLLBACK TO s; SELECT count(*) FROM prize}) =~ s/ (ERROR|CONTEXT|DETAIL).*//r,
		'5', "$name: after an error on another server");
	is(seen($node, 'SELECT p.secret FROM prize p JOIN setting_prize s USING (organization_id) JOIN shared_prize r USING (organization_id)'),
		$mine, "$name: in joins, with a reference table too");
	is(seen($node, 'SELECT DISTINCT secret FROM shared_prize'), $mine, "$name: in a reference table");
	is(seen($node, 'SET LOCAL citus.enable_repartition_joins = on; SELECT DISTINCT p.secret FROM prize p JOIN setting_prize s USING (secret)'),
		$mine, "$name: in joins by repartition");
	is(seen($node, 'WITH mine AS MATERIALIZED (SELECT DISTINCT secret FROM prize OFFSET 0) SELECT p.secret FROM prize p JOIN mine USING (secret) GROUP BY 1'),
		$mine, "$name: in a CTE whose result is sent on");
	is(seen($node, 'DECLARE c CURSOR FOR SELECT secret FROM prize; FETCH 2 FROM c; SAVEPOINT s; FETCH ALL FROM c'), $mine, "$name: in cursors");
	is(seen($node, q{SELECT secret FROM prize WHERE organization_id = 'org_b' OR secret LIKE '%'}), $mine, "$name: whatever is asked for");
	is(seen($node, 'COPY (SELECT secret FROM prize) TO STDOUT'), $mine, "$name: in COPY of a query");
	is(seen($node, 'COPY prize (secret) TO STDOUT'), '', "$name: nothing in COPY of a table, for which Citus opens no transaction elsewhere");
	is(seen($node, 'SELECT dbkit.user_id(), dbkit.organization_id(), count(*) FROM public_facts GROUP BY 1, 2'), '|org_a|20', "$name: functions give the context on the servers that have the rows");
	is(outside($node, q{PREPARE look AS SELECT DISTINCT secret FROM prize; BEGIN; SELECT dbkit.enter(NULL, 'org_a'); EXECUTE look; COMMIT; EXECUTE look; BEGIN; SELECT dbkit.enter(NULL, 'org_b'); EXECUTE look},
) =~ s/\n+/ /gr =~ s/^ //r, 'secret of a secret of b', "$name: prepared statements follow the context");
	is(outside($node, q{BEGIN; SELECT count(*) FROM prize; SELECT dbkit.enter(NULL, 'org_a'); SELECT count(*) FROM prize; COMMIT; SELECT count(*) FROM prize; BEGIN; SELECT dbkit.enter('usr_b', NULL); SELECT count(*) FROM prize; SELECT dbkit.user_id() FROM public_facts GROUP BY 1;},
) =~ s/\n+/ /gr, '0 5 0 0 usr_b', "$name: connections that were open before follow, and forget");
	is(outside($node, q{BEGIN; SELECT dbkit.enter(NULL, 'org_a'); SELECT count(*) FROM prize; ROLLBACK; BEGIN; SELECT count(*) FROM prize; SELECT dbkit.organization_id() FROM public_facts GROUP BY 1;},
) =~ s/\n+/ /gr, ' 5 0 ', "$name: nothing is left after ROLLBACK");

	# without BEGIN
	is(outside($node, q{DO $$ BEGIN PERFORM dbkit.enter(NULL, 'org_a'); RAISE NOTICE '%', (SELECT count(*) FROM prize); END $$}), 'NOTICE:  5', "$name: in a DO block");
	is(outside($node, q{DO $$ BEGIN PERFORM dbkit.enter(NULL, 'org_a'); RAISE NOTICE '%', (SELECT count(*) FROM prize WHERE organization_id = 'org_a'); END $$}), 'NOTICE:  5', "$name: also of one shard");
	is(outside($node, q{SELECT dbkit.enter(NULL, 'org_a') \; SELECT count(*) FROM prize}) =~ s/\n//gr, '5', "$name: in a request of several statements");
	is(outside($node, q{SELECT enter_and_look('org_a'), count(*) FROM prize; SELECT enter_and_look('org_b'); SELECT count(*) FROM prize}) =~ s/\n/ /gr, '5|0 5 0', "$name: in a function");

	is(outside($node, q{SET citus.select_opens_transaction_block = off; BEGIN; SELECT dbkit.enter(NULL, 'org_a'); SELECT count(*) FROM prize}) =~ s/\n//gr, '5', "$name: where queries open no transactions on other servers");
	like(outside($node, q{SELECT dbkit.enter(NULL, 'org_a'), (SELECT count(*) FROM prize)}), qr/^\|0\nWARNING:  the tenant context ends with its transaction, in which nothing ran/, "$name: nothing is shown in the statement that enters, outside of a block");

	# writing
	is(seen($node, q{INSERT INTO prize (organization_id, secret) VALUES ('org_a', 'mine'); SELECT DISTINCT secret FROM prize ORDER BY 1; UPDATE prize SET secret = 'my own'; SELECT DISTINCT secret FROM prize; DELETE FROM prize; SELECT count(*) FROM prize}),
		"mine $mine my own 0", "$name: a tenant writes its rows");
	is(seen($node, q{INSERT INTO copied_prize SELECT * FROM prize; SELECT secret FROM copied_prize}), $mine, "$name: INSERT ... SELECT by repartition");
	like(tenant($node, "$_;"), qr/ERROR:  new row violates row-level security policy/, "$name: not $_")
	  for q{INSERT INTO prize VALUES ('org_b', NULL, 'new')}, q{INSERT INTO shared_prize VALUES ('org_b', 'new')}, q{UPDATE shared_prize SET organization_id = 'org_b'};
	is(seen($node, q{UPDATE prize SET secret = 'stolen' WHERE organization_id = 'org_b' RETURNING 1; DELETE FROM prize WHERE organization_id = 'org_b' RETURNING 1}), '', "$name: others' rows are not changed");

	# Citus commits by PREPARE TRANSACTION
	is(outside($node, q{BEGIN; SELECT dbkit.enter(NULL, 'org_c'); INSERT INTO prize (organization_id, secret) VALUES ('org_c', 'committed'); UPDATE prize SET user_id = 'usr_z'; UPDATE shared_prize SET secret = secret; COMMIT; SELECT count(*) FROM prize},
) =~ s/\n//gr, '0', "$name: what is written is committed, and the context forgotten");
	is($coordinator->safe_psql('postgres', q{SELECT count(*) FROM prize WHERE user_id = 'usr_z' AND organization_id <> 'org_c'; SELECT count(*) FROM prize WHERE secret = 'committed'; DELETE FROM prize WHERE secret = 'committed'}), "0\n1", "$name: so it is there");
	$_->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pg_prepared_xacts') or die for $coordinator, @workers;
}
like(tenant($coordinator, q{SELECT count_prizes('org_a')}), qr/^\nsecret of a at \d+$/, 'a function that is delegated sees the same');
like(tenant($coordinator, q{SELECT count_prizes('org_b')}), qr/^\nsecret of a at \d+$/, 'whichever server it is sent to');
like(outside($coordinator, q{SELECT enter_at('org_a')}), qr/ERROR:  a tenant context cannot be entered on a connection/, 'a function that is delegated cannot enter elsewhere');
unlike(outside($coordinator, q{BEGIN; SELECT dbkit.enter(NULL, 'org_a'); SELECT enter_at('org_b')}), qr/secret of b/, 'nor again');
is(tenant($coordinator, 'SELECT count_as_owner(); SELECT count_as_other()') =~ s/\n+/ /gr, ' 20 5', 'functions with SECURITY DEFINER keep the context');
like(tenant($coordinator, 'EXPLAIN (ANALYZE) SELECT * FROM prize'), qr/ERROR:  EXPLAIN is not allowed/, 'EXPLAIN is refused');

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
	unlike($log, qr/secret of [bcd]/, 'nor before a savepoint is rolled back');
}
like(tenant($coordinator, q{SELECT dbkit.enter(NULL, 'org_b') FROM countries}), qr/ERROR:  a tenant context is already entered/, 'nor on a reference table, which is here');
for my $local ('true', 'false')
{
	my $calls = qq{SELECT set_config('app.organization_id', 'org_b', $local) FROM public_facts WHERE n = 1};
	like(tenant($coordinator, "$calls; $tables"), qr/ERROR:  the tenant context cannot be changed with a setting/, "$calls is refused");
	like(seen($coordinator, "SAVEPOINT s; $calls; ROLLBACK TO s; $tables"), qr/^(?!.*secret of [bcd])seen secret of a/, 'nothing else is shown afterwards');
}
like(tenant($coordinator, q{SELECT set_config('role', 'none', true) FROM public_facts WHERE n = 1; SELECT set_config('role', 'postgres', true) FROM public_facts WHERE n = 2}), qr/ERROR/, 'no other role is taken on another server');

# Such a query may call the functions that lead on
for my $function (
	q{run_command_on_workers($$SELECT string_agg(secret, ',') FROM (SELECT dbkit.enter(NULL, 'org_b')) e, prize$$)},
	q{run_command_on_all_nodes('SELECT 1')},
	q{citus_run_local_command('SELECT 1')})
{
	my ($name) = $function =~ /^(\w+)/;
	my $calls = "SELECT $function FROM public_facts WHERE n = 1";
	like(tenant($coordinator, "SELECT set_config('citus.allow_nested_distributed_execution', 'on', true) FROM public_facts WHERE n = 1; $calls"),
		qr/ERROR:  $name is not allowed while a tenant context is entered/, "$name() is refused in a query on another server");
	like(outside($coordinator, $calls),
		qr/ERROR:  $name is not allowed on a connection that another server/, 'also where there is no context, as in autocommit');
}

# Results that Citus keeps for later queries belong to a transaction
my $joins = q{assign_distributed_transaction_id(0, 1, now())};
like(tenant($coordinator, "SELECT $joins"), qr/ERROR:  assign_distributed_transaction_id is for the servers/, 'no other transaction is taken over in a context');
like(tenant($coordinator, "SELECT $joins FROM public_facts WHERE n = 1"), qr/ERROR:  the backend has already been assigned a transaction id/, 'nor on another server');
like(outside($coordinator, "SELECT $joins FROM public_facts WHERE n = 1"), qr/ERROR:  assign_distributed_transaction_id is for the servers/, 'nor there where there is no context');

# Functions of Citus run a statement that they are given.  One that ends or begins a transaction
# would end the context on another server, where Citus knows nothing of it.
my $other = $coordinator->background_psql('postgres', extra_params => [ '-U', 'regress_customer' ]);
$other->query(q{BEGIN; SELECT dbkit.enter(NULL, 'org_b'); SELECT broadcast_intermediate_result('kept', 'SELECT DISTINCT secret FROM prize')});
my $number = $coordinator->safe_psql('postgres', q{SELECT format('0, %s, now()', transaction_number) FROM get_all_active_transactions() WHERE transaction_number <> 0 AND process_id = } . $other->query('SELECT pg_backend_pid()'));
my $kept = q{query_to_xml($$SELECT * FROM read_intermediate_result('kept', 'binary') AS r(secret text)$$, true, false, '')};
my $applies = 'SELECT worker_apply_shard_ddl_command(1, $$public$$, $$%s$$)';
my $there = 'FROM public_facts WHERE n = 1';
my $theft = tenant($coordinator, join '; ', (map { sprintf("$applies $there", $_) } 'COMMIT', 'BEGIN'), "SELECT assign_distributed_transaction_id($number) $there", "SELECT $kept $there");
unlike($theft, qr/secret of b/, 'no other transaction is taken over after the end of the own one on another server');
like($theft, qr/ERROR:  transaction control from within a query is not allowed while a tenant context is entered/, 'which no query brings about');
like(outside($coordinator, sprintf("$applies $there", 'BEGIN') . "; SELECT assign_distributed_transaction_id($number) $there; SELECT $kept $there"),
	qr/^.*ERROR:  transaction control from within a query is not allowed on a connection that another server of the cluster opened(?!.*secret of b)/s, 'also where there is no context');
$other->quit;
for my $statement ('BEGIN', 'COMMIT', 'ROLLBACK', 'COMMIT AND CHAIN', 'SAVEPOINT s', q{PREPARE TRANSACTION 'p'}, q{ROLLBACK PREPARED 'p'})
{
	my $call = sprintf $applies, $statement;
	like(tenant($_, "$call; $tables"), qr/^(?!.*secret of [bcd]).*ERROR:  transaction control from within a query is not allowed while a tenant context is entered/s, $_->name . ": $statement in a query is refused")
	  for $coordinator, $workers[0];
	like(tenant($coordinator, "$call $there; $tables"), qr/^(?!.*secret of [bcd]).*ERROR:  transaction control from within a query is not allowed while a tenant context is entered/s, 'and on another server');
}
$coordinator->safe_psql('postgres', sprintf $applies, 'COMMIT');
is($coordinator->safe_psql('postgres', q{CREATE PROCEDURE commit_here() LANGUAGE plpgsql AS $$ BEGIN COMMIT; PERFORM 1; ROLLBACK; END $$; CALL commit_here(); DO 'BEGIN COMMIT; END'; SELECT 'done'}), 'done', 'procedures and blocks commit');

# Citus sends the text of SET LOCAL to other servers, with the statements beside it
my $elsewhere = q{SELECT CASE WHEN current_setting('port') <> '} . $coordinator->port . q{' THEN dbkit.enter(NULL, 'org_b') END};
my $setting_elsewhere = q{SELECT CASE WHEN current_setting('port') <> '} . $coordinator->port . q{' THEN set_config('app.organization_id', 'org_b', true) END};
for my $payload ($elsewhere, $setting_elsewhere)
{
	for my $switch (q{SET LOCAL citus.propagate_set_commands = 'local'}, q{SET citus.propagate_set_commands = 'local'}, q{SELECT set_config('citus.propagate_set_commands', 'local', true)})
	{
		my $log = tenant($coordinator, "$switch \\; SET LOCAL work_mem = '4MB' \\; $payload ; $tables");
		like($log, qr/ERROR:  SET on other servers of the cluster is not allowed/, "$switch is refused, or what it would send");
		unlike($log, qr/secret of [bcd]/, 'and nothing is shown');
	}
}
like(tenant($coordinator, 'RESET citus.propagate_set_commands'), qr/ERROR:  SET on other servers/, 'the switch cannot be reset either');
is(tenant($coordinator, q{SET LOCAL work_mem = '4MB'}), '', 'other settings can be set where they are not sent');

# Where the application sends its settings to other servers, it does so without contexts
like(outside($coordinator, q{BEGIN; SET LOCAL citus.propagate_set_commands = 'local'; SET LOCAL app.organization_id = 'org_b'; SELECT secret FROM setting_prize}),
	qr/ERROR:.*the tenant context cannot be changed with a setting/, 'a setting cannot carry a tenant to other servers');

# The setting by which a server sends its context can be set by nothing else
my $sends = 'dbkit.cluster_context';
my $refusal = qr/ERROR:  .*the tenant context cannot be changed with a setting/s;
my %ways = (
	'SET' => "SET $sends = '-,5:org_b,'",
	'SET LOCAL' => "SET LOCAL $sends = '-,5:org_b,'",
	'set_config' => "SELECT set_config('$sends', '-,5:org_b,', true)",
	'set_config in a query on another server' => "SELECT set_config('$sends', '-,5:org_b,', true) FROM public_facts WHERE n = 1",
	'SET LOCAL in a function on another server' => "SELECT run(\$\$SET LOCAL $sends = '-,5:org_b,'\$\$) FROM public_facts WHERE n = 1",
	'pg_settings on another server' => "SELECT run(\$\$UPDATE pg_settings SET setting = '-,5:org_b,' WHERE name = '$sends'; SELECT set_config('$sends', '-,5:org_b,', false)\$\$) FROM public_facts WHERE n = 1",
	'a function with SET' => "CREATE FUNCTION pg_temp.f() RETURNS void SET $sends = '-,5:org_b,' LANGUAGE sql AS ''",
	'ALTER ROLE' => "ALTER ROLE regress_customer SET $sends = '-,5:org_b,'");
for my $way (sort keys %ways)
{
	like(tenant($coordinator, $ways{$way}), qr/$refusal|ERROR:  ALTER ROLE/, "$way is refused in a context");
	like(outside($coordinator, "BEGIN; $ways{$way}; $tables"), $refusal, 'and outside');
	unlike(tenant($coordinator, "SAVEPOINT s; $ways{$way}; ROLLBACK TO s; $tables"), qr/secret of [bcd]/, 'nor does it show anything after a savepoint');
}
like(said($coordinator, 'SELECT 1', connstr => $coordinator->connstr('postgres') . " user=regress_customer options='-c $sends=-,5:org_b,'"), qr/the tenant context cannot be changed with a setting/, 'a startup option is refused');
is(tenant($coordinator, "SHOW $sends; SELECT current_setting('$sends'); SELECT current_setting('$sends') FROM public_facts GROUP BY 1; SELECT name FROM pg_settings WHERE name = '$sends'; RESET ALL; SELECT count(*) FROM prize") =~ s/\n//gr,
	'5', 'its value is not shown, and RESET ALL changes nothing');

# What another server sends is taken once, at the start of a transaction, and read with care
my $internal = $workers[0]->connstr('postgres') . q{ user=regress_customer application_name='citus_internal gpid=10000000001'};
my %sent = (
	q{SET LOCAL %s = '-,5:org_b,'} => qr/It must be sent in a transaction/,
	q{SET %s = '-,5:org_b,'} => $refusal,
	q{BEGIN; SAVEPOINT s; SET LOCAL %s = '-,5:org_b,'} => qr/cannot be entered in a subtransaction/,
	q{BEGIN; SET LOCAL %1$s = '-,5:org_a,'; SET LOCAL %1$s = '-,5:org_b,'} => qr/already entered/,
	q{BEGIN; SET LOCAL %s = '-,-,'} => qr/needs a user or an organization/,
	q{BEGIN; SET LOCAL %s = '-,0:,'} => qr/cannot be an empty string/,
	q{BEGIN; SET LOCAL %s = '-,5:org_b,1:a,1:b,1:c,1:d,'} => qr/cannot be checked without a key/,
	q{BEGIN; PREPARE TRANSACTION 'p'} => qr/^$/,
	q{BEGIN; SET LOCAL %s = '-,5:org_b,'; SET ROLE NONE} => qr/changing the role is not allowed/,
	q{BEGIN; SET LOCAL %s TO DEFAULT; SELECT dbkit.organization_id()} => qr/^$/,
	q{BEGIN; SET LOCAL %s = 5} => $refusal,
	q{BEGIN; SET LOCAL %s = 'a', 'b'} => qr/takes only one argument/);
like(said($workers[0], sprintf($_, $sends), connstr => $internal), $sent{$_}, "sent: $_") for sort keys %sent;
$workers[0]->safe_psql('postgres', q{ROLLBACK PREPARED 'p'});
like(said($workers[0], "BEGIN; SET LOCAL $sends = '$_'", connstr => $internal), qr/ERROR:  the tenant context that another server of the cluster sent is not valid\nDETAIL:  It cannot be read/, "sent: '$_'")
  for '', ',', '-', '-,', '-,-', '5', '5:', '5:org_b', '-,5:org_b', '-,6:org_b,', '-,4:org_b,', '-,99999999999999999999999:x,', '-,-1:x,', '-, 5:org_b,', '-,5:org_b,,', '-,5:org_b,-,', '-,5:org_b,-,-,-,-,', '-,5:org_b,1:a,1:a,1:a,1:a,1:a,', '-,0x5:org_b,', '--,-,', 'x';

# What a client sets of its own accord is no more than dbkit.enter() gives everybody
like(said($workers[0], q{SELECT dbkit.enter(NULL, 'org_b')}, connstr => $workers[0]->connstr('postgres') . q{ user=regress_customer application_name='citus_internal gpid=10000000001'}),
	qr/ERROR:  a tenant context cannot be entered on a connection/, 'who pretends to be Citus enters nothing');

# dbkit.confine_sql() takes those functions away
like($coordinator->safe_psql('postgres', q{SELECT string_agg(s::text, E'\n') FROM dbkit.confine_sql('regress_customer') s}),
	qr/REVOKE.*master_run_on_worker/s, 'dbkit.confine_sql() revokes them');

# PostgreSQL copies into no table with row level security
like(tenant($coordinator, "COPY prize FROM STDIN;\norg_a\t\\N\tnew\n\\.\n"), qr/ERROR:  COPY FROM not supported with row-level security/, 'nothing is copied');
is($coordinator->safe_psql('postgres', q{SELECT count(*) FROM prize WHERE secret LIKE 'secret of %'}), '20', 'all rows are as they were');

done_testing();
