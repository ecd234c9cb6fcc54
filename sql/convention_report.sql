-- dbkit.report() says what dbkit.check() finds, in every format, whatever tables and columns are called.
\i sql/include/convention.psql
SET dbkit.enforce = off;
SET dbkit.rule_levels = '*=off, bigint=error, storytime=warning';
CREATE SCHEMA reported;
CREATE TABLE reported.fine (n bigint, storytime jsonb);
CREATE TABLE reported."<b>""&amp;'|]]>" ("%0A::error::,:" integer, m smallint);
CREATE TABLE reported.U&"two\000D\000Alines\0009\001B" (U&"two\000Alines" integer, storytime jsonb);
CREATE TABLE reported."Größe `*_[l](u)\|~$ {0}" (n bigint);
CREATE VIEW reported.seen AS SELECT 1;

SELECT dbkit.report('text', 'reported');
SELECT dbkit.report('json', 'reported');
SELECT replace(dbkit.report('junit', 'reported'), why, '(why there is such a rule)') FROM dbkit.rules WHERE id = 'bigint';
SELECT dbkit.report('github', 'reported');
SELECT dbkit.report('markdown', 'reported');
SELECT jsonb_pretty(dbkit.report('sarif', 'reported')::jsonb #- '{runs,0,tool,driver,rules}' #- '{runs,0,tool,driver,version}');

-- JSON has the rows of dbkit.check()
CREATE FUNCTION pg_temp.rows_of(report jsonb) RETURNS SETOF jsonb LANGUAGE sql AS $$
	SELECT finding FROM jsonb_array_elements(report -> 'findings') WITH ORDINALITY AS f(finding, n) ORDER BY n $$;
SELECT array(SELECT pg_temp.rows_of(dbkit.report('json', 'reported')::jsonb)) = array(SELECT to_jsonb(c) FROM dbkit.check_schema('reported') AS c);
SELECT array(SELECT pg_temp.rows_of(dbkit.report('json')::jsonb)) = array(SELECT to_jsonb(c) FROM dbkit.check() AS c);
SELECT array(SELECT pg_temp.rows_of(dbkit.report('json', NULL)::jsonb)) = array(SELECT to_jsonb(c) FROM dbkit.check() AS c);
-- SARIF has the rules of dbkit.rules
SELECT jsonb_agg(jsonb_build_object('id', id, 'shortDescription', jsonb_build_object('text', description), 'fullDescription', jsonb_build_object('text', why)))
	= dbkit.report('sarif')::jsonb #> '{runs,0,tool,driver,rules}' FROM dbkit.rules;

-- GitHub's runner reads a line each, undoes the escapes, and has what dbkit.check() says
CREATE FUNCTION pg_temp.unescape(value text) RETURNS text
RETURN replace(replace(replace(replace(replace(value, '%0D', E'\r'), '%0A', E'\n'), '%3A', ':'), '%2C', ','), '%25', '%');
SELECT array(SELECT concat_ws(' ', m[1], pg_temp.unescape(m[2]), pg_temp.unescape(m[3]))
		FROM regexp_split_to_table(dbkit.report('github', 'reported'), E'\n') WITH ORDINALITY AS l(line, n), regexp_match(line, '^::(error|warning) title=([^:,]*)::(.*)$') AS m ORDER BY n)
	= array(SELECT concat_ws(' ', level, rule || ': ' || object_identity, object_type || ' ' || object_identity || ': ' || problem) FROM dbkit.check_schema('reported'));

-- what is wrong with a whole table has no column
SET dbkit.rule_levels = '*=off, rls_enabled=error';
SELECT result #> '{locations,0,logicalLocations}' FROM jsonb_array_elements(dbkit.report('sarif', 'reported')::jsonb #> '{runs,0,results}') AS result;
-- level fix is an error to who reads a report
SET dbkit.rule_levels = '*=off, storytime=fix';
SELECT dbkit.report('text', 'reported');
SELECT dbkit.report('github', 'reported');
SELECT dbkit.report('junit', 'reported') ~ '<testsuite name="dbkit" tests="4" failures="2" errors="0" skipped="0">';

-- nothing is wrong
SET dbkit.rule_levels = '*=off, bigint=error';
SELECT dbkit.exempt('reported.%', '*', 'to have none');
SELECT format, dbkit.report(format, 'reported') FROM unnest('{text,json,junit,github,markdown}'::text[]) AS format;
SELECT dbkit.report('sarif', 'reported')::jsonb #> '{runs,0,results}';
SELECT dbkit.unexempt('reported.%', '*');

-- a character that XML does not allow
SET dbkit.enforce = off;
DO $$ BEGIN EXECUTE format('CREATE TABLE reported.%I (n int)', 'a' || chr(65534) || 'b'); END $$;
SELECT strpos(dbkit.report('text', 'reported'), chr(65534)) > 0, strpos(dbkit.report('junit', 'reported'), chr(65534));

-- no such format, no such schema
SELECT dbkit.report('html'); -- fails
SELECT dbkit.report(NULL); -- fails
SELECT dbkit.report('text', 'no_such_schema'); -- fails
SELECT dbkit.report('text', 0::regnamespace); -- fails
SELECT pg_temp.try($$SELECT dbkit.report('JSON')$$);

DROP SCHEMA reported CASCADE;
DROP FUNCTION public.dbkit_agreement;
