# Run commands of every kind and hold what the probe rules said of them against what
# dbkit.check() says before and after.

use strict;
use warnings;
use Test::More;
use IPC::Run qw(run);

my @facts = qw(object columns key prefix foreign_keys unvalidated indexes triggers policies row_security comments parents grants sources);

sub psql
{
	my ($sql, $verbosity) = @_;
	my ($out, $err) = ('', '');
	run [ 'psql', '-qXAtd', 'dbkit', '-v', 'ON_ERROR_STOP=1', '-f', '-' ], \$sql, \$out, \$err;
	return ($out, $err);
}

# What dbkit.check() says now: rule and object, and the problem.
sub state_now
{
	my ($out, $err) = psql(q{SELECT rule, object_identity, problem FROM dbkit.check() WHERE rule ~ '^probe_'});
	die $err if $err;
	return map { my ($rule, $object, $problem) = split /\|/, $_, 3; ("$rule $object" => $problem) } split /\n/, $out;
}

# Test that all rules spoke whose facts a command changed.
sub probe
{
	my ($sql) = @_;
	my %before = state_now();
	my ($out, $err) = psql($sql);
	my %after = state_now();
	my @silent;

	# What an object was under its old name, and a partition as a table, is not new.
	my %was = map { (split / /)[0] . " $before{$_}" => 1 } grep { !exists $after{$_} } keys %before;
	my $detached = $sql =~ /DETACH PARTITION (\S+)/ ? "public.$1" : '';

	return fail($sql) || diag($err) if $err =~ /ERROR/;
	for my $key (sort keys %after)
	{
		my ($rule, $object) = split / /, $key, 2;
		my $plain = $object =~ s/"//gr;
		$plain =~ s/\(.*//;
		next if defined $before{$key} && $before{$key} eq $after{$key};
		next if $was{"$rule $after{$key}"} || $object eq $detached;
		push @silent, $key unless grep { /^(DETAIL:  )?([\w ]+ "\Q$plain\E[^"]*": )?\Q$rule\E: / } split /\n/, $err;
	}
	ok(!@silent, $sql) or diag("nothing said of: ", join(', ', @silent), "\n$err");
}

psql(q{ALTER DATABASE dbkit SET dbkit.enforce = on});
psql(q{SELECT format('ALTER DATABASE dbkit SET dbkit.rule_levels = %L', string_agg(id || '=off', ',')) FROM dbkit.rules WHERE id !~ '^probe_' \gexec});

while (my $line = <DATA>)
{
	chomp $line;
	next if $line eq '' || $line =~ /^#/;
	probe($line);
}

# A rule that asks for what its row does not name is told so at once.
my ($out, $err) = psql(q{CREATE TABLE unnamed (n bigint)});
like($err, qr/not among those that the row of the rule names/, 'a rule cannot read what its row does not name');

done_testing();

__DATA__
CREATE TABLE one (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('one') CHECK (id LIKE 'one_%'), n bigint, t text)
CREATE TABLE two (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('two') CHECK (id LIKE 'two_%'), one_id text COLLATE "C" REFERENCES one, n bigint NOT NULL)
ALTER TABLE one ADD m bigint
ALTER TABLE one ALTER m TYPE text
ALTER TABLE one ALTER m TYPE varchar(10)
ALTER TABLE one ALTER m TYPE varchar(20)
ALTER TABLE one ALTER m SET DEFAULT 'x'
ALTER TABLE one ALTER m SET NOT NULL
ALTER TABLE one ALTER m DROP NOT NULL
ALTER TABLE one ALTER m DROP DEFAULT
ALTER TABLE one RENAME m TO mm
ALTER TABLE one DROP mm
ALTER TABLE one ADD g bigint GENERATED ALWAYS AS IDENTITY
ALTER TABLE one ALTER g DROP IDENTITY
ALTER TABLE one DROP CONSTRAINT one_id_check
ALTER TABLE one ADD CONSTRAINT pinned CHECK (id LIKE 'one_%') NOT VALID
ALTER TABLE one VALIDATE CONSTRAINT pinned
ALTER TABLE two DROP CONSTRAINT two_pkey
ALTER TABLE two ADD PRIMARY KEY (id, n)
ALTER TABLE two DROP CONSTRAINT two_one_id_fkey
ALTER TABLE two ADD FOREIGN KEY (one_id) REFERENCES one ON DELETE CASCADE NOT VALID
ALTER TABLE two ADD CONSTRAINT twice FOREIGN KEY (one_id) REFERENCES one
ALTER TABLE one DROP CONSTRAINT one_pkey CASCADE
ALTER TABLE one ADD PRIMARY KEY (id)
ALTER TABLE two ADD CONSTRAINT again FOREIGN KEY (one_id) REFERENCES one
CREATE INDEX two_n ON two (n)
CREATE INDEX CONCURRENTLY two_n2 ON two (n)
ALTER TABLE two ADD CONSTRAINT u UNIQUE (n)
CREATE UNIQUE INDEX two_u2 ON two (id)
ALTER TABLE two REPLICA IDENTITY USING INDEX two_u2
ALTER TABLE two ADD CONSTRAINT u2 UNIQUE USING INDEX two_u2
DROP INDEX two_n
DROP INDEX CONCURRENTLY two_n2
ALTER TABLE two DROP CONSTRAINT u
CREATE TRIGGER touch BEFORE UPDATE ON one FOR EACH ROW EXECUTE FUNCTION updated_at('t')
CREATE OR REPLACE TRIGGER touch BEFORE UPDATE ON one FOR EACH ROW WHEN (false) EXECUTE FUNCTION updated_at('t')
CREATE CONSTRAINT TRIGGER later AFTER UPDATE ON one DEFERRABLE FOR EACH ROW EXECUTE FUNCTION updated_at()
CREATE TRIGGER "RI_ConstraintTrigger_mine" BEFORE UPDATE ON one FOR EACH ROW EXECUTE FUNCTION updated_at('t')
ALTER TABLE one DISABLE TRIGGER touch
ALTER TABLE one ENABLE REPLICA TRIGGER touch
ALTER TABLE one ENABLE ALWAYS TRIGGER touch
ALTER TABLE one DISABLE TRIGGER USER
ALTER TABLE one ENABLE TRIGGER ALL
ALTER TRIGGER touch ON one RENAME TO touched
DROP TRIGGER touched ON one
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'
CREATE TRIGGER stamp BEFORE UPDATE ON one FOR EACH ROW EXECUTE FUNCTION stamp()
DROP FUNCTION stamp() CASCADE
ALTER TABLE one ENABLE ROW LEVEL SECURITY
ALTER TABLE one FORCE ROW LEVEL SECURITY
ALTER TABLE one NO FORCE ROW LEVEL SECURITY
ALTER TABLE one DISABLE ROW LEVEL SECURITY
CREATE POLICY own ON one USING (id = 'x')
ALTER POLICY own ON one USING (id <> 'x' AND n > 0)
ALTER POLICY own ON one RENAME TO theirs
CREATE FUNCTION mine(text) RETURNS boolean LANGUAGE sql RETURN true
CREATE POLICY mine ON one USING (mine(id))
DROP FUNCTION mine(text) CASCADE
DROP POLICY theirs ON one
COMMENT ON COLUMN one.n IS 'a number'
COMMENT ON COLUMN one.n IS NULL
COMMENT ON COLUMN one.n IS 'again'
COMMENT ON COLUMN one.n IS ''
COMMENT ON TABLE one IS 'the first'
COMMENT ON TABLE one IS NULL
ALTER TABLE one RENAME TO uno
ALTER TABLE uno RENAME TO one_enum
ALTER TABLE one_enum RENAME TO one
CREATE SCHEMA other
ALTER TABLE one SET SCHEMA other
ALTER SCHEMA other RENAME TO another
ALTER TABLE another.one SET SCHEMA public
CREATE TYPE pair AS (a bigint, b bigint)
CREATE TABLE pairs OF pair
ALTER TYPE pair ADD ATTRIBUTE c bigint CASCADE
ALTER TYPE pair RENAME ATTRIBUTE c TO d CASCADE
ALTER TYPE pair DROP ATTRIBUTE d CASCADE
ALTER TABLE pairs NOT OF
CREATE DOMAIN number AS bigint
ALTER TABLE one ADD o number
ALTER DOMAIN number SET NOT NULL
ALTER DOMAIN number ADD CHECK (VALUE > 0)
DROP DOMAIN number CASCADE
CREATE TABLE child () INHERITS (one)
ALTER TABLE one ADD p bigint
ALTER TABLE one RENAME p TO pp
ALTER TABLE one DROP pp
ALTER TABLE child NO INHERIT one
ALTER TABLE child INHERIT one
CREATE TABLE parts (id text COLLATE "C", n bigint, PRIMARY KEY (id, n)) PARTITION BY LIST (n)
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1)
ALTER TABLE parts ADD x text
ALTER TABLE parts DETACH PARTITION parts_1
ALTER TABLE parts ATTACH PARTITION parts_1 FOR VALUES IN (1)
ALTER TABLE parts DETACH PARTITION parts_1 CONCURRENTLY
CREATE INDEX parts_x ON ONLY parts (x)
CREATE INDEX parts_1_x ON parts_1 (x)
ALTER TABLE parts ATTACH PARTITION parts_1 FOR VALUES IN (1)
ALTER INDEX parts_x ATTACH PARTITION parts_1_x
CREATE VIEW seen WITH (security_invoker = true) AS SELECT n FROM one
CREATE OR REPLACE VIEW seen AS SELECT n FROM one
ALTER VIEW seen SET (security_invoker = true)
ALTER VIEW seen RESET (security_invoker)
ALTER VIEW seen RENAME TO sight
CREATE MATERIALIZED VIEW stored AS SELECT n FROM sight
CREATE VIEW restored AS SELECT n FROM stored
REFRESH MATERIALIZED VIEW stored
GRANT SELECT ON stored TO PUBLIC
GRANT SELECT (n) ON restored TO PUBLIC
REVOKE SELECT ON stored FROM PUBLIC
GRANT INSERT ON one, sight TO PUBLIC
GRANT UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO PUBLIC
ALTER TABLE one ENABLE ROW LEVEL SECURITY
ALTER TABLE one FORCE ROW LEVEL SECURITY
ALTER VIEW sight SET (security_invoker = true)
ALTER TABLE one ADD COLUMN added bigint, NO FORCE ROW LEVEL SECURITY
ALTER TABLE one DISABLE ROW LEVEL SECURITY
CREATE OR REPLACE VIEW sight AS SELECT n FROM parts
ALTER TABLE parts ENABLE ROW LEVEL SECURITY
ALTER MATERIALIZED VIEW stored RENAME TO stores
ALTER MATERIALIZED VIEW stores SET SCHEMA another
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2, 3) PARTITION BY LIST (n)
CREATE TABLE parts_2_2 PARTITION OF parts_2 FOR VALUES IN (2)
ALTER TABLE parts FORCE ROW LEVEL SECURITY
ALTER TABLE parts_2 DISABLE ROW LEVEL SECURITY
ALTER TABLE parts NO FORCE ROW LEVEL SECURITY
CREATE POLICY passed ON parts USING (n > 0)
DROP POLICY passed ON parts
ALTER TABLE parts_2 RENAME TO parts_two
GRANT SELECT ON parts_2_2 TO PUBLIC
ALTER TABLE parts DETACH PARTITION parts_two
ALTER TABLE parts ATTACH PARTITION parts_two FOR VALUES IN (2, 3)
CREATE ROLE probe_owner
CREATE ROLE probe_member IN ROLE probe_owner
ALTER TABLE parts_1 OWNER TO probe_owner
ALTER TABLE parts OWNER TO probe_owner
ALTER TABLE child ENABLE ROW LEVEL SECURITY
CREATE TABLE grandchild () INHERITS (child)
ALTER TABLE child NO INHERIT one
ALTER TABLE grandchild INHERIT one
BEGIN; ALTER TABLE parts ADD y text; SAVEPOINT s; ALTER TABLE parts DISABLE ROW LEVEL SECURITY; ROLLBACK TO s; REVOKE SELECT ON parts_2_2 FROM PUBLIC; COMMIT
CREATE TYPE mood AS ENUM ('ok')
ALTER TYPE mood RENAME TO moods
ALTER TYPE moods SET SCHEMA another
CREATE FUNCTION risky() RETURNS bigint LANGUAGE sql SECURITY DEFINER RETURN 1
ALTER FUNCTION risky() SET search_path = pg_catalog
ALTER FUNCTION risky() RENAME TO bold
ALTER FUNCTION bold() SET SCHEMA another
CREATE FUNCTION plain() RETURNS bigint LANGUAGE sql AS 'SELECT 1'
ALTER FUNCTION plain() SET search_path = pg_catalog
ALTER FUNCTION plain() RESET ALL
CREATE OR REPLACE FUNCTION plain() RETURNS bigint LANGUAGE sql RETURN 1
CREATE OR REPLACE FUNCTION plain() RETURNS bigint LANGUAGE sql SET search_path = '' AS 'SELECT 1'
CREATE PROCEDURE plain_procedure() LANGUAGE plpgsql AS 'BEGIN END'
CREATE AGGREGATE sums(bigint) (SFUNC = int8pl, STYPE = bigint)
CREATE TABLE copy AS SELECT * FROM one
CREATE TABLE like_it (LIKE one INCLUDING ALL)
SELECT n INTO chosen FROM one
CREATE SCHEMA third CREATE TABLE t (n bigint) CREATE VIEW v AS SELECT n FROM t
BEGIN; ALTER TABLE third.t ADD a bigint; SAVEPOINT s; ALTER TABLE third.t ADD b bigint; CREATE POLICY own ON third.t USING (true); ROLLBACK TO s; ALTER TABLE third.t ENABLE ROW LEVEL SECURITY; COMMIT
DO $$BEGIN BEGIN CREATE POLICY own ON third.t USING (true); EXCEPTION WHEN division_by_zero THEN NULL; END; END$$
DROP TABLE one CASCADE
