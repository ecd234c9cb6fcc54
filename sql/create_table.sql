-- dbkit.create_table and create_table_sql: a table in one line, as the agreement wants it.
\set roles '{regress_maker,regress_customer}'
\i sql/include/leftovers.psql
\i sql/include/convention.psql
CREATE SCHEMA made;
SET search_path = made, public;
RESET dbkit.rule_levels;

-- what it writes, and what it makes
SELECT dbkit.create_table_sql('organizations', 'name text NOT NULL');
BEGIN;
SELECT dbkit.create_table('organizations', 'name text NOT NULL');
SELECT dbkit.create_table('users', 'email text UNIQUE, organization_id text REFERENCES organizations', 'usr');
COMMIT;
SELECT dbkit.create_table('plans');
SELECT dbkit.create_table_sql('documents', $$title text NOT NULL CHECK (title <> ''), pages int DEFAULT 1, due timestamp, user_id text REFERENCES users, organization_id text,
	tags text[] DEFAULT '{}', UNIQUE (organization_id, title)$$, 'doc');
SELECT dbkit.create_table('documents', $$title text NOT NULL CHECK (title <> ''), pages int DEFAULT 1, due timestamp, user_id text REFERENCES users, organization_id text,
	tags text[] DEFAULT '{}', UNIQUE (organization_id, title)$$, 'doc');
SELECT dbkit.create_table('color_enum', 'label text');
SELECT dbkit.create_table('entries', 'at timestamptz) PARTITION BY RANGE (at');
SELECT rule, object_identity, problem FROM dbkit.check();
SELECT relname, relkind FROM pg_class WHERE relnamespace = 'made'::regnamespace AND relkind IN ('r', 'p', 'S') ORDER BY 1;

-- names
CREATE SCHEMA "We ""ird";
SELECT dbkit.create_table('"We ""ird"."a.b"', '"x y" int, "-- n" text -- a comment');
SELECT dbkit.create_table(format('"We ""ird".%I', repeat('ü', 31)), 'organization_id text');
SELECT rule, object_identity, problem FROM dbkit.check_schema('"We ""ird"');
SELECT dbkit.create_table('pg_temp.entries', 'n int');
SELECT dbkit.create_table('public.made_in_public', 'n int');
DROP TABLE public.made_in_public;

-- who sees the rows: what create_table_sql() writes is what create_table() makes
CREATE ROLE regress_customer;
SELECT dbkit.agree('{"customer_role": "regress_customer"}') \gset
\set remarks '$$body text, number serial, user_id text REFERENCES users, organization_id text NOT NULL REFERENCES organizations$$'
CREATE VIEW made_of WITH (security_invoker = true) AS
	SELECT p.tablename, p.policyname, p.cmd, p.roles, coalesce(p.qual, p.with_check) AS condition, c.relforcerowsecurity, has_table_privilege('regress_customer', c.oid, 'UPDATE') AS may_update
	FROM pg_policies p JOIN pg_class c ON c.relname = p.tablename AND c.relnamespace = 'made'::regnamespace
	WHERE p.tablename IN ('remarks', 'tariffs', 'hue_enum') ORDER BY p.tablename, p.policyname COLLATE "C";
SELECT dbkit.create_table_sql('remarks', :remarks, access => 'member');
SELECT dbkit.create_table('remarks', :remarks, access => 'member');
SELECT dbkit.create_table('tariffs', 'name text', access => 'read');
SELECT * FROM made_of;
DROP TABLE remarks, tariffs;
SELECT dbkit.create_table_sql('remarks', :remarks, access => 'member') \gexec
SELECT dbkit.create_table_sql('tariffs', 'name text', access => 'read') \gexec
SELECT * FROM made_of;
SELECT dbkit.create_table('hue_enum', access => 'read');
SELECT * FROM made_of WHERE tablename = 'hue_enum';
SELECT dbkit.create_table('q', 'organization_id text NOT NULL REFERENCES organizations', access => 'member'); -- fails
SELECT dbkit.agree('{"rules": {"tenant_key": "error"}}') \gset
SELECT dbkit.create_table_sql('crates', 'organization_id text NOT NULL REFERENCES organizations');

