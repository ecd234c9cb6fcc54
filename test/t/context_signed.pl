# Signed mode: what the key file must be, and every way to misuse a signature.

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256_hex);
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $directory = PostgreSQL::Test::Utils::tempdir;
my $key_file = "$directory/key";

# Write a file with a mode.
sub write_file
{
	my ($path, $content, $mode) = @_;
	open my $file, '>', $path or die "$path: $!";
	print $file $content;
	close $file;
	chmod $mode, $path or die "$path: $!";
}

my $key = '0123456789abcdef0123456789abcdef';
write_file($key_file, "$key\n", 0600);

# What an application does: netstrings of the five values, "-," for none.
write_file("$directory/sign", <<'SIGN', 0700);
use Digest::SHA qw(hmac_sha256_hex);
my $key = shift;
print hmac_sha256_hex(join('', map { $_ eq 'NULL' ? '-,' : length($_) . ":$_," } @ARGV), $key);
SIGN

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', qq{
shared_preload_libraries = 'dbkit'
dbkit.context_key_file = '$key_file'
log_statement = none
});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION dbkit');
$node->safe_psql('postgres', 'CREATE ROLE regress_app LOGIN; CREATE ROLE regress_other LOGIN; GRANT regress_other TO regress_app');
$node->safe_psql('postgres', 'CREATE DATABASE other TEMPLATE postgres');

# Run psql as an application that signs: \sign(role user organization) in the
# script becomes a nonce in :nonce and its signature in :signature.
sub app
{
	my ($sql, %with) = @_;
	my $database = $with{database} || 'postgres';
	my $role = $with{role} || 'regress_app';
	my $with_key = $with{key} || $key;
	$sql =~ s{\\sign\((\S+) (\S+) (\S+)\)}
		{SELECT dbkit.nonce() AS nonce \\gset\n\\set signature `perl $directory/sign $with_key $database $1 $2 $3 :nonce`\n}g;
	my ($out, $err) = ('', '');
	$node->psql($database, $sql, stdout => \$out, stderr => \$err,
		connstr => $node->connstr($database) . " user=$role", on_error_stop => 0);
	$out =~ s/^\n+//;
	return ($out, $err);
}

my $enter_a = q{SELECT dbkit.enter('usr_a', 'org_a', :'signature');};
my $who = q{SELECT dbkit.user_id(), dbkit.organization_id();};
my $invalid = qr/ERROR:  the signature of the tenant context is not valid/;
my ($out, $err);

# valid
($out, $err) = app("BEGIN; \\sign(regress_app usr_a org_a) $enter_a $who");
is($out, 'usr_a|org_a', 'a valid signature enters');
is($err, '', 'without complaint');
($out) = app("\\sign(regress_app usr_a org_a) BEGIN; $enter_a $who");
is($out, 'usr_a|org_a', 'the nonce may come from the transaction before');
($out) = app("\\sign(regress_app usr_a org_a) $enter_a $who");
is($out, '|', 'in autocommit the context ends with the statement');
($out) = app("\\sign(regress_app usr_a org_a) " . q{SELECT dbkit.enter('usr_a', 'org_a', :'signature') \; } . $who);
is($out, 'usr_a|org_a', 'and lasts for several sent as one');
($out) = app("BEGIN; \\sign(regress_app usr_a NULL) SELECT dbkit.enter('usr_a', NULL, :'signature'); $who");
is($out, 'usr_a|', 'NULL is signed as "-,"');
($out) = app("BEGIN; \\sign(regress_app usr_a org_a) DO \$\$ BEGIN PERFORM dbkit.nonce(); END \$\$; ROLLBACK; BEGIN; \\sign(regress_app usr_a org_a) $enter_a $who");
is($out, 'usr_a|org_a', 'a new nonce replaces the old');
($out) = app("SET ROLE regress_other; BEGIN; \\sign(regress_other usr_a org_a) $enter_a $who");
is($out, 'usr_a|org_a', 'the role is the one that SET ROLE made');
($out) = app(q{SET client_encoding = 'UTF8'; BEGIN; \sign(regress_app usr_é org_長) SELECT dbkit.enter('usr_é', 'org_長', :'signature');} . $who);
is($out, 'usr_é|org_長', 'values are signed as UTF-8');
($out) = app(q{\sign(regress_app usr_a org_a)
	SELECT set_config('my.signature', :'signature', false) IS NULL AS x \gset
	DO $$ BEGIN
		PERFORM dbkit.enter('usr_a', 'org_a', current_setting('my.signature'));
		ASSERT dbkit.organization_id() = 'org_a';
	END $$;
	SELECT 'done';});
