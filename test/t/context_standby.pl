# A context on a hot standby, whose transactions cannot write.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->safe_psql(
	'postgres', q{
	CREATE EXTENSION dbkit;
	SET dbkit.enforce = off;
	CREATE ROLE regress_customer LOGIN;
	CREATE TABLE prize (organization_id text COLLATE "C", secret text);
	INSERT INTO prize VALUES ('org_a', 'secret of a'), ('org_b', 'secret of b');
	SELECT dbkit.protect('prize', role => 'regress_customer');
	GRANT SELECT ON prize TO regress_customer;
});
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('write'));

my ($out, $err) = ('', '');
$standby->psql(
	'postgres', q{
	SELECT secret FROM prize;
	BEGIN;
	SELECT dbkit.enter('usr_a', 'org_a');
	SELECT secret, dbkit.user_id(), current_setting('app.organization_id') FROM prize;
	COMMIT;
	SELECT secret FROM prize;},
	connstr => $standby->connstr('postgres') . ' user=regress_customer', stdout => \$out, stderr => \$err);
is($out, "\nsecret of a|usr_a|org_a", 'a context is entered and left on a standby');
is($err, '', 'without complaint');

$standby->stop;
$primary->stop;
done_testing();