-- with that rule foreign keys keep to one tenant, those that are written and those that are added, also where columns get another type
SELECT dbkit.create_table('crates', 'organization_id text NOT NULL REFERENCES organizations', 'crt');
SELECT dbkit.create_table_sql('lids', $$organization_id text NOT NULL, crate_id text, spare_id text NOT NULL REFERENCES crates ON DELETE CASCADE, plan_id text REFERENCES plans,
	lent_id text CONSTRAINT lent REFERENCES crates ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE$$, 'lid');
SELECT dbkit.create_table('lids', $$organization_id text NOT NULL, crate_id text, spare_id text NOT NULL REFERENCES crates ON DELETE CASCADE, plan_id text REFERENCES plans,
	lent_id text CONSTRAINT lent REFERENCES crates ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE$$, 'lid');
CREATE VIEW keys_of WITH (security_invoker = true) AS
	SELECT conrelid::regclass AS relation, conname, pg_get_constraintdef(oid) FROM pg_constraint
	WHERE connamespace = 'made'::regnamespace AND contype = 'f' ORDER BY conrelid::regclass::text COLLATE "C", conname COLLATE "C";
SELECT * FROM keys_of WHERE relation = 'lids'::regclass;
SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'lids'::regclass ORDER BY indexrelid::regclass::text COLLATE "C";
SELECT dbkit.create_table_sql('straps', 'organization_id text NOT NULL, crate_id text REFERENCES crates, FOREIGN KEY (crate_id) REFERENCES plans');
\set ranks '$$id text COLLATE "C" PRIMARY KEY, organization_id text COLLATE "C" NOT NULL, above_id text COLLATE "C" REFERENCES ranks$$'
SELECT dbkit.create_table_sql('ranks', :ranks);
SELECT dbkit.create_table('ranks', :ranks);
-- the other table is given its key while it is empty
SET dbkit.enforce = off;
CREATE TABLE hulls (id text COLLATE "C" PRIMARY KEY, organization_id text COLLATE "C" NOT NULL);
CREATE TABLE sails (LIKE hulls INCLUDING ALL);
INSERT INTO sails VALUES ('sai_1', 'org_a');
RESET dbkit.enforce;
SELECT dbkit.create_table_sql('masts', 'organization_id text NOT NULL, hull_id text, second_hull_id text REFERENCES hulls');
BEGIN;
SELECT dbkit.create_table('yards', 'organization_id text NOT NULL, hull_id text, sail_id text');
COMMIT; -- fails
SELECT dbkit.agree('{"rules": {"tenant_key": "warning", "rls_enabled": "off", "rls_policy": "off", "rls_forced": "off"}}') \gset
SELECT dbkit.create_table('masts', 'organization_id text NOT NULL, hull_id text, sail_id text');
SELECT dbkit.create_table_sql('spars', 'at timestamptz, organization_id text NOT NULL, hull_id text NOT NULL) PARTITION BY RANGE (at');
SELECT dbkit.agree('{"rules": {"rls_enabled": null, "rls_policy": null, "rls_forced": null}}') \gset
SELECT * FROM keys_of WHERE relation IN ('masts'::regclass, 'ranks'::regclass);
SELECT rule, object_identity, problem FROM dbkit.check() WHERE rule IN ('tenant_key', 'fk_index', 'duplicate_index');
DROP VIEW keys_of;
DROP TABLE IF EXISTS yards, masts, hulls, sails, ranks, lids, crates;
SELECT dbkit.agree('{"customer_role": null, "rules": {"tenant_key": null}}') \gset
DROP TABLE remarks, tariffs, hue_enum;
DROP VIEW made_of;
SELECT rule, object_identity, problem FROM dbkit.check();

-- what a foreign key does on DELETE is put right, and when it is checked stays
SELECT dbkit.create_table('later', 'user_id text NOT NULL REFERENCES users ON UPDATE CASCADE ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED, sender_id text REFERENCES users DEFERRABLE');
SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'later'::regclass AND contype = 'f' AND conrelid <> confrelid ORDER BY 1;
DROP TABLE later;