is($out, 'done', 'in PL/pgSQL');

# none
($out, $err) = app("BEGIN; SELECT dbkit.enter('usr_a', 'org_a'); ROLLBACK; $who");
like($err, qr/ERROR:  the tenant context needs a signature/, 'without a signature');
is($out, '|', 'nothing is entered');
($out, $err) = app("\\set VERBOSITY sqlstate\nSELECT dbkit.enter('usr_a', 'org_a'); SELECT dbkit.enter('usr_a', 'org_a', NULL);
	SELECT dbkit.enter('usr_a', 'org_a', 'x'); SELECT dbkit.nonce(); SELECT dbkit.enter('usr_a', 'org_a', 'x');");
is(join(' ', $err =~ /ERROR:  (\w+)/g), '42501 42501 42501 42501', 'all are insufficient_privilege');
($out, $err) = app("SELECT dbkit.enter('usr_a', 'org_a', repeat('0', 64));");
like($err, qr/ERROR:  the signature has no nonce/, 'without a nonce');

# tampered
for my $wrong (
	[ 'truncated', q{left(:'signature', 63)} ],
	[ 'extended', q{:'signature' || '0'} ],
	[ 'extended by a space', q{:'signature' || ' '} ],
	[ 'with a bit flipped', q{overlay(:'signature' placing translate(left(:'signature', 1), '0123456789abcdef', '1032547698badcfe') from 1)} ],
	[ 'with the last bit flipped', q{left(:'signature', 63) || translate(right(:'signature', 1), '0123456789abcdef', '1032547698badcfe')} ],
	[ 'in upper case', q{upper(:'signature') || ''} ],
	[ 'empty', q{''} ],
	[ 'all zeros', q{repeat('0', 64)} ],
	[ 'long', q{repeat(:'signature', 1000)} ])
{
	($out, $err) = app("BEGIN; \\sign(regress_app usr_a org_a) SELECT dbkit.enter('usr_a', 'org_a', $wrong->[1]); ROLLBACK; $who");
	like($err, $invalid, "a signature that is $wrong->[0]");
	is($out, '|', 'enters nothing');
}

# for something else
for my $wrong (
	[ 'another user', 'regress_app usr_b org_a' ],
	[ 'another organization', 'regress_app usr_a org_b' ],
	[ 'another role', 'regress_other usr_a org_a' ],
	[ 'swapped values', 'regress_app org_a usr_a' ],
	[ 'no organization', 'regress_app usr_a NULL' ],
	[ 'the same letters cut elsewhere', 'regress_app usr_aorg _a' ])
{
	($out, $err) = app("\\sign($wrong->[1]) $enter_a $who");
	like($err, $invalid, "a signature for $wrong->[0]");
	is($out, '|', 'enters nothing');
}
($out, $err) = app("\\sign(regress_app usr_a org_a) $enter_a $who", key => 'f' x 32);
like($err, $invalid, 'a signature with another key');
($out, $err) = app("\\sign(regress_app usr_a org_a) SET ROLE regress_other; $enter_a $who");
like($err, $invalid, 'a signature of the role before SET ROLE');

# again: in the same transaction, in another, after a failure, in another backend, role and database
my $replay = qr/ERROR:  the signature has no nonce/;
($out, $err) = app("BEGIN; \\sign(regress_app usr_a org_a) $enter_a COMMIT; BEGIN; $enter_a ROLLBACK; $who");
like($err, $replay, 'a signature replayed in the next transaction');
is($out, '|', 'enters nothing');
($out, $err) = app("BEGIN; \\sign(regress_app usr_a org_a) $enter_a ROLLBACK; BEGIN; $enter_a ROLLBACK; $who");
like($err, $replay, 'a signature replayed after ROLLBACK');
($out, $err) = app("BEGIN; \\sign(regress_app usr_a org_a) SELECT dbkit.enter('usr_b', 'org_b', :'signature'); ROLLBACK; $enter_a $who");
like($err, $replay, 'a signature used after a failed attempt');
($out, $err) = app("BEGIN; SAVEPOINT s; \\sign(regress_app usr_a org_a) $enter_a ROLLBACK; BEGIN; $enter_a ROLLBACK; $who");
like($err, qr/subtransaction.*$replay/s, 'a signature used after an attempt in a savepoint');
($out, $err) = app("BEGIN; \\sign(regress_app usr_a org_a) $enter_a \\sign(regress_app usr_b org_b) SELECT dbkit.enter('usr_b', 'org_b', :'signature'); ROLLBACK;
	BEGIN; SELECT dbkit.enter('usr_b', 'org_b', :'signature'); ROLLBACK; $who");
like($err, qr/already entered.*$replay/s, 'a signature used after an attempt to enter twice');
for my $elsewhere ([ 'backend' ], [ 'role', role => 'regress_other' ], [ 'database', database => 'other' ])
{
	my ($what, %where) = @$elsewhere;
	($out) = app("\\sign(regress_app usr_a org_a)\n\\echo :signature");
	like($out, qr/^[0-9a-f]{64}$/, 'a signature that was not used');
	($out, $err) = app("SELECT dbkit.nonce() IS NULL AS x \\gset\nSELECT dbkit.enter('usr_a', 'org_a', '$out'); $who", %where);
	like($err, $invalid, "is worth nothing in another $what");
}
($out, $err) = app("BEGIN; \\sign(regress_app usr_a org_a) $enter_a COMMIT \\; BEGIN \\; SELECT dbkit.enter('usr_b', 'org_b');\n ROLLBACK; $who");
like($err, qr/needs a signature/, 'COMMIT; BEGIN; enter');

# What one request leaves on the connection to the next.  Each script is the
# attacker's, who has the role but not the key, and then the next request.
$node->safe_psql('postgres', q{
	SET dbkit.enforce = off;
	CREATE TABLE documents (organization_id text COLLATE "C" DEFAULT dbkit.organization_id(), secret text);
	SELECT dbkit.protect('documents', role => 'regress_app');
	CREATE TABLE notes (id bigserial, note text);
	CREATE TABLE loot (what text);
	GRANT ALL ON documents, notes, loot, notes_id_seq TO regress_app;
	REVOKE TRIGGER ON documents FROM regress_app;
	CREATE SCHEMA elsewhere;
	GRANT USAGE ON SCHEMA elsewhere TO regress_app;
	CREATE FUNCTION enter(text, text, text) RETURNS text SET search_path = pg_catalog, pg_temp LANGUAGE plpgsql
		AS $$ BEGIN PERFORM dbkit.enter($1, $2, $3); RETURN dbkit.organization_id(); END $$;
	CREATE FUNCTION pass(statement text) RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE statement; END';
	CREATE ROLE regress_manager LOGIN CREATEROLE;
});
my $enter = "\\sign(regress_app usr_a org_a) $enter_a";
my $signed = 'is not allowed where tenant contexts are signed';

# statements that reach into later requests are refused at any time, however they come
for my $statement (
	q{PREPARE s_enter(text, text, text) AS SELECT pg_notify('loot', $1 || $2 || $3)},
	q{ALTER ROLE CURRENT_USER SET search_path = elsewhere}, q{ALTER ROLE regress_app SET standard_conforming_strings = off},
	q{ALTER ROLE regress_app RESET ALL}, q{ALTER USER regress_app IN DATABASE postgres SET work_mem = '1MB'},
	q{ALTER ROLE regress_app PASSWORD 'known'}, q{ALTER USER CURRENT_USER PASSWORD NULL})
{
	my ($what) = $statement =~ /^(\S+(?: ROLE| USER)?)/;
	$what =~ s/USER/ROLE/;
	for my $way ($statement, "SELECT pass(\$\$$statement\$\$)", "DO \$do\$ BEGIN EXECUTE \$\$$statement\$\$; END \$do\$", "COMMIT \\; $statement \\; BEGIN")
	{
		($out, $err) = app("$way;");
		like($err, qr/ERROR:  $what.* $signed/, "refused: $way");
	}
	($out, $err) = app("BEGIN; $enter $statement;");
	like($err, qr/ERROR:  $what.* is not allowed while a tenant context is entered/, "in a context: $statement");
}
($out) = app(q{PREPARE own AS SELECT 'prepared'; EXECUTE own}, role => $node->safe_psql('postgres', 'SELECT current_user'));
is($out, 'prepared', 'a superuser may PREPARE');
($out, $err) = app(q{ALTER ROLE regress_manager SET work_mem = '1MB'; ALTER ROLE regress_manager PASSWORD 'x'}, role => 'regress_manager');
is($err, '', 'who manages roles may ALTER ROLE');
($out, $err) = app(q{PREPARE own AS SELECT 1}, role => 'regress_manager');
like($err, qr/ERROR:  PREPARE $signed/, 'and not PREPARE');
for my $statement ('DEALLOCATE ALL', 'DEALLOCATE s', 'DISCARD ALL', 'DISCARD PLANS')
{
	($out, $err) = app("$statement;");
	unlike($err, qr/not allowed/, "out of a context $statement is not refused");
	($out, $err) = app("BEGIN; $enter $statement;");
	like($err, qr/ERROR:  (DEALLOCATE|DISCARD) is not allowed while a tenant context is entered/, "in a context $statement is");
}

# a driver's named statement, which pgbench prepares by the protocol, is not to be replaced
my ($replaced, $refusal) = ('', '');
write_file("$directory/replace.sql", <<'SQL', 0600);
SELECT dbkit.nonce();
DO $$
DECLARE name text := (SELECT p.name FROM pg_prepared_statements p WHERE statement LIKE 'SELECT dbkit.nonce%');
BEGIN
	EXECUTE format('DEALLOCATE %I', name);
	EXECUTE format('PREPARE %I AS INSERT INTO loot VALUES (''a statement of the next request'')', name);
END $$;
SQL
IPC::Run::run([ 'pgbench', '-n', '-t', 2, '-M', 'prepared', '-f', "$directory/replace.sql", '-U', 'regress_app', '-d', $node->connstr('postgres') ],
	'>', \$replaced, '2>', \$refusal);
like($refusal, qr/ERROR:  PREPARE $signed/, "a driver's statement cannot be replaced");
is($node->safe_psql('postgres', 'TABLE loot'), '', 'nor did it run');

# enter refuses to go on where settings that change what SQL means have been changed
for my $change ('SET search_path = elsewhere', q{SELECT set_config('search_path', 'elsewhere', false)},
	q{UPDATE pg_settings SET setting = 'elsewhere' WHERE name = 'search_path'}, 'SET standard_conforming_strings = off',
	'COMMIT; BEGIN; SET LOCAL search_path = elsewhere', 'BEGIN; SET standard_conforming_strings = off',
	'BEGIN; SAVEPOINT s; SET LOCAL search_path = elsewhere; RELEASE s')
{
	($out, $err) = app("$change; BEGIN; $enter $who");
	like($err, qr/ERROR:  parameter "(search_path|standard_conforming_strings)" has changed since the session began/, "refused after: $change");
	unlike($out, qr/org_a/, 'and nothing is entered');
}
for my $harmless ('SET search_path = elsewhere; RESET search_path', 'SET search_path = elsewhere; DISCARD ALL', 'SET standard_conforming_strings = on',
	'BEGIN; SET LOCAL search_path = elsewhere; ROLLBACK')
{
	($out, $err) = app("$harmless; BEGIN; $enter SET LOCAL search_path = elsewhere; $who");
	is($out, 'usr_a|org_a', "enters after: $harmless") or diag $err;
}
($out, $err) = app(q{BEGIN; \sign(regress_app usr_a org_a) SELECT enter('usr_a', 'org_a', :'signature');});
is($out, 'org_a', 'enters in a function with a search_path of its own') or diag $err;
($out, $err) = app(q{SET search_path = public; BEGIN; \sign(regress_app usr_a org_a) SELECT enter('usr_a', 'org_a', :'signature');});
like($err, qr/ERROR:  parameter "search_path" has changed/, 'which hides no change of the session');
{
	local $ENV{PGOPTIONS} = '-c search_path=elsewhere';
	($out) = app("BEGIN; $enter $who");
	is($out, 'usr_a|org_a', "enters with a search_path of the connection's options");
}
$node->safe_psql('postgres', 'ALTER ROLE regress_app SET search_path = elsewhere, public');
($out) = app("BEGIN; $enter $who");
is($out, 'usr_a|org_a', 'and with one of the role');
$node->safe_psql('postgres', 'ALTER ROLE regress_app RESET ALL');

# what PostgreSQL refuses to any such role
for my $denied (
	[ 'SET SESSION AUTHORIZATION regress_other', 'permission denied to set session authorization' ],
	[ 'SET session_replication_role = replica', 'permission denied to set parameter' ],
	[ q{LOAD '/tmp/x'}, 'access to library "/tmp/x" is not allowed' ],
	[ q{COPY loot FROM PROGRAM 'true'}, '(must be superuser|permission denied).* to COPY' ],
	[ q{CREATE FUNCTION documents() RETURNS text LANGUAGE sql AS 'SELECT 1'}, 'permission denied for schema public' ],
	[ q{CREATE FUNCTION dbkit.enter(unknown, unknown, unknown) RETURNS text LANGUAGE sql AS 'SELECT 1'}, 'permission denied for schema dbkit' ],
	[ q{CREATE TRIGGER t BEFORE INSERT ON documents EXECUTE FUNCTION suppress_redundant_updates_trigger()}, 'permission denied for table documents' ],
	[ q{CREATE SCHEMA own}, 'permission denied for database' ],
	[ q{CREATE RULE r AS ON INSERT TO documents DO INSTEAD NOTHING}, 'must be owner' ],
	[ q{ALTER DATABASE postgres SET search_path = elsewhere}, 'must be owner' ],
	[ q{SET dbkit.context_key_file = ''}, 'parameter "dbkit.context_key_file" cannot be changed now' ])
{
	($out, $err) = app("$denied->[0];");
	like($err, qr/ERROR:  $denied->[1]/, "denied: $denied->[0]");
}
($out, $err) = app("SET ROLE regress_other; BEGIN; $enter");
like($err, $invalid, 'after SET ROLE the signature is not valid');

# what stays, and what closes it: the attack, the next request, what it gives
my $reset = 'DISCARD ALL;';
my $piecemeal = 'CLOSE ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES; RESET ALL;';
my $no_temporary = q{REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC};
my $temporary = 'CREATE TEMP TABLE documents (secret text);';
my $insert = "BEGIN; $enter INSERT INTO documents (secret) VALUES ('of the next'); COMMIT; SELECT * FROM pg_temp.documents;";
my @leavings = (
	[ 'a temporary table', $temporary, $insert, qr/^of the next$/, qr/^$/ ],
	[ 'LISTEN', 'LISTEN a;', "BEGIN; $enter NOTIFY a, 'for the next'; COMMIT;", qr/payload "for the next"/, qr/^$/ ],
	[ 'an advisory lock', 'SELECT pg_advisory_lock(1);', 'SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = $$advisory$$;', qr/1$/, qr/0$/ ],
	[ 'the value of a sequence', "BEGIN; $enter INSERT INTO notes (note) VALUES ('secret'); COMMIT;", 'SELECT lastval() > 0;', qr/^t$/, qr/^$/ ],
	[ 'another setting', "SET DateStyle = 'German';", "BEGIN; $enter SELECT '1.2.2026'::date = '2026-02-01'; COMMIT;", qr/^t$/, qr/^f$/ ],
	[ 'row_security', 'SET row_security = off;', "BEGIN; $enter SELECT count(*) FROM documents; COMMIT;", qr/^$/, qr/^\d+$/ ],
	[ 'default_transaction_read_only', 'SET default_transaction_read_only = on;', "BEGIN; $enter INSERT INTO documents VALUES (DEFAULT, 'x') RETURNING 'written'; COMMIT;",
		qr/^$/, qr/^written$/ ],
	[ 'an open transaction', 'BEGIN ISOLATION LEVEL REPEATABLE READ;', "BEGIN; $enter SHOW transaction_isolation; COMMIT;", qr/^repeatable read$/, qr/^read committed$/,
		'ROLLBACK; DISCARD ALL;' ],
	[ 'a cursor WITH HOLD', 'DECLARE c CURSOR WITH HOLD FOR SELECT secret FROM documents;', "BEGIN; $enter INSERT INTO documents VALUES (DEFAULT, 'x'); FETCH c; COMMIT; FETCH c;",
		qr/^$/, qr/^$/ ]);
for my $leaving (@leavings)
{
	my ($what, $attack, $request, $open, $closed, $by) = @$leaving;
	($out, $err) = app("$attack\n$request");
	like($out =~ s/^\d*\n(?=.)//r, $open, "left to the next request: $what") or diag $err;
	for my $way ($by || ($reset, $piecemeal))
	{
		($out) = app("$attack\n\\o /dev/null\n$way\n\\o\n$request");
		like($out =~ s/^\d*\n(?=.)//r, $closed, "and not after $way $what");
	}
}
$node->safe_psql('postgres', $no_temporary);
($out, $err) = app("$temporary $insert");
like($err, qr/permission denied to create temporary tables/, $no_temporary);
$node->safe_psql('postgres', 'GRANT TEMPORARY ON DATABASE postgres TO PUBLIC');

# the key file
($out, $err) = app('SHOW dbkit.context_key_file');
like($err, qr/to examine "dbkit.context_key_file"/, 'the path is for superusers');
($out) = app(q{SELECT count(*) FROM pg_settings WHERE setting LIKE '%0123456789abcdef%' OR name = 'dbkit.context_key_file'});
is($out, '0', 'and not in pg_settings');
($out, $err) = app(q{SET dbkit.context_key_file = '/dev/null'});
like($err, qr/cannot be changed now/, 'and not to be set');
($out, $err) = app(q{SELECT pg_reload_conf()});
like($err, qr/permission denied/, 'nor reloaded');

# Expect that entering fails on the key file, for a reason that only the log has.
sub refused
{
	my ($reason, $what) = @_;
	my $offset = -s $node->logfile;
	my ($out, $err) = app("BEGIN; \\sign(regress_app usr_a org_a) $enter_a ROLLBACK; SELECT dbkit.enter('usr_a', 'org_a'); $who");
	like($err, qr/ERROR:  the key for tenant contexts cannot be used.*ERROR:  the tenant context needs a signature/s, "$what: refused");
	unlike($err, qr/\Q$directory\E|DETAIL/, "$what: without a word on the file");
	is($out, '|', "$what: nothing is entered");
	like(substr(slurp_file($node->logfile), $offset), qr/File "\Q$key_file\E": $reason\./, "$what: the log says why");
}

# Expect that entering works with a key.
sub accepted
{
	my ($with_key, $what) = @_;
	my ($out, $err) = app("BEGIN; \\sign(regress_app usr_a org_a) $enter_a $who", key => $with_key);
	is($out, 'usr_a|org_a', "$what: accepted") or diag $err;
}

for my $mode (0640, 0604, 0660, 0644, 0601, 0777)
{
	chmod $mode, $key_file;
	refused('it is open to others than its owner; make its mode 0600', sprintf('mode %04o', $mode));
}
for my $mode (0400, 0600)
{
	chmod $mode, $key_file;
	accepted($key, sprintf('mode %04o', $mode));
}
unlink $key_file;
refused('No such file or directory', 'a missing file');
mkdir $key_file, 0700;
refused('it is not a regular file', 'a directory');
rmdir $key_file;
system('mkfifo', '-m', '0600', $key_file);
refused('it is not a regular file', 'a named pipe');
unlink $key_file;
write_file($key_file, '', 0600);
refused('it must hold 32 to 1024 bytes', 'an empty file');
write_file($key_file, 'x' x 31 . "\n", 0600);
refused('it must hold 32 to 1024 bytes', 'a short key');
write_file($key_file, 'x' x 1026, 0600);
refused('it must hold 32 to 1024 bytes', 'a long key');
write_file($key_file, 'x' x 1024, 0600);
accepted('x' x 1024, 'a key of 1024 bytes');
write_file($key_file, 'y' x 32, 0600);
accepted('y' x 32, 'a key without a line feed');
if ($> != 0 && -e '/etc/hostname' && (stat '/etc/hostname')[4] != $>)
{
	symlink '/etc/hostname', "$directory/link";
	rename "$directory/link", $key_file;
	refused('it does not belong to the server\'s account', 'another account\'s file');
}

# rotation
my $new_key = 'fedcba9876543210fedcba9876543210';
write_file("$directory/key.new", "$new_key\n", 0600);
rename "$directory/key.new", $key_file;
$node->reload;
accepted($new_key, 'after a reload the new key');
($out, $err) = app("BEGIN; \\sign(regress_app usr_a org_a) $enter_a ROLLBACK;", key => $key);
like($err, $invalid, 'and the old one no more');

# another file, none, and one again, all by reload and in a session that is open
write_file("$directory/second", "$key\n", 0600);
my $set = sub {
	my ($path) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET dbkit.context_key_file = '$path'");
	$node->reload;
	$node->poll_query_until('postgres', "SELECT current_setting('dbkit.context_key_file') = '$path'") or die;
};
$set->("$directory/second");
accepted($key, 'another file');
$set->('');
($out) = app("BEGIN; SELECT dbkit.enter('usr_a', 'org_a'); $who");
is($out, 'usr_a|org_a', 'without a file, plain mode');
($out, $err) = app("BEGIN; \\sign(regress_app usr_a org_a) $enter_a");
like($err, qr/the signature cannot be checked without a key/, 'in which a signature is not ignored');
$set->('relative_key');
write_file($node->data_dir . '/relative_key', "$key\n", 0600);
accepted($key, 'a path relative to the data directory');
unlike(slurp_file($node->logfile), qr/$key|$new_key/, 'no key is in the log');

$node->stop;
done_testing();
