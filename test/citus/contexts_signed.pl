# Citus: signed tenant contexts.  Other servers take a context only with a signature for the
# session that it was sent for, for a short time, and never again once its transaction is over.

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256_hex);
use FindBin;
use lib "$FindBin::Bin/../lib";
use CitusCluster qw(make_cluster said);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $key = '0123456789abcdef0123456789abcdef';
my $directory = PostgreSQL::Test::Utils::tempdir;

# Write a file with a mode.
sub write_file
{
	my ($path, $content, $mode) = @_;
	open my $file, '>', $path or die "$path: $!";
	print $file $content;
	close $file;
	chmod $mode, $path or die "$path: $!";
	return $path;
}

my $key_file = write_file("$directory/key", "$key\n", 0600);
my $other_key_file = write_file("$directory/other_key", reverse($key) . "\n", 0600);
write_file("$directory/sign", <<'SIGN', 0700);
use Digest::SHA qw(hmac_sha256_hex);
my $key = shift;
print hmac_sha256_hex(join('', map { $_ eq 'NULL' ? '-,' : length($_) . ":$_," } @ARGV), $key);
SIGN

my ($coordinator, @workers) = make_cluster(2, initdb => [ '--locale=C', '--encoding=UTF8' ], conf => "dbkit.context_key_file = '$key_file'\nlog_statement = all\nshared_preload_libraries = 'citus, pg_stat_statements, dbkit'\npg_stat_statements.track = 'all'\n");
my $worker = $workers[0];

$coordinator->safe_psql('postgres', 'CREATE EXTENSION dbkit');
$coordinator->safe_psql(
	'postgres', q{
	SET dbkit.enforce = off;
	CREATE ROLE regress_customer LOGIN;
	CREATE ROLE regress_definer LOGIN;
	CREATE TABLE prize (organization_id text COLLATE "C", secret text);
	SELECT create_distributed_table('prize', 'organization_id');
	INSERT INTO prize SELECT 'org_' || o, 'secret of ' || o FROM unnest('{a,b,c,d}'::text[]) o, generate_series(1, 5);
	SELECT dbkit.protect('prize', role => 'regress_customer');
	CREATE TABLE public_facts (n bigint);
	SELECT create_distributed_table('public_facts', 'n');
	INSERT INTO public_facts SELECT generate_series(1, 20);
	GRANT ALL ON prize TO regress_customer, regress_definer;
	GRANT SELECT ON public_facts TO regress_customer, regress_definer;
	CREATE FUNCTION count_as_superuser() RETURNS bigint SECURITY DEFINER LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM prize); END $$;
	CREATE FUNCTION count_as_definer() RETURNS bigint SECURITY DEFINER LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM public_facts); END $$;
	ALTER FUNCTION count_as_definer() OWNER TO regress_definer;
	CREATE FUNCTION enter_and_look(organization text, signature text) RETURNS bigint LANGUAGE plpgsql AS
		$$ BEGIN PERFORM dbkit.enter(NULL, organization, signature); RETURN (SELECT count(*) FROM prize WHERE organization_id = organization); END $$;
});

# Give the text that signs what the session's next dbkit.enter() is given.
sub sign
{
	my ($organization) = @_;
	return "SELECT dbkit.nonce() AS nonce \\gset\n\\set signature `perl $directory/sign $key postgres regress_customer NULL $organization :nonce`\n";
}

# Give what the tenants' role has to say to a server, also after errors.
sub outside
{
	my ($node, $sql, %params) = @_;
	return said($node, $sql, extra_params => [ '-U', 'regress_customer' ], on_error_stop => 0, %params) =~ s/^\n+//r;
}

# Give what a tenant has to say in the context of organization a.
sub tenant
{
	my ($node, $sql) = @_;
	return outside($node, sign('org_a') . "BEGIN; SELECT dbkit.enter(NULL, 'org_a', :'signature'); $sql");
}

my $look = 'SELECT DISTINCT secret FROM prize;';

