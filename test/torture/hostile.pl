# A stranger's random expressions, with planted code at random depths of them, in
# defaults, CHECKs, policies, partition keys, domains and indexes; then a superuser
# judges and changes those tables.  Nothing of it runs as anybody but its owner, unless
# PostgreSQL runs it without dbkit as well, and no statement takes long.

use strict;
use warnings;
use Test::More;
use Torture;

start_cluster(shared_preload_libraries => 'dbkit', log_line_prefix => "'[%p] %e '", log_error_verbosity => 'default', statement_timeout => "'20s'");
my $superuser = connect_to();
run_sql($superuser, 'CREATE ROLE regress_mallory LOGIN; CREATE ROLE regress_other; CREATE SCHEMA t AUTHORIZATION regress_mallory');
my $disabled = join '; ', map { "ALTER EVENT TRIGGER @$_ DISABLE" } ask_rows($superuser, 'SELECT evtname FROM pg_event_trigger');
run_sql($superuser, $disabled);
my $mallory = connect_to('torture', 'regress_mallory');
run_sql($_, 'SET client_min_messages = error') for $superuser, $mallory;
run_sql($mallory, q{
	CREATE FUNCTION t.ran(place text) RETURNS void LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RAISE LOG 'planted % ran as %, session %', place, current_user, session_user; END$$;
	CREATE FUNCTION t.evil(place text, value anyelement) RETURNS anyelement LANGUAGE plpgsql IMMUTABLE STRICT AS $$BEGIN PERFORM t.ran(place); RETURN value; END$$;
	CREATE TYPE t.bomb AS (a text);
	CREATE TYPE t.mood AS ENUM ('x', 'y');
	CREATE FUNCTION t.to_text(t.bomb) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS $$BEGIN PERFORM t.ran('cast'); RETURN ($1).a; END$$;
	CREATE FUNCTION t.to_text(t.mood) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS $$BEGIN PERFORM t.ran('cast of an enum'); RETURN 'x'; END$$;
	CREATE FUNCTION t.to_json(t.bomb) RETURNS json LANGUAGE plpgsql IMMUTABLE STRICT AS $$BEGIN PERFORM t.ran('cast to json'); RETURN '1'; END$$;
	CREATE CAST (t.bomb AS text) WITH FUNCTION t.to_text(t.bomb);
	CREATE CAST (t.mood AS text) WITH FUNCTION t.to_text(t.mood);
	CREATE CAST (t.bomb AS json) WITH FUNCTION t.to_json(t.bomb);
	CREATE DOMAIN t.dom AS text CHECK (t.evil('domain', VALUE) <> '');
	CREATE FUNCTION t.less(t.bomb, t.bomb) RETURNS bool LANGUAGE plpgsql IMMUTABLE STRICT AS $$BEGIN PERFORM t.ran('operator'); RETURN true; END$$;
	CREATE OPERATOR t.< (LEFTARG = t.bomb, RIGHTARG = t.bomb, FUNCTION = t.less)});

# What takes a value of any type and gives text, which PostgreSQL may inline or fold
my @wrappers = ('quote_literal(%)', 'quote_nullable(%)', q{('v' || %)}, q{(% || 'v')}, 'concat(%)', q{format('%%s', %)}, q{array_to_string(ARRAY[%], ',')}, 'to_json(%)::text',
	'to_jsonb(%)::text', 'json_build_array(%)::text', 'pg_typeof(%)::text', 'row_to_json(ROW(%))::text', 'coalesce(quote_nullable(%))', '(ARRAY[%])::text', 'ROW(%)::text', 'greatest(%)::text',
	'(%)::text', 'nullif(%, NULL)::text', q{concat_ws('x', %)}, 'to_char(num_nulls(%), $$9$$)', 'array_to_json(ARRAY[%])::text', '(array_append(NULL, %))::text');