-- what it refuses; nothing stays
SELECT dbkit.create_table('users'); -- fails
SELECT dbkit.create_table('q', 'a int', 'usr'); -- fails
SELECT dbkit.create_table('q', 'a int', 'u-'); -- fails
SELECT dbkit.create_table('q', 'a int); DROP TABLE users; --'); -- fails
SELECT dbkit.create_table('q', 'a int); CREATE TABLE r (b int'); -- fails
CREATE TYPE pair AS (a int, b text);
SELECT dbkit.create_table('q', 'a pair'); -- fails
SELECT dbkit.create_table('q', 'a no_such'); -- fails
SELECT dbkit.create_table('q', 'a int,'); -- fails
SELECT dbkit.create_table('q', 'id text, id text'); -- fails
SELECT dbkit.create_table('q', 'id text', 'qqq'); -- fails
SELECT dbkit.create_table('q', 'a dbkit.findings'); -- fails
SELECT dbkit.create_table('q', access => 'everybody'); -- fails
SELECT dbkit.create_table(NULL); -- fails
SELECT dbkit.create_table('q', NULL); -- fails
SELECT dbkit.create_table('no_such_schema.q'); -- fails
SELECT dbkit.create_table('a.b.c.d'); -- fails
SET search_path = no_such_schema;
SELECT dbkit.create_table('q'); -- fails
\echo :LAST_ERROR_SQLSTATE
SET search_path = made, public;
SELECT to_regclass('q') IS NULL, to_regclass('users') IS NOT NULL;
DO $$
BEGIN
	PERFORM dbkit.create_table_sql('q', 'a no_such');
EXCEPTION WHEN undefined_object THEN
	RAISE WARNING 'caught: %', SQLERRM;
	PERFORM dbkit.create_table('q', 'a int');
END $$;
SELECT to_regclass('q') IS NOT NULL;
DROP TABLE q;

-- as somebody else
CREATE ROLE regress_maker;
SET ROLE regress_maker;
SELECT dbkit.create_table('mine', 'a int'); -- fails
SELECT dbkit.create_table_sql('mine', 'a int'); -- fails
RESET ROLE;
GRANT ALL ON SCHEMA made TO regress_maker;
GRANT SELECT ON organizations TO regress_maker;
SET ROLE regress_maker;
SELECT dbkit.create_table('mine', 'organization_id text');
SELECT relowner::regrole, (SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0) FROM pg_class c WHERE relname = 'mine';
RESET ROLE;

-- an operator that somebody has planted gets into no policy
CREATE FUNCTION made.planted(varchar, text) RETURNS boolean LANGUAGE sql RETURN true;
CREATE OPERATOR made.= (FUNCTION = made.planted, LEFTARG = varchar, RIGHTARG = text);
SET dbkit.rule_levels = 'text_id=off, extid=off';
SELECT dbkit.create_table('guarded', 'organization_id varchar');
SELECT polqual LIKE '%:opno 98 %' FROM pg_policy WHERE polrelid = 'guarded'::regclass;
SELECT dbkit.create_table_sql('guarded_too', 'organization_id varchar') ~ 'USING \(organization_id OPERATOR\(pg_catalog\.=\) dbkit';
RESET dbkit.rule_levels;

-- whatever is enforced, and by other agreements
SET dbkit.enforce = off;
SELECT dbkit.create_table_sql('later', 'n int');
RESET dbkit.enforce;
SELECT dbkit.agree('{"preset": "uuid", "rules": {"updated_at_trigger": "fix"}}') \gset
SELECT dbkit.create_table_sql('later', 'n int, organization_id uuid');
SELECT dbkit.create_table_sql('later', 'n int', 'lat'); -- fails
SELECT dbkit.agree('{"preset": "house", "id_style": "any"}') \gset
SELECT dbkit.create_table_sql('later', 'organization_id bytea PRIMARY KEY');
SELECT dbkit.agree('{"preset": "bigint", "id_style": null}') \gset
SELECT dbkit.create_table_sql('later', 'n int, UNIQUE (n)');
SELECT dbkit.agree('{"preset": "rails"}') \gset
SELECT dbkit.create_table_sql('later', 'n int');
SELECT dbkit.agree('{"preset": "minimal"}') \gset
SELECT dbkit.create_table_sql('later', 'n int');
SELECT dbkit.agree('{"preset": "house", "rules": null}') \gset

SET client_min_messages = warning;
DROP SCHEMA made, "We ""ird" CASCADE;
DROP ROLE regress_maker, regress_customer;
