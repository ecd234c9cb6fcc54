-- Rules of a team's own: functions that judge objects as dbkit's rules do.
\i sql/include/convention_commit.psql
\set roles '{regress_own_maker, regress_own_owner}'
\i sql/include/leftovers.psql
SELECT dbkit.agree('{"preset": "none"}') IS NOT NULL AS agreed;
CREATE SCHEMA team;

\echo '== names of tables are plural: when a statement ends'
CREATE FUNCTION team.plural(object oid) RETURNS TABLE (column_name text, problem text, fix text)
LANGUAGE sql STABLE AS $$
	SELECT NULL, format('the name "%s" is not plural', c.relname),
		format('ALTER TABLE %I.%I RENAME TO %I', n.nspname, c.relname, c.relname || 's')
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = object AND c.relname NOT LIKE '%s' $$;
COMMENT ON FUNCTION team.plural IS 'A table holds many rows.';
SELECT dbkit.add_rule('plural', 'team.plural(oid)', '{table}', 'table names are plural', 'statement');
SELECT dbkit.agreement() -> 'own_rules', dbkit.agreement() #>> '{rules,plural}';
CREATE TABLE widgets (id bigint);
CREATE TABLE widget (id bigint); -- fails
ALTER TABLE widgets RENAME TO widget; -- fails
CREATE VIEW one AS SELECT 1 AS n;
DROP VIEW one;
SELECT * FROM dbkit.rules WHERE id = 'plural';
SELECT dbkit.explain_rule('plural');
SELECT * FROM dbkit.status() WHERE name = 'rule plural';

\echo '== what was there before is not held against a statement, and is in check() and report()'
SET dbkit.enforce = off;
CREATE TABLE old_thing (id bigint);
RESET dbkit.enforce;
ALTER TABLE old_thing ADD n bigint;
BEGIN;
SAVEPOINT a;
ALTER TABLE old_thing RENAME TO older_thing; -- fails: it says something else
ROLLBACK TO a;
ALTER TABLE old_thing DROP n;
COMMIT;
SELECT * FROM dbkit.check();
SELECT dbkit.report('text');
SELECT dbkit.report('junit');
SELECT dbkit.verify(); -- fails

\echo '== levels'
BEGIN;
SET LOCAL dbkit.rule_levels = 'plural=warning';
CREATE TABLE gadget (id bigint);
SET LOCAL dbkit.rule_levels = 'plural=off';
CREATE TABLE gizmo (id bigint);
SET LOCAL dbkit.rule_levels = 'plural=off, *=error';
SELECT level FROM dbkit.rules WHERE id = 'plural';
SELECT dbkit.agree('{"rules": {"plural": "warning"}, "schemas": {"team": {"rules": {"plural": "off"}}}}') IS NULL AS agreed;
SET LOCAL dbkit.rule_levels = '';
CREATE TABLE thing (id bigint);
CREATE TABLE team.thing (id bigint);
SELECT * FROM dbkit.status() WHERE name = 'rule plural';
ROLLBACK;
SET dbkit.rule_levels = 'singular=off'; -- fails
SET dbkit.rule_levels = 'plural=none'; -- fails
SELECT dbkit.agree('{"rules": {"singular": "off"}}'); -- fails
SELECT dbkit.agree('{"rules": {"plural": "fix"}}') IS NULL AS agreed;
BEGIN;
CREATE TABLE parcel (id bigint);
COMMIT;
DROP TABLE parcels;
SELECT dbkit.agree('{"rules": {"plural": null}}') IS NULL AS agreed;

\echo '== exemptions and baseline'
SELECT dbkit.exempt('public.sheep', 'plural', 'there is no other word');
CREATE TABLE sheep (id bigint);
SELECT * FROM dbkit.stale_exemptions;
SELECT dbkit.baseline();
SELECT * FROM dbkit.check();
SELECT dbkit.agreement() -> 'baseline';
DROP TABLE old_thing;
SELECT dbkit.agreement() -> 'baseline';
SELECT dbkit.drop_rule('plural'), dbkit.drop_rule('plural');
SELECT dbkit.agreement() -> 'exemptions', dbkit.agreement() -> 'own_rules', dbkit.agreement() #> '{rules,plural}';
CREATE TABLE widget (id bigint);
DROP TABLE widget, widgets, sheep;

