# The extension dbkit_test comes through dump and restore, and goes without dbkit.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
my $dump = PostgreSQL::Test::Utils::tempdir . '/dump.sql';

$node->safe_psql('postgres', $_) for 'CREATE DATABASE source', 'CREATE DATABASE target';
$node->safe_psql('source', q{
	CREATE EXTENSION dbkit_test CASCADE;
	SET dbkit.enforce = off;
	CREATE TABLE authors (id text PRIMARY KEY DEFAULT generate_id('aut'), name text NOT NULL);
	CREATE TABLE books (id text PRIMARY KEY DEFAULT generate_id('boo'), author_id text NOT NULL REFERENCES authors);
});
is($node->safe_psql('source', 'SELECT count(*) FROM dbkit.make_many(NULL::books, 3)'), 3, 'rows are made');
$node->command_ok([ 'pg_dump', '-f', $dump, '-d', 'source' ], 'pg_dump');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', 'target' ], 'the dump can be loaded');
is($node->safe_psql('target', 'SELECT count(*) FROM books'), 3, 'the rows are there');
is($node->safe_psql('target', 'SELECT count(*) FROM dbkit.make(NULL::books)'), 1, 'and one more is made');
my ($status, undef, $stderr) = $node->psql('target', 'DROP EXTENSION dbkit');
like($stderr, qr/extension dbkit_test depends on extension dbkit/, 'dbkit does not go alone');
$node->safe_psql('target', 'DROP EXTENSION dbkit_test');
is($node->safe_psql('target', q{SELECT count(*) FROM pg_proc WHERE pronamespace = 'dbkit'::regnamespace AND proname LIKE 'make%'}), 0, 'dbkit_test does');
is($node->safe_psql('target', 'SELECT count(*) FROM dbkit.check() LIMIT 1') > 0, 1, 'and dbkit works without it');
done_testing();