for my $node ($coordinator, @workers)
{
	my $name = $node->name;
	is(tenant($node, $look), 'secret of a', "$name: a signed context holds on other servers");
	is(tenant($node, "SAVEPOINT s; $look ROLLBACK TO s; RELEASE s;"), 'secret of a', "$name: after a savepoint");
	is(tenant($node, "UPDATE prize SET secret = secret; COMMIT; SELECT count(*) FROM prize;"), '0', "$name: what is written is committed, and the context forgotten");
	is(outside($node, sign('org_a') . q{SELECT enter_and_look('org_a', :'signature'); SELECT count(*) FROM prize;}), "5\n0", "$name: a function that enters");
	is(tenant($node, "SELECT 0 AS nothing \\gset\nCOMMIT; " . sign('org_b') . "BEGIN; SELECT count(*) FROM prize; SELECT dbkit.enter(NULL, 'org_b', :'signature'); $look") =~ s/\n+/ /gr, '0 secret of b', "$name: each transaction has its own, on the same connections");
	like(tenant($node, "SELECT; COMMIT; BEGIN; SELECT dbkit.enter(NULL, 'org_b'); $look"), qr/^ERROR:  the tenant context needs a signature(?!.*secret)/s, "$name: none without a signature");
	is(tenant($node, 'SELECT count_as_superuser()'), '20', "$name: a superuser's function sees all");
	like(tenant($node, 'SELECT count_as_definer()'), qr/^ERROR:  the tenant context that another server of the cluster sent is not valid\nDETAIL:  It was entered by another role/,
		"$name: another role's function cannot ask other servers");
}

