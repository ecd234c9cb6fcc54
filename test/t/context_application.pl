# An application that has app.user_id and app.organization_id for itself goes on when
# dbkit comes: however it sets them, before CREATE EXTENSION, after it in the same
# session and in a new one, with dbkit loaded on demand, for each session, and with
# the server.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# What leaves the settings to the application
my $agreement = q{CREATE FUNCTION public.dbkit_agreement() RETURNS jsonb IMMUTABLE LANGUAGE sql
	AS $$ SELECT '{"reserve_settings": false}'::pg_catalog.jsonb $$};

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE regress_app LOGIN; CREATE DATABASE pattern');
$node->safe_psql('pattern', qq{
	CREATE TABLE rows (user_id text, organization_id uuid);
	INSERT INTO rows SELECT 'usr_' || n, ('0190163d-8694-739b-aea5-966c26f8ad9' || n)::uuid FROM generate_series(1, 3) n;
	ALTER TABLE rows ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON rows TO regress_app USING (user_id = current_setting('app.user_id', true)::text);
	CREATE POLICY tenant ON rows TO regress_app USING (organization_id = current_setting('app.organization_id', true)::uuid);
	GRANT ALL ON rows TO regress_app;
	$agreement});

# Run SQL in one session and return what it prints and what it complains of.
sub session
{
	my ($database, $sql, $options, $role) = @_;
	local $ENV{PGOPTIONS} = $options || '';
	my ($out, $err) = ('', '');
	my $connection = $node->connstr($database) . ($role ? " user=$role" : '');
	$node->psql($database, $sql, stdout => \$out, stderr => \$err, connstr => $connection, on_error_stop => 0);
	return ($out, $err);
}

# How the application says who its user is: before the session, and in it
my %ways = (
	'SET' => [ undef, q{SET app.user_id = 'usr_1';} ],
	'set_config, for the session' => [ undef, q{SELECT set_config('app.user_id', 'usr_1', false) \gset
} ],
	'SET LOCAL' => [ undef, q{BEGIN; SET LOCAL app.user_id = 'usr_1';} ],
	'set_config, for the transaction' => [ undef, q{BEGIN; SELECT set_config('app.user_id', 'usr_1', true) \gset
} ],
	'startup option' => [ '-c app.user_id=usr_1', '' ],
	'ALTER ROLE' => [ undef, '', q{ALTER ROLE ALL SET app.user_id = 'usr_1'}, 'ALTER ROLE ALL RESET app.user_id' ],
	'ALTER DATABASE' => [ undef, '', q{ALTER DATABASE live SET app.user_id = 'usr_1'} ],
);

my $own_rows = 'SET ROLE regress_app; SELECT user_id FROM rows; RESET ROLE;';
my $context = q{BEGIN; SELECT dbkit.enter('usr_3', NULL) \gset
	SELECT user_id FROM rows; SHOW app.user_id;
	SAVEPOINT s; SET app.user_id = 'usr_2'; ROLLBACK TO s; SHOW app.user_id; COMMIT;};
my $refused = qr/^psql:<stdin>:\d+: ERROR:  the tenant context cannot be changed with a setting\n[^\n]*DETAIL: [^\n]*\n[^\n]*HINT: [^\n]*$/;

