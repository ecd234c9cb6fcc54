# Policies as teams have written them before dbkit came run as they are, with a context, without one
# and with half of one, whether the settings are the application's or reserved, and whether dbkit is
# preloaded or not.  What no setting was ever said fails as it does without dbkit.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($mine, $other) = map { "00000000-0000-0000-0000-00000000000$_" } 1, 2;

# The condition of a policy, the setting that it reads, what tables hold, and what it says without a context before
# dbkit is there
my @policies = (
	[ 'text', q{organization_id = current_setting('app.organization_id', true)::text}, 'app.organization_id', 'text', qr/^$/ ],
	[ 'uuid', q{organization_id = current_setting('app.current_tenant_id')::uuid}, 'app.current_tenant_id', 'uuid',
		qr/^ERROR:  unrecognized configuration parameter "app.current_tenant_id"$/ ],
);

# Run statements as the application does, and return what they show and say.
sub told
{
	my ($node, $sql) = @_;
	my ($out, $err) = ('', '');
	$node->psql('postgres', $sql, stdout => \$out, stderr => \$err, connstr => $node->connstr('postgres') . ' user=regress_app',
		extra_params => [ '-v', 'VERBOSITY=terse' ], on_error_stop => 0);
	return join "\n", grep { $_ ne '' } $out, $err =~ /((?:ERROR|WARNING|FATAL):.*)/g;
}

for my $policy (@policies)
{
	my ($name, $condition, $setting, $type, $without) = @$policy;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init;
	$node->start;
	$node->safe_psql('postgres', qq{
		CREATE ROLE regress_app LOGIN;
		CREATE TABLE documents (organization_id $type, title text);
		INSERT INTO documents VALUES ('$mine', 'mine'), ('$other', 'other'), (NULL, 'of nobody');
		ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
		CREATE POLICY own ON documents TO regress_app USING ($condition);
		GRANT ALL ON documents TO regress_app;});
	my $read = 'SELECT title FROM documents;';
	like(told($node, $read), $without, "$name: before dbkit, without a setting");
	is(told($node, "SET $setting = '$mine'; $read"), 'mine', "$name: before dbkit, with one");

	$node->append_conf('postgresql.conf', "dbkit.organization_setting = '$setting'");
	$node->safe_psql('postgres', 'CREATE EXTENSION dbkit');
	my $prefixed = $node->safe_psql('postgres', q{SELECT generate_id('usr')});
	for my $preload ('', 'session_preload_libraries', 'shared_preload_libraries')
	{
		$node->append_conf('postgresql.conf', "session_preload_libraries = ''\n$preload = 'dbkit'") if $preload;
		$node->restart;
		for my $reserved ('false', 'true')
		{
			my $how = "$name, " . ($preload || 'loaded on demand') . ", reserve_settings $reserved";
			$node->safe_psql('postgres', qq{SELECT dbkit.agree('{"reserve_settings": $reserved}')});

			# with a context
			is(told($node, "BEGIN; SELECT FROM dbkit.enter('usr_1', '$mine'); $read COMMIT"), 'mine', "$how: a context shows its rows");
			is(told($node, "BEGIN; SELECT FROM dbkit.enter(NULL, '$mine'); $read COMMIT"), 'mine', "$how: also of an organization alone");
			is(told($node, "BEGIN; SELECT FROM dbkit.enter('usr_1', '$mine'); UPDATE documents SET title = title; DELETE FROM documents WHERE title = 'other' RETURNING title; ROLLBACK"), '',
				"$how: and it changes no others");
			like(told($node, "BEGIN; SELECT FROM dbkit.enter('usr_1', '$mine'); INSERT INTO documents VALUES ('$other', 'forged'); ROLLBACK"),
				qr/^ERROR:  new row violates row-level security policy/, "$how: nor writes for another");

			# with half of one: no rows, and no error, whatever the id of the user looks like.  Of one with a prefix it
			# shows an empty string, since no uuid is compared in such a database.
			for my $user ('usr_1', $mine, $type eq 'text' ? $prefixed : ())
			{
				is(told($node, "BEGIN; SELECT FROM dbkit.enter('$user', NULL); $read COMMIT"), '', "$how: of the user $user alone it shows nothing");
			}

			# without one
			my $shown = told($node, $read);
			my $reserves = $reserved eq 'true' && $preload;
			if ($type eq 'uuid' && $reserves)
			{
				like($shown, qr/^ERROR:  invalid input syntax for type uuid: ""$/, "$how: without a context another error stands for the one before");
			}
			else
			{
				like($shown, $without, "$how: without a context it is as before");
			}
			next if $reserved eq 'true';
			is(told($node, "SET $setting = '$other'; $read BEGIN; SELECT FROM dbkit.enter('usr_1', '$mine'); $read COMMIT; $read"), "other\nmine\nother",
				"$how: what the application sets holds around a context");
		}
	}
	$node->stop;
}

done_testing();