my @values = (q{'(x)'::t.bomb}, q{'x'::t.mood}, q{t.evil('function', 'x'::text)}, q{t.evil('number', 1)}, q{'x'::t.dom}, q{ARRAY['(x)'::t.bomb]}, q{('(x)'::t.bomb OPERATOR(t.<) '(y)'::t.bomb)}, q{ROW('(x)'::t.bomb)}, '1', '1/0', 'NULL::t.bomb');
my @texts = (q{'xyz'}, q{'xyz_%'}, q{'app.user_id'}, q{repeat('x', 1000000)}, q{lower('XYZ')});
my @mixers = ('(% || %)', 'CASE % WHEN % THEN % ELSE % END', 'coalesce(%, %)', 'replace(%, %, %)', 'like_escape(%, %)', 'substr(%, 1, 3)', 'current_setting(%, true)', 'greatest(%, %)', '(% COLLATE "C")', '%::varchar(10)', 'left(%, 4)', '(SELECT %)');

sub text_expression
{
	my ($depth) = @_;
	return pick(@texts) if chance(0.2);
	return pick(@wrappers) =~ s/(?<!%)%(?!%)/pick(@values)/ger =~ s/%%/%/r if $depth <= 0 || chance(0.5);
	return pick(@mixers) =~ s/%/text_expression($depth - 1)/ger;
}

# Give an expression that may stand where a subquery may not
sub plain_text
{
	my $expression;
	do { $expression = text_expression(3) } while $expression =~ /SELECT/;
	return $expression;
}

sub condition
{
	my ($text) = @_;
	return pick('id LIKE %', 'starts_with(id, %)', 'id ^@ %', 'dbkit.is_id(id, %)', '% = id', 'id LIKE % ESCAPE $$#$$', 'id = % AND id LIKE %') =~ s/%/$text/gr;
}

my @places = (
	sub { "ALTER TABLE t.x ALTER id SET DEFAULT public.generate_id(${\ plain_text()})" },
	sub { "ALTER TABLE t.x ALTER id SET DEFAULT ${\ plain_text()}" },
	sub { "ALTER TABLE t.x ADD CHECK (${\ condition(plain_text())})" },
	sub { "ALTER TABLE t.x ALTER created_at SET DEFAULT t.evil('clock', now())" },
	sub { "ALTER TABLE t.x ADD COLUMN g text GENERATED ALWAYS AS (t.evil('generated', id)) STORED" },
	sub { "CREATE POLICY p ON t.x USING (${\ condition('current_setting(' . text_expression(3) . ')')})" },
	sub { "CREATE POLICY q ON t.x FOR INSERT WITH CHECK (${\ condition(text_expression(2))})" },
	sub { "CREATE INDEX ON t.x ((${\ plain_text()}), id)" },
	sub { "CREATE INDEX ON t.x (id) WHERE ${\ condition(plain_text())}" },
	sub { "CREATE DOMAIN t.own AS text DEFAULT ${\ plain_text()} CHECK (VALUE LIKE ${\ plain_text()}); ALTER TABLE t.x ADD COLUMN own_id t.own" },
	sub { "CREATE TABLE t.y (id text, n int) PARTITION BY RANGE ((n + length(${\ plain_text()})))" },
	sub { "CREATE TABLE t.y (id text DEFAULT public.generate_id(${\ plain_text()}), n int) PARTITION BY LIST ((${\ condition(plain_text())}))" },
	sub { "CREATE VIEW t.v AS SELECT ${\ text_expression(2)} AS x FROM t.x" },
	sub { "CREATE STATISTICS t.s ON id, (${\ plain_text()}) FROM t.x" });

# Those that judge; and those whose own runs count as PostgreSQL's
my @calls = ('SELECT count(*) FROM dbkit.check()', q{SELECT count(*) FROM dbkit.check('t.x')}, q{SELECT count(*) FROM dbkit.check_schema('t')}, q{SELECT dbkit.baseline()},
	'SELECT count(*) FROM dbkit.stale_exemptions', q{SELECT dbkit.register_prefix('t.x')}, q{SELECT dbkit.protect('t.x', 'id', '')}, q{SET LOCAL dbkit.rule_levels = 'forgeable_policy=warning'; SELECT count(*) FROM dbkit.check()});
