# A streaming standby: dbkit reads there, writes nothing, and goes on after
# promotion.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $conforming = q{
	BEGIN;
	CREATE TABLE %1$s (
		id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('%2$s') CHECK (id LIKE '%2$s_%%'),
		created_at timestamptz NOT NULL DEFAULT now(),
		updated_at timestamptz NOT NULL DEFAULT now(),
		storytime jsonb);
	CREATE TRIGGER updated_at BEFORE UPDATE ON %1$s FOR EACH ROW EXECUTE PROCEDURE updated_at();
	ALTER TABLE %1$s ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON %1$s USING (id = current_user);
	COMMIT;
};

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

# Give what a session on the standby has to say.
sub says
{
	my ($sql) = @_;
	my ($status, $stdout, $stderr) = $standby->psql('postgres', "\\set VERBOSITY sqlstate\n$sql");
	return join "\n", grep { length } $stdout, $stderr =~ s/^psql:<stdin>:\d+: //mgr;
}

$primary->safe_psql('postgres', 'CREATE EXTENSION dbkit; SET dbkit.enforce = off; CREATE TABLE bad (n int); SET dbkit.enforce = on;'
	  . q{SELECT dbkit.exempt('public.bad', 'bigint', 'on purpose'), dbkit.exempt('no.such', '*', 'nothing');}
	  . sprintf($conforming, 'things', 'thi') . 'INSERT INTO things DEFAULT VALUES');
$primary->wait_for_catchup($standby);

my $check = 'SELECT * FROM dbkit.check(); SELECT * FROM dbkit.stale_exemptions; SELECT * FROM dbkit.id_prefix';
my $found = $primary->safe_psql('postgres', $check);
like($found, qr/^created_at\|error\|table\|public.bad\|/m, 'there is something to find');
is(says($check), $found, 'dbkit.check() finds the same on the standby');
is(says(q{SELECT dbkit.id_prefix(id), dbkit.table_of(id), dbkit.id_timestamp(id) <= now() FROM things}), 'thi|things|t', 'ids can be read');
is(says(q{SELECT dbkit.is_id(generate_id('new'), 'new')}), 't', 'and made');
is(says('CREATE TABLE t (n bigint)'), 'ERROR:  25006', 'DDL is impossible, by PostgreSQL');
is(says('CREATE TEMP TABLE t (n bigint)'), 'ERROR:  25006', 'also with temporary tables');
is(says(q{SELECT dbkit.exempt('public.bad', '*', 'x')}), 'ERROR:  25006', 'and so are exemptions');
is(says(q{SELECT dbkit.unexempt('public.bad', 'bigint')}), 'ERROR:  25006', 'their end');
is(says(q{SELECT dbkit.baseline('x')}), 'ERROR:  25006', 'the baseline');
is(says(q{SELECT dbkit.register_prefix('things')}), 'ERROR:  25006', 'and registering a table');
is(says('BEGIN READ ONLY; SELECT generate_id($$a$$) > $$a$$; ' . $check), "t\n$found", 'a read-only session reads the same');
is($primary->safe_psql('postgres', "BEGIN READ ONLY; $check"), $found, 'also on the primary');

# Changes arrive
$primary->safe_psql('postgres', 'DROP TABLE things;' . sprintf($conforming, 'others', 'thi'));
$primary->wait_for_catchup($standby);
is(says('SELECT * FROM dbkit.id_prefix'), 'thi|others|f', 'the registry follows');

# The standby becomes a primary
$standby->promote;
is(says('CREATE TABLE worse (n int)'), 'ERROR:  KD001', 'after promotion the conventions are enforced');
is(says(sprintf($conforming, 'more', 'thi')), 'ERROR:  KD001', 'prefixes are guarded');
is(says(sprintf($conforming, 'more', 'mor') . 'SELECT prefix, relation FROM dbkit.id_prefix ORDER BY prefix'),
	"mor|more\nthi|others", 'and registered');
is(says(q{SELECT dbkit.unexempt('public.bad', 'bigint')}), 't', 'exemptions can be taken back');

done_testing();
