# Forging the tenant context from outside of SQL: startup options, settings of
# the role and the database, and a placeholder made before the library is loaded;
# each with dbkit loaded on demand, for each session, and with the server.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION dbkit;
	SET dbkit.enforce = off;
	CREATE ROLE regress_customer LOGIN;
	CREATE TABLE prize (organization_id text COLLATE "C", secret text);
	INSERT INTO prize VALUES ('org_a', 'secret of a'), ('org_b', 'secret of b');
	SELECT dbkit.protect('prize', role => 'regress_customer');
	CREATE TABLE setting_prize (organization_id text COLLATE "C", secret text);
	INSERT INTO setting_prize SELECT * FROM prize;
	ALTER TABLE setting_prize ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON setting_prize TO regress_customer
		USING (organization_id = current_setting('app.organization_id', true));
	GRANT ALL ON prize, setting_prize TO regress_customer;
	CREATE FUNCTION organization() RETURNS text STABLE PARALLEL SAFE LANGUAGE plpgsql
		AS 'BEGIN RETURN coalesce(dbkit.organization_id(), $$none$$); END';
	CREATE SCHEMA made AUTHORIZATION regress_customer;
	CREATE ROLE regress_granted LOGIN IN ROLE regress_customer;
	GRANT SET ON PARAMETER dbkit.enforce TO regress_granted;
});
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');

# The settings that superusers may set, to a value each of which it accepts
my %of_superusers = map { split /=/, $_, 2 } split /\n/, $node->safe_psql('postgres', q{
	LOAD 'dbkit';
	SELECT name || '=' || setting FROM pg_settings WHERE name LIKE 'dbkit.%' AND context = 'superuser'});
cmp_ok(scalar(keys %of_superusers), '>', 2, 'dbkit has settings of superusers');

# Run SQL as the customer (or another role) and return what it prints and what it
# complains of.  From a file: where the connection is refused, nobody would read a pipe.
sub customer
{
	my ($sql, $options, $role) = @_;
	$role ||= 'regress_customer';
	local $ENV{PGOPTIONS} = $options || '';
	my ($out, $err) = ('', '');
	my $file = $node->basedir . '/customer.sql';
	unlink $file;
	append_to_file($file, $sql);
	$node->psql('postgres', undef, stdout => \$out, stderr => \$err, extra_params => [ '-f', $file ],
		connstr => $node->connstr('postgres') . " user=$role", on_error_stop => 0);
	return ($out, $err);
}

my $forged = qr/the tenant context cannot be changed with a setting/;
my $in_context = q{BEGIN; SELECT dbkit.enter('usr_a', 'org_a')};

