# What happens while the event triggers do not fire: dbkit.check() tells what the
# prefix registry missed, its fixes make good for it, and where the library is
# gone, DDL fails until the owner of the database disables them.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Conforming qw(good_table);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

# A table that conforms, but for its prefix perhaps
sub table
{
	my ($name, $prefix) = @_;
	return join '; ', 'BEGIN', good_table($name, $prefix), 'COMMIT;';
}

# Give what a statement has to say, with the SQLSTATE alone where it fails.
sub says
{
	my ($sql) = @_;
	my ($status, $stdout, $stderr) = $node->psql('postgres', "\\set VERBOSITY sqlstate\n$sql");
	return join "\n", grep { length } $stdout, $stderr =~ s/^psql:<stdin>:\d+: //mgr;
}

sub switch
{
	my ($how) = @_;
	return join '', map { "ALTER EVENT TRIGGER $_ $how;" } qw(dbkit_ddl_command_start dbkit_ddl_command_end dbkit_sql_drop dbkit_table_rewrite);
}

my $registry = 'SELECT prefix, relation::regclass, contested FROM dbkit.id_prefix ORDER BY prefix';
my $check = 'SELECT rule, object_identity, problem, fix FROM dbkit.check()';
my $mend = 'SELECT fix FROM dbkit.check() WHERE fix IS NOT NULL \gexec';

# Tables that are older than the extension
$node->safe_psql('postgres', q{
	CREATE TABLE zulu (id text PRIMARY KEY CHECK (id LIKE 'old_%'));
	CREATE TABLE alpha (id text PRIMARY KEY CHECK (starts_with(id, 'old_')));
	CREATE TABLE other (id text PRIMARY KEY CHECK (id LIKE 'oth_%'));
	CREATE VIEW no_table AS SELECT 1 AS id;
	CREATE TABLE no_id (n int);
	CREATE EXTENSION dbkit;
	SELECT dbkit.agree('{"preset": "house"}')});
is(says($registry), "old|zulu|t\noth|other|f", 'a table that is older than the extension has its prefix');
is(says("SELECT problem FROM dbkit.check('alpha') WHERE rule = 'id_prefix'"),
	'prefix "old" belongs to table "public.zulu"; use another, such as "alp"', 'and another one does not share it');
like(says(table('late', 'oth')), qr/^ERROR:  KD001$/m, 'nor can a new one');
$node->safe_psql('postgres', 'DROP TABLE zulu, alpha, other, no_id; DROP VIEW no_table');

# Tables that come while the event triggers do not fire, in two ways
$node->safe_psql('postgres', table('kept', 'kep') . table('gone', 'gon') . table('moved', 'mov'));
$node->safe_psql('postgres', switch('DISABLE')
	  . table('one', 'dup')
	  . 'CREATE TABLE bad (n int); DROP TABLE bad, gone;'
	  . q{ALTER TABLE moved DROP CONSTRAINT moved_id_check, ALTER id SET DEFAULT generate_id('mvd'), ADD CHECK (id LIKE 'mvd_%');}
	  . switch('ENABLE'));
$node->safe_psql('postgres', 'SET session_replication_role = replica;' . table('two', 'dup') . table('three', 'thr'));
is(says($check), join("\n", map {
		my ($table, $prefix) = @$_;
		qq{id_prefix|public.$table|prefix "$prefix" is not in the registry, so that another table could have it; use dbkit.register_prefix()|SELECT dbkit.register_prefix('public.$table');}
	} [ 'moved', 'mvd' ], [ 'one', 'dup' ], [ 'three', 'thr' ], [ 'two', 'dup' ]),
	'dbkit.check() tells which tables the registry lacks');
like(says($mend), qr/^\n*$/, 'the fixes of dbkit.check() run');
is(says($check), 'id_prefix|public.two|prefix "dup" belongs to table "public.one"; use another, such as "two"|',
	'and then it tells which of them share a prefix');
is(says("DELETE FROM dbkit.id_prefix WHERE prefix = 'gon'; $registry"),
	"dup|one|t\nkep|kept|f\nmvd|moved|f\nthr|three|f", 'the registry is up to date');
is(says('SELECT dbkit.table_of(generate_id($$mvd$$)), dbkit.table_of(generate_id($$mov$$))'), 'moved|', 'and tells whose an id is');
is(says('DROP TABLE one; ' . $registry . ';' . $check), "dup|two|t\nkep|kept|f\nmvd|moved|f\nthr|three|f",
	'the other table with the prefix inherits it');

# A holder that was dropped unseen is in nobody's way
$node->safe_psql('postgres', 'SET session_replication_role = replica; DROP TABLE three');
is(says(table('heir', 'thr') . $registry), "dup|two|t\nkep|kept|f\nmvd|moved|f\nthr|heir|f",
	'a prefix whose table was dropped unseen is free');

# A table that is gone, and a read-only transaction
is(says('SELECT dbkit.register_prefix(1)'), '', 'no such table, and no prefix');
is(says('BEGIN READ ONLY; SELECT dbkit.register_prefix($$kept$$)'), 'ERROR:  25006', 'a read-only transaction');
is(says('SELECT dbkit.register_prefix($$pg_class$$), dbkit.register_prefix($$kept_pkey$$), dbkit.register_prefix($$kept$$); ' . $registry),
	"||\ndup|two|t\nkep|kept|f\nmvd|moved|f\nthr|heir|f", 'what has no ids, or is registered, changes nothing');
$node->safe_psql('postgres', 'SET session_replication_role = replica;' . table('four', 'fou') . 'CREATE ROLE regress_nobody');
is(says('SET ROLE regress_nobody; SELECT dbkit.register_prefix($$four$$), dbkit.table_of(generate_id($$fou$$))'), '|four',
	'a role without privileges can register a table');

is(says('SET ROLE regress_nobody; INSERT INTO dbkit.id_prefix VALUES ($$x$$, 1, false)'), 'ERROR:  42501', 'nor write the registry');

# The library is gone: what the functions name does not exist
$node->safe_psql('postgres', q{UPDATE pg_proc SET probin = '$libdir/dbkit_gone' WHERE probin = '$libdir/dbkit'});
my ($status, $stdout, $stderr) = $node->psql('postgres', 'CREATE TABLE free (n int)');
like($stderr, qr{could not access file "(\$libdir/)?dbkit_gone"}, 'without its library, DDL fails');
like($node->safe_psql('postgres', 'SELECT count(*) FROM kept'), qr/^0$/, 'but queries run');
is(says(switch('DISABLE') . 'CREATE TABLE free (n int); DROP TABLE free; SELECT $$done$$'), 'done',
	'and DDL as well once the event triggers are disabled');
is(says('DROP TABLE kept, two, moved, heir, four; DROP EXTENSION dbkit; SELECT $$done$$'), 'done',
	'the extension can be dropped');
is(says('CREATE EXTENSION dbkit; CREATE TABLE bad (n int)'), 'ERROR:  KD001', 'and created when the library is back');

# The same without disabling anything first
$node->safe_psql('postgres', q{UPDATE pg_proc SET probin = '$libdir/dbkit_gone' WHERE probin = '$libdir/dbkit'});
is(says('DROP EXTENSION dbkit; CREATE TABLE free (n int); SELECT $$done$$'), 'done',
	'DROP EXTENSION alone gets out of it, too');

done_testing();