# What an earlier request left on the connections between the servers, which DISCARD does not reach
my $there = 'FROM public_facts WHERE n = 1';
$coordinator->safe_psql('postgres', q{
	CREATE SCHEMA evil;
	GRANT USAGE ON SCHEMA evil TO regress_customer;
	CREATE FUNCTION evil.upper(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN 'evil'; END $$;
});
my $leave = q{SELECT 0 AS nothing FROM (SELECT set_config('%s', '%s', false) FROM public_facts WHERE n = 1) s} . " \\gset\nDISCARD ALL; " . sign('org_a') . q{BEGIN; SELECT dbkit.enter(NULL, 'org_a', :'signature'); };
for my $case (
	[ 'standard_conforming_strings', 'off', q{SELECT count(*) FROM public_facts WHERE n = 1 AND upper('x' || n) = '\'' OR true)) --'}, 0 ],
	[ 'search_path', 'evil, pg_catalog', "SELECT upper('x' || n) $there", 'X1' ],
	[ 'client_encoding', 'LATIN1', "SELECT length('\xc3\xa4' || n) $there", '2' ])
{
	my ($setting, $value, $query, $expected) = @$case;
	my $request = sprintf $leave, $setting, $value;
	is(outside($coordinator, "$request $query"), $expected, "$setting of an earlier request does not change the meaning of a query on another server");
	is(outside($coordinator, "$request $look SELECT current_setting('$setting') = '$value' $there; COMMIT; SELECT current_setting('$setting') $there"), "secret of a\nf\n$value", 'but for the transaction only, and the connection still serves contexts');
}
like(outside($coordinator, "SELECT worker_apply_shard_ddl_command(1, 'public', 'CREATE DOMAIN pg_temp.text AS pg_catalog.text') $there"),
	qr/ERROR:  a temporary object is not allowed where tenant contexts are signed/, 'nor is a temporary object left there');

$coordinator->safe_psql('postgres', 'SET dbkit.enforce = off; DROP SCHEMA evil CASCADE');
my $left = "SELECT set_config('work_mem', '77kB', false) $there; SELECT current_setting('work_mem') $there";
is(outside($coordinator, $left), "77kB\n77kB", 'other settings stay');
is(outside($coordinator, "SET citus.max_cached_conns_per_worker = 0; $left"), "77kB\n4MB", 'unless Citus keeps no connections');

# Citus shows the client what it sends, where it is told so
my $log = 'citus.log_remote_commands';
my $no_log = qr/^ERROR:  "$log" is not allowed where tenant contexts are signed/;
for my $way ("SET $log = on", "SET LOCAL $log = on", "SELECT set_config('$log', 'on', true)", "UPDATE pg_settings SET setting = 'on' WHERE name = '$log'", "ALTER ROLE regress_customer SET $log = on")
{
	like(tenant($coordinator, "$way; $look"), qr/^(?!.*SET LOCAL dbkit)(?!.*secret).*ERROR:  ("$log"|ALTER ROLE \.\.\. SET) is not allowed/s, "$way is refused in a context");
	like(outside($coordinator, sign('org_a') . "BEGIN; $way; SELECT dbkit.enter(NULL, 'org_a', :'signature'); $look"), qr/^(?!.*SET LOCAL dbkit)(?!.*secret).*ERROR:  ("$log"|ALTER ROLE) /s, 'and before');
}
like(outside($coordinator, "SELECT set_config('$log', 'on', false) $there"), $no_log, 'and on another server');
like(said($coordinator, 'SELECT 1', connstr => $coordinator->connstr('postgres') . " user=regress_customer options='-c $log=on'"), qr/"$log" is not allowed where tenant contexts are signed/, 'and as a startup option');
is($coordinator->safe_psql('postgres', "SET $log = on; SHOW $log"), 'on', 'but not to a superuser');
$coordinator->safe_psql('postgres', "ALTER ROLE regress_customer SET $log = on");
like(tenant($coordinator, $look), qr/^(?!.*SET LOCAL dbkit)(?!.*secret).*ERROR:  "$log" would show the client the tenant context/s, 'where the administrator has it on, no context is entered');
like(outside($coordinator, "SET $log = off; " . sign('org_a') . "BEGIN; SELECT dbkit.enter(NULL, 'org_a', :'signature'); $look"), qr/^(?!.*SET LOCAL dbkit)(?!.*secret).*ERROR:  "$log" would show.*CONTEXT:  while executing/s, 'nor taken where another server has it on');
$coordinator->safe_psql('postgres', "ALTER ROLE regress_customer RESET $log");
is(tenant($coordinator, $look), 'secret of a', 'until it is off');

# What SQL may be left with once its transaction is over
for my $call (q{run_command_on_workers('SELECT 1')}, q{run_command_on_all_nodes('SELECT 1')}, q{citus_run_local_command('SELECT 1')}, sprintf(q{master_run_on_worker(ARRAY['%s'], ARRAY[%d], ARRAY['SELECT 1'], false)}, $worker->host, $worker->port))
{
	my ($name) = $call =~ /^(\w+)/;
	like(outside($coordinator, "SELECT $call"), qr/ERROR:  $name is not allowed where tenant contexts are signed/, "$name() is refused without a context");
	like(outside($coordinator, "SELECT $call FROM public_facts WHERE n = 1"), qr/ERROR:  $name is not allowed where tenant contexts are signed/, 'also in a query on another server');
}
is($coordinator->safe_psql('postgres', q{SELECT bool_and(success) FROM run_command_on_workers('SELECT 1')}), 't', 'but not to a superuser');
like(outside($coordinator, 'SELECT * FROM citus_stat_activity'), qr/ERROR:  run_command_on_all_nodes is not allowed where tenant contexts are signed/, 'nor does the view of all activity work');
like(outside($coordinator, q{SET citus.propagate_set_commands = 'local'}), qr/ERROR:  SET on other servers of the cluster is not allowed where tenant contexts are signed/, 'nor are settings sent');
like(outside($coordinator, q{SELECT set_config('citus.propagate_set_commands', 'local', false); BEGIN; SET LOCAL work_mem = '4MB'}), qr/ERROR:  SET on other servers of the cluster is not allowed where/, 'however that was chosen');
like(outside($coordinator, q{SELECT assign_distributed_transaction_id(0, 1, now())}), qr/ERROR:  assign_distributed_transaction_id is for the servers/, 'no transaction is taken over');

# A value that is sent while the transaction is under way is not shown
my $session = $coordinator->background_psql('postgres', extra_params => [ '-U', 'regress_customer' ]);
$session->query(sign('org_a'));
$session->query(q{BEGIN; SELECT count(*) FROM prize});
my $gpid = $session->query('SELECT citus_backend_gpid()');
$session->query(q{SELECT dbkit.enter(NULL, 'org_a', :'signature')});
my $shown = join "\n", map { $_->safe_psql('postgres', qq{SELECT query FROM pg_stat_activity WHERE application_name = 'citus_internal gpid=$gpid' AND query LIKE '%dbkit.cluster_context%'}) } @workers;
like($shown, qr/SET LOCAL dbkit.cluster_context =/, 'pg_stat_activity shows the statement');
unlike($shown, qr/org_a|'/, 'but not the value');
is($session->query('SELECT DISTINCT secret FROM prize'), 'secret of a', 'with which other servers show rows');

# Nor is it by pg_stat_statements, whose statements of other transactions stay
for my $node ($coordinator, @workers)
{
	$node->safe_psql('postgres', 'SET citus.enable_ddl_propagation = off; CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_statements WHERE query LIKE '%cluster\_context =%'}), '0', $node->name . ': pg_stat_statements has none');
	isnt($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_statements WHERE query LIKE 'BEGIN%'}), '0', 'of what it has');
}

# What the transaction keeps for later queries can be read by who opens a connection of his own: pg_hba.conf must keep him out
$session->query(q{SELECT broadcast_intermediate_result('kept', 'SELECT DISTINCT secret FROM prize')});
my $number = $coordinator->safe_psql('postgres', 'SELECT transaction_number FROM get_all_active_transactions() WHERE transaction_number <> 0 AND process_id = ' . $session->query('SELECT pg_backend_pid()'));
my $take_over = "BEGIN; SELECT assign_distributed_transaction_id(0, $number, now()); SELECT * FROM read_intermediate_result('kept', 'binary') AS r(secret text)";
like(outside($worker, $take_over), qr/^ERROR:  assign_distributed_transaction_id is for the servers of the cluster(?!.*secret)/s, 'nobody takes a transaction over');
is(said($worker, $take_over, connstr => $worker->connstr('postgres') . " user=regress_customer application_name='citus_internal gpid=$gpid'") =~ s/^\n+//r, 'secret of a', 'but for a client that calls itself Citus');

# The server's log has it, for who may read that
my ($stolen) = slurp_file($worker->logfile) =~ /.*statement: (SET LOCAL dbkit\.cluster_context = +'[^']*org_a[^']*')/s;
ok($stolen, 'a value is stolen');

# Send a statement to a server as another server of the cluster would.
sub send_to
{
	my ($node, $statement, %params) = @_;
	my $user = $params{user} // 'regress_customer';
	my $number = $params{gpid} // $gpid;
	my $database = $params{database} // 'postgres';
	return said($node, "BEGIN; $statement; $look", connstr => $node->connstr($database) . " user=$user application_name='citus_internal gpid=$number'", on_error_stop => 0) =~ s/^\n+//r;
}

my $invalid = qr/^ERROR:  the tenant context that another server of the cluster sent is not valid\nDETAIL:  It/;
like(send_to($worker, $stolen, gpid => $gpid + 1), qr/$invalid must be signed .* the session that the connection serves(?!.*secret)/s, 'it is refused for another session');
like(send_to($worker, $stolen, user => 'regress_definer'), qr/$invalid was entered by another role(?!.*secret)/s, 'and for another role');
like(send_to($worker, $stolen =~ s/5:org_a/5:org_b/r), qr/$invalid must be signed/, 'and for another organization');
$session->query('COMMIT');
like(send_to($worker, $stolen), qr/$invalid was sent for a transaction that is over(?!.*secret)/s, 'and once the transaction is over');
like(outside($coordinator, "BEGIN; SELECT count(*) FROM prize; $stolen; $look"), qr/ERROR:  .*the tenant context cannot be changed with a setting(?!.*secret)/s, 'nobody sends it again');
$session->quit;

# Make a statement that sends a context, as a server does.
my $count = 0;
sub forge
{
	my (%with) = @_;
	my ($user, $organization, $role) = ($with{user}, $with{organization} // 'org_b', $with{role} // 'regress_customer');
	my $sent = sprintf '%d', (time() - 946684800 + ($with{age} ? -$with{age} : 0)) * 1e6;
	my $nonce = $with{nonce} // sprintf '%032x', ++$count;
	my $netstrings = sub { join '', map { defined $_ ? length($_) . ":$_," : '-,' } @_ };
	my $signature = hmac_sha256_hex($netstrings->('dbkit.cluster_context', $with{database} // 'postgres', $role, $user, $organization, $with{gpid} // $gpid, $sent, $nonce), $with{key} // $key);
	return sprintf "SET LOCAL dbkit.cluster_context = %s'%s'", ' ' x ($with{blanks} // 1024), $netstrings->($user, $organization, $role, $sent, $nonce, $signature);
}

is(send_to($worker, forge() . q{; SELECT dbkit.organization_id(), dbkit.user_id()}) =~ s/\n.*//sr, 'org_b|', 'with the key a value can be made');
like(send_to($worker, forge(key => 'x' x 32)), qr/$invalid must be signed/, 'not with another');
like(send_to($worker, forge(age => 70)), qr/^ERROR:  the tenant context that another server of the cluster sent is more than 60 seconds old(?!.*secret)/s, 'it is refused when it is old');
like(send_to($worker, forge(age => -70)), qr/is more than 60 seconds old/, 'or of the future');
like(send_to($worker, forge(blanks => 1)), qr/^ERROR:  pg_stat_activity could show/, 'or where it can be seen');
like(send_to($worker, forge(database => 'other')), qr/$invalid must be signed/, 'or is for another database');
like(send_to($worker, forge(gpid => 7)), qr/$invalid must be signed/, 'or another session');
unlike(send_to($worker, forge(nonce => 'f' x 32)), $invalid, 'a nonce is good once');
like(send_to($worker, forge(nonce => 'f' x 32)), qr/$invalid was sent for a transaction that is over/, 'and not again');
# So many are remembered that none of the last minute's is refused, also where many come
my $waiting = forge(nonce => 'e' x 32);
my $end = qr/$invalid was sent for a transaction that is over/;
my $nonce_of = sub { substr hmac_sha256_hex($_[0], 'nonce'), 0, 32 };
my $script = write_file("$directory/many", join('', map { sprintf "BEGIN \\; %s \\; COMMIT;\n", forge(nonce => $nonce_of->($_)) } 1 .. 20000), 0644);
$worker->command_ok([ 'psql', '-Xqv', 'ON_ERROR_STOP=1', '-d', $worker->connstr('postgres') . " user=regress_customer application_name='citus_internal gpid=$gpid'", '-f', $script ], 'many contexts are received');
unlike(send_to($worker, $waiting), $invalid, 'one from before them is taken');
like(send_to($worker, forge(nonce => $nonce_of->($_))), $end, 'those are refused') for 1, 20000;

like(send_to($worker, q{SET LOCAL dbkit.cluster_context = '-,5:org_b,'}), qr/$invalid is not signed(?!.*secret)/s, 'one without a signature is refused');
like(send_to($worker, "SAVEPOINT s; " . forge()), qr/^ERROR:  a tenant context cannot be entered in a subtransaction/, 'none is taken in a subtransaction');
like(send_to($worker, forge() . '; ' . forge(organization => 'org_c')), qr/ERROR:  a tenant context is already entered/, 'nor a second one');
like(send_to($worker, forge() . q{; SELECT set_config('role', 'none', true)}), qr/^(?!.*postgres)/s, 'nor is another role taken');

# Within a query nothing sends a value, not even a good one
my $good = forge(gpid => 0) =~ s/.*?= +//r;
like(outside($coordinator, qq{BEGIN; SELECT set_config('dbkit.cluster_context', $good, true) FROM public_facts WHERE n = 1; $look}), qr/^ERROR:  .*cannot be changed with a setting(?!.*secret)/s, 'set_config() on another server');

# A server without the key, or with another one
for my $case ([ '', qr/^ERROR:  the tenant context that another server of the cluster sent cannot be checked without a key(?!.*secret)/s ],
	[ $other_key_file, qr/$invalid must be signed(?!.*secret)/s ])
{
	my ($file, $refusal) = @$case;
	$_->append_conf('postgresql.conf', "dbkit.context_key_file = '$file'") for @workers;
	$_->reload for @workers;
	$_->poll_query_until('postgres', "SELECT current_setting('dbkit.context_key_file') = '$file'") or die for @workers;
	like(tenant($coordinator, $look), $refusal, 'a server with the key file ' . ($file ? 'of another key' : 'missing') . ' refuses');
}
$_->append_conf('postgresql.conf', "dbkit.context_key_file = '$key_file'") for @workers;
$coordinator->append_conf('postgresql.conf', "dbkit.context_key_file = ''");
$_->reload for $coordinator, @workers;
$coordinator->poll_query_until('postgres', q{SELECT current_setting('dbkit.context_key_file') = ''}) or die;
like(outside($coordinator, "BEGIN; SELECT dbkit.enter(NULL, 'org_b'); $look"), qr/$invalid is not signed(?!.*secret)/s, 'where the coordinator has no key, the others refuse');

# A server that was started since knows nothing about what was over before
$coordinator->append_conf('postgresql.conf', "dbkit.context_key_file = '$key_file'");
$coordinator->reload;
my $before = forge();
sleep 1;
$worker->restart;
like(send_to($worker, $before), qr/$invalid was sent for a transaction that is over, or before this server was started/, 'what was sent before a restart is refused');
is(tenant($coordinator, $look), 'secret of a', 'what is sent afterwards is taken');

done_testing();