for my $preload ('', 'session_preload_libraries', 'shared_preload_libraries')
{
	my $how = $preload || 'loaded on demand';
	my ($out, $err);
	if ($preload)
	{
		$node->append_conf('postgresql.conf', "session_preload_libraries = ''\n$preload = 'dbkit'");
		$node->restart;
	}

	# a placeholder of the session's own, before the library is there
	($out, $err) = customer(q{
		SET app.organization_id = 'org_b';
		SELECT secret FROM prize;
		SELECT secret FROM setting_prize;
		BEGIN; SELECT dbkit.enter('usr_a', 'org_a');
		SELECT secret FROM prize UNION ALL SELECT secret FROM setting_prize;});
	is($out, "\nsecret of a\nsecret of a", "$how: SET before the first use is dropped");
	like($err, $forged, "$how: and complained of");
	($out) = customer(q{
		BEGIN;
		SET LOCAL app.organization_id = 'org_b';
		SAVEPOINT s;
		SET LOCAL app.organization_id = 'org_c';
		SET dbkit.context = '5:usr_b,5:org_b,';
		SELECT secret FROM prize;
		RELEASE s;
		ROLLBACK;
		SELECT secret FROM prize;
		SELECT secret FROM setting_prize;
		SELECT current_setting('app.organization_id') = '';});
	is($out, 't', "$how: SET LOCAL and a savepoint before the first use, too");

	# startup options
	($out, $err) = customer("SELECT secret FROM prize; SELECT secret FROM setting_prize; $in_context; TABLE prize",
		'-c app.organization_id=org_b');
	like($err, $forged, "$how: a startup option is complained of");
	unlike($out, qr/secret of b/, "$how: and without effect");
	for my $option ('dbkit.context=5:usr_b,5:org_b,', 'dbkit.organization_setting=app.mine', 'dbkit.user_setting=',
		'dbkit.context_key_file=')
	{
		my ($name) = split /=/, $option;
		($out, $err) = customer('SELECT secret FROM prize', "-c $option");
		like($err, qr/(permission denied to set )?parameter "\Q$name\E"( cannot be changed now| can only be set in| cannot be changed without|$)/m,
			"$how: a startup option cannot set $name");
		is($out, '', "$how: and shows nothing");
	}

	# nor what a superuser may set, and what an administrator has set stays in force
	for my $name (sort keys %of_superusers)
	{
		($out, $err) = customer(q{SELECT 'goes on' FROM dbkit.rules}, "-c $name=$of_superusers{$name}");
		like($err, qr/permission denied to set parameter "\Q$name\E"/, "$how: a startup option cannot set $name");
		is($out, '', "$how: and the session does not go on");
	}
	my $make = 'CREATE TABLE made.made (n int); DROP TABLE made.made;';
	my $broken = qr/breaks (the schema convention|\d+ schema conventions)/;
	for my $owner ('ROLE regress_customer', 'DATABASE postgres', 'ROLE regress_customer IN DATABASE postgres')
	{
		$node->safe_psql('postgres', "ALTER $owner SET dbkit.enforce = off");
		($out, $err) = customer($make);
		is($err, '', "$how: ALTER $owner SET works");
		for my $value ('on', 'off')
		{
			($out, $err) = customer($make, "-c dbkit.enforce=$value");
			like($err, qr/permission denied to set parameter "dbkit.enforce"/, "$how: a startup option does not undo it with $value");
		}
		($out, $err) = customer("SET dbkit.enforce = on; $make");
		unlike($err, $broken, "$how: nor does SET before the library is loaded");
		$node->safe_psql('postgres', "ALTER $owner RESET dbkit.enforce");
	}
	($out, $err) = customer($make);
	like($err, $broken, "$how: without it dbkit enforces");
	for my $role ($superuser, 'regress_granted')
	{
		($out, $err) = customer($make, '-c dbkit.enforce=off', $role);
		is($err, '', "$how: a startup option of who may set it works");
	}

	# settings of the role and of the database
	for my $owner ('ROLE regress_customer', 'DATABASE postgres')
	{
		my $alter = "ALTER $owner SET app.organization_id = 'org_b'";
		my ($status, undef, $refusal) = $node->psql('postgres', "LOAD 'dbkit'; $alter");
		like($refusal, $forged, "$how: $alter is refused where dbkit is loaded");
		next if $preload eq 'shared_preload_libraries';

		# as if it had been there before the extension
		$node->safe_psql('postgres', qq{
			INSERT INTO pg_db_role_setting SELECT
				CASE '$owner' WHEN 'DATABASE postgres' THEN d.oid ELSE 0 END,
				CASE '$owner' WHEN 'DATABASE postgres' THEN 0 ELSE r.oid END,
				'{app.organization_id=org_b}'
			FROM pg_database d, pg_roles r WHERE datname = 'postgres' AND rolname = 'regress_customer'});
		($out, $err) = customer("SELECT secret FROM prize; $in_context; TABLE prize; TABLE setting_prize; ROLLBACK; TABLE setting_prize");
		like($err, $forged, "$how: one that is there already is complained of");
		is($out, "\norg_a|secret of a\norg_a|secret of a", "$how: and without effect");
		$node->safe_psql('postgres', "ALTER $owner RESET ALL");
	}
	($out, $err) = customer(q{ALTER ROLE regress_customer SET app.organization_id = 'org_b'});
	isnt($err, '', "$how: the role itself cannot set it before the first use");

	# what the server's configuration says cannot be undone from outside, so no mode fails open
	$node->append_conf('postgresql.conf', "dbkit.context_key_file = 'no_such_file'\ndbkit.organization_setting = 'my.tenant'");
	$node->restart;
	my $enter_b = q{SELECT dbkit.enter('usr_b', 'org_b')};
	($out, $err) = customer("BEGIN; $enter_b; ROLLBACK; TABLE prize");
	like($err, qr/the tenant context needs a signature/, "$how: signed mode is on");
	($out, $err) = customer("SET dbkit.context_key_file = ''; BEGIN; $enter_b; TABLE prize");
	like($err, qr/the tenant context needs a signature/, "$how: and after SET");
	is($out, '', "$how: shows nothing");
	($out, $err) = customer("BEGIN; $enter_b; TABLE prize", '-c dbkit.context_key_file=');
	unlike($out, qr/secret/, "$how: and with a startup option");
	for my $name ('app.organization_id', 'app.mine')
	{
		($out, $err) = customer('SHOW my.tenant', "-c dbkit.organization_setting=$name -c my.tenant=org_b");
		is($out, $preload ? '' : 'org_b', "$how: a startup option cannot rename the setting to $name");
	}
	for my $owner ('ROLE regress_customer', 'DATABASE postgres')
	{
		next if $preload eq 'shared_preload_libraries';
		$node->safe_psql('postgres', qq{
			INSERT INTO pg_db_role_setting SELECT
				CASE '$owner' WHEN 'DATABASE postgres' THEN d.oid ELSE 0 END,
				CASE '$owner' WHEN 'DATABASE postgres' THEN 0 ELSE r.oid END,
				'{dbkit.context_key_file=}'
			FROM pg_database d, pg_roles r WHERE datname = 'postgres' AND rolname = 'regress_customer'});
		($out, $err) = customer("BEGIN; $enter_b; TABLE prize");
		like($err, qr/can only be set in the server's configuration/, "$how: a setting of the $owner is complained of");
		unlike($out, qr/secret/, "$how: and shows nothing");
		$node->append_conf('postgresql.conf', "session_preload_libraries = ''");
		$node->reload;
		$node->safe_psql('postgres', "DELETE FROM pg_db_role_setting");
		$node->append_conf('postgresql.conf', "session_preload_libraries = 'dbkit'") if $preload;
		$node->reload;
	}
	$node->append_conf('postgresql.conf', "dbkit.context_key_file = ''\ndbkit.organization_setting = 'app.organization_id'");
	$node->restart;

	# a query that runs in parallel may be the first to load the library, in a worker
	# or, where there is none, in the leader: nothing that was set is lost; before 15.9 and
	# 16.5 the server cannot do that (commit 364de74cff)
	my $version = $node->safe_psql('postgres', 'SHOW server_version_num');
	$node->append_conf('postgresql.conf', "dbkit.context_key_file = 'no_such_file'\ndbkit.organization_setting = 'my.tenant'");
	$node->restart;
	$node->safe_psql('postgres', q{ALTER DATABASE postgres SET dbkit.rule_levels = 'column_comment=warning'});
	for my $workers ($version >= ($version < 160000 ? 150009 : 160005) ? (8, 0) : ())
	{
		($out, $err) = customer(qq{
			SELECT set_config(name, 'on', false) IS NULL AS x FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query') \\gset
			SET max_parallel_workers = $workers;
			SELECT organization();
			SELECT organization();
			RESET ALL;
			SHOW dbkit.rule_levels;
			SHOW dbkit.organization_setting;
			$enter_b;});
		is($out, "none\nnone\ncolumn_comment=warning\nmy.tenant", "$how: first loaded by a parallel query, $workers workers");
		like($err, qr/^[^\n]*ERROR:  the tenant context needs a signature\n[^\n]*$/, "$how: and signed mode is on");
	}
	$node->safe_psql('postgres', q{ALTER DATABASE postgres RESET dbkit.rule_levels});
	$node->append_conf('postgresql.conf', "dbkit.context_key_file = ''\ndbkit.organization_setting = 'app.organization_id'");
	$node->restart;

	# COPY FROM is refused by row security
	($out, $err) = customer(qq{$in_context; COPY prize FROM STDIN});
	like($err, qr/COPY FROM not supported with row-level security/, "$how: COPY FROM");
}

# With the server, the names of the settings and their absence are the server's choice.
$node->append_conf('postgresql.conf', "dbkit.user_setting = ''\ndbkit.organization_setting = 'my.tenant_1'");
$node->restart;
my ($out, $err) = customer(qq{
	SET app.organization_id = 'free';
	SET app.user_id = 'free';
	SHOW app.organization_id;
	$in_context;
	SHOW my.tenant_1;
	SET my.tenant_1 = 'org_b';});
is($out, "free\n\norg_a", 'the settings have the names that the server gives them');
like($err, $forged, 'and are guarded under these');

# A policy of teams, with a context and with each half of one.
$node->safe_psql('postgres', q{
	SET dbkit.enforce = off;
	CREATE TABLE of_uuid (organization_id uuid);
	INSERT INTO of_uuid VALUES ('0190163d-8694-739b-aea5-966c26f8ad91'), ('0190163d-8694-739b-aea5-966c26f8ad92');
	ALTER TABLE of_uuid ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON of_uuid TO regress_customer USING (organization_id = current_setting('app.current_tenant_id')::uuid);
	GRANT SELECT ON of_uuid TO regress_customer;
});
$node->append_conf('postgresql.conf', "dbkit.user_setting = 'app.user_id'\ndbkit.organization_setting = 'app.current_tenant_id'");
$node->restart;
($out, $err) = customer(q{
	BEGIN; SELECT dbkit.enter('0190163d-8694-739b-aea5-966c26f8ad93', '0190163d-8694-739b-aea5-966c26f8ad91') \gset
	TABLE of_uuid; COMMIT;
	BEGIN; SELECT dbkit.enter('0190163d-8694-739b-aea5-966c26f8ad93', NULL) \gset
	TABLE of_uuid; COMMIT;
	BEGIN; SELECT dbkit.enter(NULL, '0190163d-8694-739b-aea5-966c26f8ad92') \gset
	TABLE of_uuid; COMMIT;});
is($out, "0190163d-8694-739b-aea5-966c26f8ad91\n0190163d-8694-739b-aea5-966c26f8ad92", 'a policy that casts the setting, with a context and halves of one');
is($err, '', 'raises no error');
$node->append_conf('postgresql.conf', "dbkit.user_setting = ''");

for my $name ('plain', 'two..dots', '.tenant', 'app.', '1.a', 'app.te nant')
{
	$node->append_conf('postgresql.conf', "dbkit.organization_setting = '$name'");
	$node->restart;
	($out) = customer('SHOW dbkit.organization_setting');
	is($out, 'app.organization_id', "\"$name\" is no name for a setting");
}

# A changed name takes a restart, and a session cannot choose one.
$node->append_conf('postgresql.conf', "dbkit.organization_setting = 'app.organization_id'");
$node->reload;
($out, $err) = customer(q{SET dbkit.organization_setting = 'a.b'});
like($err, qr/cannot be changed without restarting the server/, 'a session cannot rename the setting');

# A name that is taken: nobody goes on without what the agreement asks for.
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''\ndbkit.user_setting = 'plpgsql.variable_conflict'");
$node->restart;
($out, $err) = customer(q{
	DO 'BEGIN END';
	SELECT dbkit.user_id();
	SELECT 'goes on';});
is($out, '', 'a setting that belongs to another library cannot show the context');
like($err, qr/ERROR:  parameter "plpgsql.variable_conflict" cannot show the tenant context/, 'and no statement goes on without');

$node->stop;
done_testing();