for my $preload ('', 'session_preload_libraries', 'shared_preload_libraries')
{
	my $loaded = $preload || 'loaded on demand';
	if ($preload)
	{
		$node->append_conf('postgresql.conf', "session_preload_libraries = ''\n$preload = 'dbkit'");
		$node->restart;
	}
	for my $way (sort keys %ways)
	{
		my $how = "$way, $loaded";
		my ($options, $set, $before, $after) = @{ $ways{$way} };
		my $in_block = $set =~ /^BEGIN/;
		my ($out, $err);

		$node->safe_psql('postgres', 'CREATE DATABASE live TEMPLATE pattern');
		$node->safe_psql('postgres', $before) if $before;

		# CREATE EXTENSION in the middle of the session
		($out, $err) = session('live', "$set $own_rows CREATE EXTENSION dbkit; SELECT dbkit.user_id() IS NULL; $own_rows", $options);
		unlike($err, qr/app\./, "$how: CREATE EXTENSION does not speak of the settings");
		is($out, "usr_1\nt\nusr_1", "$how: it goes on after CREATE EXTENSION");
		$node->safe_psql('live', 'CREATE EXTENSION dbkit') if $in_block;

		# a new session, and contexts in it
		($out, $err) = session('live', "SELECT dbkit.user_id() IS NULL; $set SELECT user_id FROM rows;" . ($in_block ? ' COMMIT;' : ''),
			$options, 'regress_app');
		is($err, '', "$how: a new session is not complained of");
		is($out, "t\nusr_1", "$how: and has its rows");
		my $again = $in_block ? "COMMIT; $set" : '';
		($out, $err) = session('live', "$set SELECT user_id FROM rows; " . ($in_block ? 'COMMIT;' : '') . "$context
			$again SELECT user_id FROM rows; " . ($in_block ? 'COMMIT;' : ''), $options, 'regress_app');
		is($out, "usr_1\nusr_3\nusr_3\nusr_3\nusr_1", "$how: a context shows and keeps its own");
		like($err, $refused, "$how: and cannot be changed") if !$in_block;

		# what the session began with comes back by RESET
		if ($set eq '')
		{
			($out, $err) = session('live', "SET app.user_id = 'usr_2'; $context SHOW app.user_id; RESET app.user_id; SHOW app.user_id;",
				$options, 'regress_app');
			is($out, "usr_3\nusr_3\nusr_3\nusr_2\nusr_1", "$how: RESET finds it");
		}
		$node->safe_psql('postgres', $after) if $after;
		$node->safe_psql('postgres', 'DROP DATABASE live');
	}

	# nothing set at all: no rows, and no error from a cast of what is unknown
	$node->safe_psql('postgres', 'CREATE DATABASE live TEMPLATE pattern');
	$node->safe_psql('live', 'CREATE EXTENSION dbkit');
	my ($out, $err) = session('live', q{
		SELECT dbkit.user_id() IS NULL;
		SELECT user_id FROM rows;
		BEGIN; SELECT dbkit.enter('usr_1', '0190163d-8694-739b-aea5-966c26f8ad92') \gset
		SELECT user_id FROM rows; COMMIT;
		BEGIN; SELECT dbkit.enter(NULL, '0190163d-8694-739b-aea5-966c26f8ad92') \gset
		SELECT user_id FROM rows; COMMIT;
		SELECT user_id FROM rows;
		SELECT current_setting('app.user_id', true) IS NULL, current_setting('app.organization_id', true) IS NULL;}, undef, 'regress_app');
	is($out, "t\nusr_1\nusr_2\nusr_2\nt|t", "$loaded: without any value, with a context and with half of one");
	is($err, '', "$loaded: no error");

	# a context that ends with the connection's transaction leaves it to the next request
	($out, $err) = session('live', q{
		SET app.user_id = 'usr_1';
		SELECT dbkit.enter('usr_2', NULL);
		SELECT user_id FROM rows;}, undef, 'regress_app');
	is($out, "\nusr_1", "$loaded: in autocommit a context binds nothing that comes after");
	like($err, qr/WARNING:  the tenant context ends with its transaction, in which nothing ran/, "$loaded: which the server says");

	# where they are reserved it is as it was said before
	$node->safe_psql('live', 'DROP FUNCTION public.dbkit_agreement()');
	($out, $err) = session('live', q{
		SET app.user_id = 'usr_1';
		SELECT dbkit.user_id() IS NULL;
		SELECT user_id FROM rows;
		SET app.user_id = 'usr_2';}, undef, 'regress_app');
	is($out, 't', "$loaded: reserved, and the value is dropped");
	like($err, qr/(WARNING|ERROR):  the tenant context cannot be changed.*ERROR:  the tenant context cannot be changed/s, "$loaded: and SET refused");

	# which is what a policy that reads them needs, together with preloading
	my $findings = q{SELECT count(*), max(problem) FROM dbkit.check() WHERE rule = 'forgeable_policy'};
	my $unsafe = qr/^2\|.*which any session can set before dbkit is loaded/;
	($out) = session('live', $findings);
	like($out, $preload ? qr/^0\|$/ : $unsafe, "$loaded: forgeable_policy, reserved");
	if (!$preload)
	{
		for my $of ('DATABASE live', 'ROLE ALL')
		{
			$node->safe_psql('postgres', "ALTER $of SET session_preload_libraries = '\$libdir/dbkit', 'auto_explain'");
			($out) = session('live', $findings);
			is($out, '0|', "forgeable_policy is content with ALTER $of");
			$node->safe_psql('postgres', "ALTER $of RESET session_preload_libraries");
		}
		$node->safe_psql('postgres', "ALTER ROLE CURRENT_USER SET session_preload_libraries = 'dbkit'");
		($out) = session('live', $findings);
		like($out, $unsafe, 'but not with what one role has');
		$node->safe_psql('postgres', "ALTER ROLE CURRENT_USER SET session_preload_libraries = 'auto_explain'");
		($out) = session('live', $findings);
		like($out, $unsafe, 'nor with another library');
		$node->safe_psql('postgres', "ALTER ROLE CURRENT_USER RESET session_preload_libraries");
		($out) = session('live', $findings, '-c session_preload_libraries=dbkit');
		like($out, $unsafe, 'nor with what one connection has');
	}
	$node->safe_psql('live', $agreement);
	($out) = session('live', $findings);
	like($out, qr/^2\|.*which the application can set outside of a context/, "$loaded: forgeable_policy, not reserved");

	# a database without the extension has nothing of it
	($out, $err) = session('pattern', q{SET app.user_id = 'usr_1'; SELECT user_id FROM rows; SHOW app.user_id;}, undef, 'regress_app');
	is($out, "usr_1\nusr_1", "$loaded: a database without the extension");
	is($err, '', "$loaded: is not concerned");
	$node->safe_psql('postgres', 'DROP DATABASE live');
}

# The server's own configuration can have a value; a reload reaches it, in a context or not
$node->append_conf('postgresql.conf', "app.user_id = 'usr_1'");
$node->restart;
$node->safe_psql('postgres', 'CREATE DATABASE live TEMPLATE pattern');
$node->safe_psql('live', 'CREATE EXTENSION dbkit');
my $conf = $node->data_dir . '/postgresql.conf';
my ($out, $err) = session('live', qq{
	SELECT user_id FROM rows;
	BEGIN; SELECT dbkit.enter('usr_3', NULL) \\gset
	SELECT user_id FROM rows;
	\\! echo "app.user_id = 'usr_2'" >> $conf; echo "work_mem = '5MB'" >> $conf; kill -HUP `head -1 @{[ $node->data_dir ]}/postmaster.pid`; sleep 1
	SHOW app.user_id;
	SHOW work_mem;
	COMMIT;
	SHOW app.user_id;
	\\! kill -HUP `head -1 @{[ $node->data_dir ]}/postmaster.pid`; sleep 1
	SELECT user_id FROM rows;}, undef, 'regress_app');
is($err, '', 'a reload in a context is not complained of');
is($out, "usr_1\nusr_3\nusr_3\n5MB\nusr_1\nusr_2", 'the configuration has a value for the application');

$node->stop;
done_testing();