\echo '== columns are known by their numbers: money is numeric(12,2), before COMMIT'
CREATE FUNCTION team.money(object oid) RETURNS TABLE (column_name text, problem text, fix text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN QUERY SELECT a.attname::text, format('column "%s" is %s; use numeric(12,2)', a.attname, format_type(a.atttypid, a.atttypmod)),
		format('ALTER TABLE %s ALTER %I TYPE numeric(12,2);', object::regclass, a.attname)
	FROM pg_attribute a WHERE a.attrelid = object AND a.attnum > 0 AND NOT a.attisdropped AND a.attname LIKE '%price'
		AND format_type(a.atttypid, a.atttypmod) <> 'numeric(12,2)' ORDER BY a.attnum;
END $$;
SELECT dbkit.add_rule('money', 'team.money(oid)', '{table,view}', 'money is numeric(12,2)');
CREATE TABLE bills (price numeric(12,2), net_price money, gross_price numeric); -- fails
BEGIN;
CREATE TABLE bills (price numeric(12,2), net_price money);
ALTER TABLE bills ALTER net_price TYPE numeric(12,2);
COMMIT;
SET dbkit.enforce = off;
ALTER TABLE bills ALTER net_price TYPE numeric;
RESET dbkit.enforce;
ALTER TABLE bills RENAME net_price TO "Net ""price";
ALTER TABLE bills ADD tax_price money; -- fails
SELECT column_name, problem, fix FROM dbkit.check();
CREATE VIEW totals AS SELECT 1::money AS price; -- fails
SELECT dbkit.baseline('bills');
SELECT dbkit.agreement() -> 'baseline';
ALTER TABLE bills RENAME "Net ""price" TO net_price;
SELECT dbkit.agreement() -> 'baseline';
SELECT count(*) FROM dbkit.check();
BEGIN;
ALTER TABLE bills ALTER net_price TYPE numeric(12,2);
COMMIT;
SELECT dbkit.agreement() -> 'baseline';
SELECT dbkit.drop_rule('money');
DROP TABLE bills;

\echo '== the function is asked for the state before too: DROP and CREATE under one name'
CREATE FUNCTION team.numbered(object oid) RETURNS TABLE (column_name text, problem text, fix text)
LANGUAGE sql STABLE AS $$ SELECT NULL, 'there are ' || count(*) || ' columns', NULL FROM pg_attribute
	WHERE attrelid = object AND attnum > 0 AND NOT attisdropped HAVING count(*) > 1 $$;
SET dbkit.enforce = off;
CREATE TABLE wide (a bigint, b bigint);
RESET dbkit.enforce;
SELECT dbkit.add_rule('numbered', 'team.numbered(oid)', '{table}', 'few columns');
ALTER TABLE wide ALTER a SET NOT NULL;
ALTER TABLE wide ADD c bigint; -- fails
BEGIN;
DROP TABLE wide;
CREATE TABLE wide (c bigint, d bigint);
COMMIT;
BEGIN;
ALTER TABLE wide ADD e bigint;
SAVEPOINT s;
ALTER TABLE wide DROP e;
RELEASE s;
COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT 1;
CREATE TABLE wider (c bigint, d bigint);
COMMIT; -- fails
SELECT dbkit.drop_rule('numbered');
DROP TABLE wide;

\echo '== whatever a command changes, such as the owner'
CREATE FUNCTION team.owned(object oid) RETURNS TABLE (column_name text, problem text, fix text)
LANGUAGE sql STABLE AS $$ SELECT NULL, 'its owner is ' || rolname, NULL FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
	WHERE c.oid = object AND rolname LIKE 'regress\_own\_%' $$;
CREATE TABLE owned (a bigint);
CREATE ROLE regress_own_maker;
ALTER TABLE owned OWNER TO regress_own_maker;
ALTER TABLE owned OWNER TO CURRENT_USER;
SELECT dbkit.add_rule('owned', 'team.owned(oid)', '{table}', 'tables belong to nobody who may leave', 'statement');
ALTER TABLE owned OWNER TO regress_own_maker; -- fails
SELECT dbkit.drop_rule('owned');
DROP TABLE owned;
DROP ROLE regress_own_maker;

\echo '== a function that fails refuses nothing, and is named once in a transaction'
CREATE FUNCTION team.faulty(object oid) RETURNS TABLE (column_name text, problem text, fix text)
LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM 1 / 0; END $$;
CREATE FUNCTION team.silent(object oid) RETURNS TABLE (column_name text, problem text, fix text)
LANGUAGE sql STABLE AS $$ SELECT 'a', NULL, NULL $$;
SELECT dbkit.add_rule('faulty', 'team.faulty(oid)', '{table}', 'divides', 'statement');
SELECT dbkit.add_rule('silent', 'team.silent(oid)', '{table}', 'says nothing');
BEGIN;
CREATE TABLE a (n bigint);
CREATE TABLE b (n bigint);
COMMIT;
SELECT count(*) FROM dbkit.check();
SELECT dbkit.drop_rule('faulty'), dbkit.drop_rule('silent');

\echo '== what a session has PL/pgSQL refuse besides, a rule does not fail by'
CREATE FUNCTION team.lenient(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE plpgsql STABLE AS $$
DECLARE first_column text;
BEGIN
	SELECT attname INTO first_column FROM pg_attribute WHERE attrelid = object AND attnum > 0 ORDER BY attnum;
	RETURN QUERY SELECT first_column, 'it is ' || first_column, NULL::text;
END $$;
SELECT dbkit.add_rule('lenient', 'team.lenient(oid)', '{table}', 'is lenient');
SET plpgsql.extra_errors = 'all';
CREATE TABLE lenient (n bigint, m bigint); -- fails
SHOW plpgsql.extra_errors;
RESET plpgsql.extra_errors;
SELECT dbkit.drop_rule('lenient');
DROP FUNCTION team.lenient;
\echo '== nor does it mean something else by the settings of a session'
CREATE FUNCTION team.text_of(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE sql STABLE AS $$
	SELECT NULL, concat_ws(' ', '\\', quote_ident('a'), (c.oid = NULL) IS NULL, '{NULL}'::text[], 'A'::bytea, '2024-05-06'::date, '1 day 2 hours'::interval, to_timestamp(0), 0.1::float8), NULL
	FROM pg_class c WHERE c.oid = object AND c.relname = 'texts' $$;
SET dbkit.enforce = off;
CREATE TABLE texts (id bigint);
RESET dbkit.enforce;
SELECT dbkit.add_rule('text_of', 'team.text_of(oid)', '{table}', 'x');
BEGIN;
SET LOCAL standard_conforming_strings = off;
SET LOCAL escape_string_warning = off;
SET LOCAL quote_all_identifiers = on;
SET LOCAL transform_null_equals = on;
SET LOCAL array_nulls = off;
SET LOCAL bytea_output = 'escape';
SET LOCAL DateStyle = 'German';
SET LOCAL IntervalStyle = 'iso_8601';
SET LOCAL TimeZone = 'Asia/Tokyo';
SET LOCAL extra_float_digits = -15;
SELECT problem FROM dbkit.check('texts') WHERE rule = 'text_of';
SHOW DateStyle;
COMMIT;
SELECT dbkit.drop_rule('text_of');
DROP TABLE texts;

\echo '== nor does one that fails for the state before only'
CREATE FUNCTION team.half(object oid) RETURNS TABLE (column_name text, problem text, fix text)
LANGUAGE sql STABLE AS $$ SELECT NULL, 'it is ' || 1 / (count(*) - 1), NULL FROM pg_attribute WHERE attrelid = object AND attnum > 0 $$;
SELECT dbkit.add_rule('half', 'team.half(oid)', '{table}', 'divides');
ALTER TABLE a ADD m bigint;
CREATE TABLE c (n bigint, m bigint); -- fails
\echo '== and nothing leaves the baseline that nobody could judge'
SELECT dbkit.baseline('a');
SELECT dbkit.agreement() -> 'baseline';
CREATE OR REPLACE FUNCTION team.half(object oid) RETURNS TABLE (column_name text, problem text, fix text)
LANGUAGE sql STABLE AS $$ SELECT NULL, (1 / 0)::text, NULL $$;
ALTER TABLE a ADD o bigint;
SELECT dbkit.agreement() -> 'baseline';
DROP FUNCTION team.half;
ALTER TABLE a DROP o;
SELECT dbkit.agreement() -> 'baseline';
SELECT dbkit.drop_rule('half');

\echo '== nothing that it does stays'
CREATE TABLE team.log (line text);
CREATE SEQUENCE team.counter;
CREATE FUNCTION team.write() RETURNS bigint LANGUAGE sql VOLATILE AS $$ INSERT INTO team.log VALUES ('x') RETURNING 1 $$;
CREATE FUNCTION team.meddle(object oid) RETURNS TABLE (column_name text, problem text, fix text)
LANGUAGE plpgsql STABLE AS $$
DECLARE what text;
BEGIN
	FOREACH what IN ARRAY ARRAY['SELECT team.write()', $q$SELECT nextval('team.counter')$q$, 'SELECT set_config(''transaction_read_only'', ''off'', true)',
		'CREATE TABLE team.made ()', 'INSERT INTO team.log VALUES (''y'')', 'SET ROLE regress_own_maker', 'COMMIT'] LOOP
		BEGIN
			EXECUTE what;
			RETURN QUERY SELECT NULL, what || ': done', NULL;
		EXCEPTION WHEN OTHERS THEN
			RETURN QUERY SELECT NULL, what || ': ' || SQLERRM, NULL;
		END;
	END LOOP;
	RETURN QUERY SELECT NULL, 'search_path ' || set_config('search_path', 'team', false), NULL;
	RETURN QUERY SELECT NULL, 'who: ' || (current_user = session_user)::text || ' ' || pg_has_role(current_user, 'regress_own_maker', 'member')::text, NULL;
END $$;
SELECT dbkit.add_rule('meddle', 'team.meddle(oid)', '{table}', 'does what it may not');
CREATE ROLE regress_own_maker;
CREATE SCHEMA made AUTHORIZATION regress_own_maker;
SET ROLE regress_own_maker;
CREATE TABLE made.d (n bigint); -- fails
SHOW search_path;
SHOW transaction_read_only;
RESET ROLE;
SELECT count(*) FROM team.log;
SELECT is_called FROM team.counter;
SELECT dbkit.drop_rule('meddle');
DROP TABLE team.log;

\echo '== names are looked up where only superusers write'
CREATE FUNCTION team.path(object oid) RETURNS TABLE (column_name text, problem text, fix text)
LANGUAGE plpgsql STABLE AS $$ BEGIN
	RETURN QUERY SELECT NULL, current_setting('search_path') || ' ' || upper(relname), NULL FROM pg_class WHERE oid = object; END $$;
SELECT dbkit.add_rule('path', 'team.path(oid)', '{table}', 'shows the path');
SET ROLE regress_own_maker;
CREATE FUNCTION made.upper(name) RETURNS text LANGUAGE sql AS $$ SELECT 'planted' $$;
CREATE FUNCTION made.equal(oid, oid) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$;
CREATE OPERATOR made.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = made.equal);
CREATE VIEW made.pg_class AS SELECT 1::oid AS oid, 'planted' AS relname;
SET search_path = made, pg_catalog;
CREATE TABLE e (n bigint); -- fails
RESET search_path;
RESET ROLE;
DROP SCHEMA made CASCADE;
SELECT dbkit.drop_rule('path');

\echo '== a cancelled statement stays cancelled'
CREATE FUNCTION team.slow(object oid) RETURNS TABLE (column_name text, problem text, fix text)
LANGUAGE sql STABLE AS $$ SELECT NULL, pg_sleep(20)::text, NULL $$;
SELECT dbkit.add_rule('slow', 'team.slow(oid)', '{table}', 'sleeps');
SET statement_timeout = '100ms';
BEGIN;
CREATE TABLE f (n bigint);
COMMIT; -- fails
SELECT count(*) FROM dbkit.check(); -- fails
RESET statement_timeout;
SELECT to_regclass('f') IS NULL AS refused;
SELECT dbkit.drop_rule('slow');

\echo '== who owns the function, and what becomes of it'
CREATE FUNCTION team.check_name(object oid) RETURNS TABLE (column_name text, problem text, fix text)
LANGUAGE sql STABLE AS $$ SELECT NULL, 'nothing is right', NULL $$;
SELECT dbkit.add_rule('named', 'team.check_name(oid)', '{table,"enum table",view,"enum type",function}', 'everything is wrong');
CREATE TABLE g (n bigint); -- fails
CREATE TABLE g_enum (value text); -- fails
CREATE TYPE mood AS ENUM ('sad'); -- fails
CREATE FUNCTION risky() RETURNS bigint LANGUAGE sql SECURITY DEFINER RETURN 1; -- fails
ALTER FUNCTION team.check_name OWNER TO regress_own_maker;
CREATE TABLE g (n bigint);
SELECT hint FROM dbkit.status() WHERE name = 'rule named';
SELECT dbkit.explain_rule('named');
ALTER FUNCTION team.check_name OWNER TO CURRENT_USER;
CREATE TABLE h (n bigint); -- fails
ALTER FUNCTION team.check_name VOLATILE;
CREATE TABLE h (n bigint);
ALTER FUNCTION team.check_name STABLE;
ALTER FUNCTION team.check_name RENAME TO another;
CREATE TABLE i (n bigint);
BEGIN;
DROP FUNCTION team.another;
CREATE FUNCTION team.check_name(object oid) RETURNS TABLE (a text, b text, c text) LANGUAGE sql STABLE AS $$ SELECT 'x', 'it is new', ' SELECT 1 ; ' $$;
CREATE TABLE j (n bigint);
COMMIT; -- fails
DROP FUNCTION team.another;
CREATE TABLE j (n bigint);
SELECT hint FROM dbkit.status() WHERE name = 'rule named';
SELECT dbkit.drop_rule('named');
DROP TABLE a, b, g, h, i, j;

\echo '== what cannot be a rule'
CREATE FUNCTION team.ok(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE sql IMMUTABLE AS $$ SELECT NULL, NULL, NULL WHERE false $$;
CREATE FUNCTION team.volatile(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE sql AS $$ SELECT NULL, NULL, NULL $$;
CREATE FUNCTION team.one(object oid) RETURNS text LANGUAGE sql STABLE AS $$ SELECT NULL $$;
CREATE FUNCTION team.two(object oid) RETURNS TABLE (column_name text, problem text) LANGUAGE sql STABLE AS $$ SELECT NULL, NULL $$;
CREATE FUNCTION team.row(object oid, OUT column_name text, OUT problem text, OUT fix text) LANGUAGE sql STABLE AS $$ SELECT NULL, NULL, NULL $$;
CREATE FUNCTION team.names(object oid) RETURNS TABLE (column_name name, problem text, fix text) LANGUAGE sql STABLE AS $$ SELECT NULL::name, NULL, NULL $$;
CREATE FUNCTION team.of_class(object regclass) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE sql STABLE AS $$ SELECT NULL, NULL, NULL $$;
CREATE FUNCTION team.more(object oid, n int) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE sql STABLE AS $$ SELECT NULL, NULL, NULL $$;
CREATE FUNCTION team.theirs(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE sql STABLE AS $$ SELECT NULL, NULL, NULL $$;
ALTER FUNCTION team.theirs OWNER TO regress_own_maker;
CREATE PROCEDURE team.procedure(object oid) LANGUAGE sql AS '';
CREATE FUNCTION team.shadowed(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE sql STABLE SET search_path = team AS $$ SELECT NULL, NULL, NULL WHERE false $$;
SELECT dbkit.add_rule('r', 'team.volatile(oid)', '{table}', 'x'); -- fails
SELECT dbkit.add_rule('r', 'team.one(oid)', '{table}', 'x'); -- fails
SELECT dbkit.add_rule('r', 'team.two(oid)', '{table}', 'x'); -- fails
SELECT dbkit.add_rule('r', 'team.row(oid)', '{table}', 'x'); -- fails
SELECT dbkit.add_rule('r', 'team.names(oid)', '{table}', 'x'); -- fails
SELECT dbkit.add_rule('r', 'team.of_class(regclass)', '{table}', 'x'); -- fails
SELECT dbkit.add_rule('r', 'team.more(oid, int)', '{table}', 'x'); -- fails
SELECT dbkit.add_rule('r', 'team.shadowed(oid)', '{table}', 'x'); -- fails
ALTER FUNCTION team.shadowed SET search_path = team, pg_temp;
SELECT dbkit.add_rule('shadowed', 'team.shadowed(oid)', '{table}', 'x'), dbkit.drop_rule('shadowed');
SELECT dbkit.add_rule('r', 'team.theirs(oid)', '{table}', 'x'); -- fails
SELECT dbkit.add_rule('r', 'team.procedure(oid)', '{table}', 'x'); -- fails
SELECT dbkit.add_rule('r', 'pg_catalog.format_type(oid, int)', '{table}', 'x'); -- fails
SELECT dbkit.add_rule('r', 0, '{table}', 'x'); -- fails
\set VERBOSITY sqlstate
SELECT dbkit.add_rule('r', 'team.theirs(oid)', '{table}', 'x'); -- fails
SELECT dbkit.add_rule('r', 'team.procedure(oid)', '{table}', 'x'); -- fails
SELECT dbkit.add_rule('r', 0, '{table}', 'x'); -- fails
\set VERBOSITY default
SELECT dbkit.add_rule('r', 'team.ok(oid)', '{table,tabel}', 'x'); -- fails
SELECT dbkit.add_rule('r', 'team.ok(oid)', '{NULL}', 'x'); -- fails
SELECT dbkit.add_rule('r', 'team.ok(oid)', '{}', 'x'); -- fails
SELECT dbkit.add_rule('r', 'team.ok(oid)', '{table}', ' '); -- fails
SELECT dbkit.add_rule('r', 'team.ok(oid)', '{table}', 'x', 'later'); -- fails
SELECT dbkit.add_rule('r', 'team.ok(oid)', NULL, 'x'); -- fails
SELECT dbkit.add_rule('fk_index', 'team.ok(oid)', '{table}', 'x'); -- fails
SELECT dbkit.add_rule('R', 'team.ok(oid)', '{table}', 'x'); -- fails
SELECT dbkit.add_rule('*', 'team.ok(oid)', '{table}', 'x'); -- fails
SELECT dbkit.add_rule('1r', 'team.ok(oid)', '{table}', 'x'); -- fails
SELECT dbkit.add_rule('r'';--', 'team.ok(oid)', '{table}', 'x'); -- fails
SELECT dbkit.add_rule('', 'team.ok(oid)', '{table}', 'x'); -- fails
SELECT dbkit.add_rule(repeat('r', 64), 'team.ok(oid)', '{table}', 'x'); -- fails
SELECT dbkit.add_rule(repeat('r', 63), 'team.ok(oid)', '{table}', 'x');
SELECT dbkit.add_rule(repeat('r', 63), 'team.ok(oid)', '{table}', 'x'); -- fails
SELECT dbkit.drop_rule(repeat('r', 63)), dbkit.drop_rule(NULL);
SELECT dbkit.drop_rule('fk_index'); -- fails

\echo '== names that need quotes'
CREATE SCHEMA "Te""am.a";
CREATE FUNCTION "Te""am.a"."fu'n(oid)é"(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE sql STABLE AS
	$$ SELECT 'no such " column', E'it''s %s {"} \n wrong', 'SELECT 1 -- "' $$;
SELECT dbkit.add_rule('quoted', '"Te""am.a"."fu''n(oid)é"(oid)', '{table}', 'it''s "quoted" %s');
CREATE TABLE "k""k" (n bigint); -- fails
SELECT dbkit.agreement() -> 'own_rules';
SELECT dbkit.drop_rule('quoted');
DROP SCHEMA "Te""am.a" CASCADE;

\echo '== agree() takes them too'
SELECT dbkit.agree('{"own_rules": {"ok": {"judge": "team.ok(oid)", "kinds": ["table"], "phase": "statement", "description": "x"}}, "rules": {"ok": "warning"}}') -> 'own_rules';
SELECT id, phase, level FROM dbkit.rules WHERE id = 'ok';
SELECT dbkit.agree('{"own_rules": {"ok": {"description": "y"}}}') -> 'own_rules';
SELECT dbkit.agree('{"own_rules": {"ok": {"judge": "team.gone(oid)"}}}'); -- fails
SELECT dbkit.agree('{"own_rules": {"ok": {"judge": "ok"}}}'); -- fails
SELECT dbkit.agree('{"own_rules": {"ok": {"kinds": ["tabel"]}}}'); -- fails
SELECT dbkit.agree('{"own_rules": {"ok": {"kinds": []}}}'); -- fails
SELECT dbkit.agree('{"own_rules": {"ok": {"phase": "later"}}}'); -- fails
SELECT dbkit.agree('{"own_rules": {"ok": {"more": 1}}}'); -- fails
SELECT dbkit.agree('{"own_rules": {"ok": 1}}'); -- fails
SELECT dbkit.agree('{"own_rules": [1]}'); -- fails
SELECT dbkit.agree('{"own_rules": {"Ok": {"judge": "team.ok(oid)", "kinds": ["table"], "phase": "statement", "description": "x"}}}'); -- fails
SELECT dbkit.agree('{"own_rules": {"bigint": {"judge": "team.ok(oid)", "kinds": ["table"], "phase": "statement", "description": "x"}}}'); -- fails
SELECT dbkit.agree('{"own_rules": {"ok": null}}'); -- fails: it has a level
SELECT dbkit.agree('{"own_rules": {"ok": null}, "rules": {"ok": null}}') IS NULL AS agreed;
SELECT count(*) FROM dbkit.rules WHERE id = 'ok';

GRANT USAGE ON SCHEMA team TO PUBLIC;
\echo '== only superusers add and change one; the owner of the database may drop it'
CREATE ROLE regress_own_owner;
SELECT datdba::regrole AS owner, datname AS database FROM pg_database WHERE datname = current_database() \gset
ALTER DATABASE :"database" OWNER TO regress_own_owner;
SELECT dbkit.add_rule('ok', 'team.ok(oid)', '{table}', 'x');
SET ROLE regress_own_owner;
SELECT dbkit.add_rule('ok2', 'team.ok(oid)', '{table}', 'x'); -- fails
SELECT dbkit.agree('{"own_rules": {"ok2": {"judge": "team.ok(oid)", "kinds": ["table"], "phase": "statement", "description": "x"}}}'); -- fails
SELECT dbkit.agree('{"own_rules": {"ok": {"phase": "statement"}}}'); -- fails
RESET ROLE;
SET ROLE regress_own_maker;
SELECT dbkit.add_rule('ok2', 'team.ok(oid)', '{table}', 'x'); -- fails
SELECT dbkit.drop_rule('ok'); -- fails
SELECT id, level FROM dbkit.rules WHERE id = 'ok';
RESET ROLE;
ALTER FUNCTION dbkit_agreement() OWNER TO regress_own_owner;
GRANT CREATE, USAGE ON SCHEMA public TO regress_own_owner;
SET ROLE regress_own_owner;
SELECT dbkit.agree('{"rules": {"ok": "warning"}}') IS NULL AS agreed;
SELECT dbkit.drop_rule('ok');
RESET ROLE;
ALTER DATABASE :"database" OWNER TO :owner;

\echo '== a setting may name a rule that is not there yet, or is in another database'
ALTER FUNCTION dbkit_agreement() OWNER TO CURRENT_USER;
ALTER DATABASE :"database" SET dbkit.rule_levels = 'later=warning, bigint=off';
ALTER DATABASE :"database" SET dbkit.rule_levels = 'later=never'; -- fails
\c -
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on
SELECT name, value, hint FROM dbkit.status() WHERE name = 'dbkit.rule_levels';
SELECT level FROM dbkit.rules WHERE id = 'bigint';
SELECT dbkit.add_rule('later', 'team.ok(oid)', '{table}', 'x');
SELECT level FROM dbkit.rules WHERE id = 'later';
SELECT count(*) FROM dbkit.status() WHERE name = 'dbkit.rule_levels';
SET dbkit.rule_levels = 'later=off, soon=off'; -- fails
SET dbkit.rule_levels = 'later=off';
SELECT dbkit.drop_rule('later');
SELECT level FROM dbkit.rules WHERE id = 'bigint';
ALTER DATABASE :"database" RESET dbkit.rule_levels;
RESET dbkit.rule_levels;

\echo '== suggest() is about the rules of dbkit'
SELECT dbkit.add_rule('ok', 'team.ok(oid)', '{table}', 'x');
SELECT dbkit.suggest() #> '{rules,ok}', (SELECT count(*) FROM dbkit.suggestion WHERE key = 'rules.ok');

\echo '== what the agreement says of a rule in a schema goes with it; another function takes its place'
CREATE FUNCTION team.not_ok(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE sql STABLE AS 'SELECT NULL, ''it is there'', NULL';
CREATE TABLE seen (id bigint);
SELECT count(*) FROM dbkit.check('seen');
SELECT dbkit.agree('{"own_rules": {"ok": {"judge": "team.not_ok(oid)"}}, "schemas": {"team": {"rules": {"ok": "off", "bigint": "off"}}, "other": {"rules": {"bigint": "off"}}}}') IS NOT NULL;
SELECT rule, problem FROM dbkit.check('seen');
SELECT dbkit.drop_rule('ok'), dbkit.agreement() -> 'schemas';
DROP TABLE seen;
SELECT dbkit.agree('{"own_rules": {"blank": {"judge": "team.ok(oid)", "kinds": ["table"], "phase": "commit", "description": " "}}}'); -- fails
SELECT dbkit.agree('{"own_rules": {"number": {"judge": 1, "kinds": ["table"], "phase": "commit", "description": "x"}}}'); -- fails
SELECT dbkit.agree((SELECT jsonb_build_object('own_rules', jsonb_object_agg('r' || n, '{"judge": "team.ok(oid)", "kinds": ["table"], "phase": "commit", "description": "x"}'::jsonb)) FROM generate_series(1, 102) n)); -- fails

-- indexes that move all at once
SELECT dbkit.add_rule('quiet', 'team.ok(oid)', '{table}', 'finds nothing');
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE regress_own_rules LOCATION '';
SET dbkit.rule_levels = '*=off, quiet=error';
CREATE TABLE public.moved (id bigint PRIMARY KEY USING INDEX TABLESPACE regress_own_rules);
ALTER INDEX ALL IN TABLESPACE regress_own_rules SET TABLESPACE pg_default;
SELECT dbkit.drop_rule('quiet');
DROP TABLE public.moved;
DROP TABLESPACE regress_own_rules;

DROP FUNCTION dbkit_agreement();
DROP SCHEMA team CASCADE;
REVOKE ALL ON SCHEMA public FROM regress_own_owner;
DROP ROLE regress_own_maker, regress_own_owner;