my @ddl = ('DROP TABLE t.x', 'ALTER TABLE t.x ADD COLUMN extra bigint', 'ALTER TABLE t.x RENAME TO z', 'ALTER TABLE t.x OWNER TO regress_other', 'DROP OWNED BY regress_mallory CASCADE', 'DROP SCHEMA t CASCADE',
	'ALTER TABLE t.x ALTER id DROP DEFAULT', 'CREATE TRIGGER updated_at BEFORE UPDATE ON t.x FOR EACH ROW EXECUTE FUNCTION updated_at()', 'CREATE TABLE t.fresh (LIKE t.x INCLUDING ALL)', 'ALTER TABLE t.y ADD COLUMN extra int',
	'DROP EXTENSION dbkit CASCADE', 'DROP TABLE t.y', 'ALTER TABLE t.x SET SCHEMA public');

# Run a statement in a transaction that leaves nothing; gives what ran as a superuser
# how often, and the SQLSTATE.
sub try_out
{
	my ($sql, $first) = @_;
	my %ran;

	log_entries();
	run_sql($superuser, "BEGIN; $first");
	my $state = sql_error($superuser, $sql) || sql_error($superuser, 'SET CONSTRAINTS ALL IMMEDIATE') || sql_error($superuser, q{PREPARE TRANSACTION 'p'});
	$superuser->do($state ? 'ROLLBACK' : q{ROLLBACK PREPARED 'p'});
	for my $entry (log_entries())
	{
		$ran{$1}++ if $entry =~ /planted (.* ran as (?!regress_)\S+),/;
		$ran{"internal error: $1"}++ if $entry =~ /XX\w{3} ERROR:  (.*)/;
	}
	return (\%ran, $state);
}

my (@complaints, %seen);
my $rounds = 0;
my $planted = 0;
while (time_is_left())
{
	my @plan = ('CREATE TABLE t.x (id text, created_at timestamptz)', map { pick(@places)->() } 1 .. 3);
	my @made;

	# As in a database that was there before dbkit was
	run_sql($superuser, $disabled);
	for my $sql (@plan)
	{
		next if sql_error($mallory, $sql);
		push @made, $sql;
		$planted++;
	}
	run_sql($superuser, $disabled =~ s/DISABLE/ENABLE/gr);

	my @statements = ((map { [ $_, 1 ] } pick(@calls), pick(@calls)), (map { [ $_, 0 ] } pick(@ddl), pick(@ddl)));
	for (@statements)
	{
		my ($sql, $is_call) = @$_;
		my ($without) = $is_call ? {} : try_out($sql, $disabled);
		my ($with, $state) = try_out($sql, pick('', '', 'SET LOCAL search_path = t, public, pg_catalog', 'SET LOCAL dbkit.enforce = off'));
		my @more = grep { $with->{$_} > ($without->{$_} // 0) } keys %$with;
		push @more, "SQLSTATE $state" if $is_call && $state && $sql !~ /protect/ || $state eq '57014';
		push @complaints, map { join "\n  ", $_, @made, $sql } grep { !$seen{"$_ $sql"}++ } @more;
	}
	run_sql($superuser, "$disabled; DROP OWNED BY regress_other CASCADE; DROP TABLE IF EXISTS t.x, t.y CASCADE; DROP DOMAIN IF EXISTS t.own; DROP VIEW IF EXISTS t.v; ${\ $disabled =~ s/DISABLE/ENABLE/gr}");
	$rounds++;
}

cmp_ok($planted, '>', $rounds, "$rounds rounds, expressions are planted");
is(scalar @complaints, 0, 'nothing planted runs as a superuser, fails or takes long') or diag(join "\n", @complaints[ 0 .. ($#complaints < 9 ? $#complaints : 9) ]);
is(count_starts(), 1, 'the server did not crash');
done_testing();
