# The end of a transaction: what is refused there ends it, fixes come before deferred
# triggers, and whatever those do is judged as well.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Conforming qw(good_table table_sql);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 5');
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION dbkit');

# Run SQL in one session that goes on after errors, and return what it printed.
sub run_sql
{
	my ($sql) = @_;
	my ($code, $out, $err) = $node->psql('postgres', $sql, on_error_stop => 0, extra_params => ['-X']);
	return ($out, $err);
}

sub sql { return join(";\n", @_) . ";\n"; }

my $bare = table_sql('bare', 'bar');

# A refused COMMIT, COMMIT AND CHAIN or PREPARE ends the transaction
for my $end ('COMMIT', 'COMMIT AND CHAIN', 'END', q{PREPARE TRANSACTION 'x'})
{
	my ($out, $err) = run_sql(sql('BEGIN', $bare, $end) . "SELECT 'idle' WHERE NOT EXISTS (SELECT FROM pg_class WHERE relname = 'bare');\nBEGIN;\nCOMMIT;");
	like($err, qr/ERROR:  table "public.bare" breaks 2 schema conventions/, "$end: refused");
	unlike($err, qr/aborted|already a transaction/, "$end: and the transaction is over");
	is($out, 'idle', "$end: nothing is left");
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_prepared_xacts'), '0', 'nothing is prepared');

# Savepoints that are open are committed with it
my ($out, $err) = run_sql(sql('BEGIN', 'SAVEPOINT a', 'SAVEPOINT b', $bare, 'SAVEPOINT c', 'COMMIT'));
like($err, qr/ERROR:  table "public.bare" breaks 2 schema conventions/, 'savepoints: refused');
($out, $err) = run_sql(sql('BEGIN', 'SAVEPOINT a', $bare, 'ROLLBACK TO a', 'COMMIT'));
is($err, '', 'savepoints: what is rolled back is not judged');
($out, $err) = run_sql(sql('BEGIN', 'SAVEPOINT a', good_table('good', 'goo'), 'SAVEPOINT b', 'COMMIT'));
is($err, '', 'savepoints: what keeps the rules passes');
is($node->safe_psql('postgres', 'SELECT count(*) FROM dbkit.check(); DROP TABLE good'), '0', 'savepoints: and is there');

# A fix runs before deferred triggers, in a savepoint too, and its failure ends the transaction
my $fix = q{SET dbkit.rule_levels = 'updated_at_trigger=fix, rls_enabled=fix, rls_policy=off';};
$node->safe_psql('postgres', sql('BEGIN', good_table('parents', 'par'), 'COMMIT') . q{
	SET dbkit.enforce = off;
	CREATE TABLE log (what text);
	CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN INSERT INTO log SELECT relrowsecurity FROM pg_class WHERE relname = 'bare'; RETURN NULL; END $$;
	CREATE CONSTRAINT TRIGGER note AFTER INSERT ON parents DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note();});
($out, $err) = run_sql($fix . sql('BEGIN', 'INSERT INTO parents DEFAULT VALUES', 'SAVEPOINT a', $bare, 'COMMIT'));
like($err, qr/NOTICE:  fixed the schema convention "rls_enabled"/, 'fix: runs at COMMIT');
is($node->safe_psql('postgres', 'SELECT what FROM log'), 'true', 'fix: before the deferred triggers');
$node->safe_psql('postgres', 'DROP TABLE bare; TRUNCATE log');
($out, $err) = run_sql(q{SET dbkit.rule_levels = 'created_at=fix, rls_enabled=off, rls_policy=off, updated_at_trigger=off';} .
	sql('BEGIN', 'INSERT INTO parents DEFAULT VALUES', $bare =~ s/created_at timestamptz NOT NULL/created_at timestamptz/r,
		'INSERT INTO bare (created_at) VALUES (NULL)', 'COMMIT', q{SELECT 'idle'}));
like($err, qr/ERROR: .*"created_at": .*\n.*its fix failed: column "created_at" of relation "bare" contains null values/s, 'fix: a failure is refused');
is($out, 'idle', 'fix: and ends the transaction');
unlike($err, qr/aborted/, 'fix: it is over');

# Deferred triggers that do DDL are judged after them; nothing is said twice
$node->safe_psql('postgres', 'CREATE FUNCTION build() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN EXECUTE $$' . $bare . '$$; RETURN NULL; END $f$;' .
	'CREATE CONSTRAINT TRIGGER build AFTER INSERT ON parents DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION build()');
($out, $err) = run_sql(sql('BEGIN', 'INSERT INTO parents DEFAULT VALUES', 'COMMIT', q{SELECT 'idle'}));
like($err, qr/ERROR:  table "public.bare" breaks 2 schema conventions/, 'deferred: DDL in a deferred trigger is judged');
is($out, 'idle', 'deferred: the transaction is over');
($out, $err) = run_sql(q{SET dbkit.rule_levels = 'rls_enabled=warning';} .
	sql('BEGIN', good_table('other', 'oth'), 'ALTER TABLE other DISABLE ROW LEVEL SECURITY', 'INSERT INTO parents DEFAULT VALUES', 'COMMIT'));
like($err, qr/ERROR:  table "public.bare" breaks the schema convention "updated_at_trigger"/, 'deferred: judged beside what came before');
is(scalar(() = $err =~ /WARNING:  table "public.other"/g), 1, 'deferred: a warning is sent once');
like($err, qr/WARNING:  table "public.bare"/, 'deferred: and that of the new table too');
# a trigger that repairs what was refused
$node->safe_psql('postgres', q{CREATE OR REPLACE FUNCTION build() RETURNS trigger LANGUAGE plpgsql AS $f$
	BEGIN ALTER TABLE other ENABLE ROW LEVEL SECURITY; RETURN NULL; END $f$});
($out, $err) = run_sql(sql('BEGIN', good_table('other', 'oth'), 'ALTER TABLE other DISABLE ROW LEVEL SECURITY', 'INSERT INTO parents DEFAULT VALUES', 'COMMIT'));
is($err, '', 'deferred: what is right at the end passes');
$node->safe_psql('postgres', 'DROP TABLE other; DROP TRIGGER build ON parents');

# Autocommit, DO, procedures that commit
($out, $err) = run_sql($bare);
like($err, qr/ERROR:  table "public.bare" breaks 2 schema conventions/, 'autocommit: refused');
($out, $err) = run_sql('DO $d$ BEGIN EXECUTE $$' . $bare . '$$; COMMIT; END $d$');
like($err, qr/ERROR:  table "public.bare" breaks 2 schema conventions/, 'a procedure that commits: refused');
($out, $err) = run_sql($fix . 'DO $d$ BEGIN EXECUTE $$' . $bare . '$$; COMMIT; END $d$');
like($err, qr/NOTICE:  fixed the schema convention "rls_enabled"/, 'a procedure that commits: fixed');
($out, $err) = run_sql($fix . 'DROP TABLE bare;' . "$bare;");
like($err, qr/NOTICE:  fixed the schema convention "rls_enabled"/, 'autocommit: fixed');
$node->safe_psql('postgres', 'DROP TABLE bare');

# A transaction that has failed is not judged
($out, $err) = run_sql(sql('BEGIN', $bare, 'SELECT 1/0', 'COMMIT', q{SELECT 'idle'}));
unlike($err, qr/schema convention/, 'a failed transaction is not judged');

# statement_timeout counts while the block is judged
$node->safe_psql('postgres', q{SET dbkit.enforce = off; CREATE DOMAIN moment AS timestamptz NOT NULL DEFAULT now();
	CREATE TABLE c (id text COLLATE "C" PRIMARY KEY, created_at moment)});
my $holder = $node->background_psql('postgres');
$holder->query_safe('BEGIN; LOCK TABLE c IN ROW EXCLUSIVE MODE');
($out, $err) = run_sql(sql(q{SET dbkit.rule_levels = 'created_at=fix'}, 'BEGIN', 'ALTER DOMAIN moment DROP DEFAULT', q{SET statement_timeout = '300ms'}, 'SAVEPOINT a', 'COMMIT', 'RESET statement_timeout', q{SELECT 'idle'}));
like($err, qr/ERROR:  canceling statement due to statement timeout/, 'statement_timeout counts at COMMIT');
is($out, 'idle', 'and the transaction is over');
unlike($err, qr/aborted/, 'without ROLLBACK');
$holder->query_safe('ROLLBACK');
$holder->quit;
is($node->safe_psql('postgres', q{SELECT typdefault IS NOT NULL FROM pg_type WHERE typname = 'moment'}), 't', 'it was rolled back');

# What was there before is known in every isolation level, also of other sessions
for my $level ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE')
{
	my $late = $node->background_psql('postgres', on_error_stop => 0);
	$late->query_safe("BEGIN ISOLATION LEVEL $level; SELECT count(*) FROM parents");
	$node->safe_psql('postgres', 'SET dbkit.enforce = off; CREATE TABLE legacy (id integer PRIMARY KEY)');
	my ($said) = $late->query(q{ALTER TABLE legacy ADD note text; COMMIT; SELECT 'through' WHERE EXISTS (SELECT FROM pg_attribute WHERE attname = 'note')});
	like($said, qr/through/, "$level: a table that came later was there before");
	$late->quit;
	$node->safe_psql('postgres', 'DROP TABLE legacy');
}

$node->stop;
done_testing();
