-- Rules that are judged before COMMIT: what keeps and what breaks each of them.
\i sql/include/convention_commit.psql
SELECT id, phase, level, description, fixable FROM dbkit.rules WHERE phase = 'commit';

-- updated_at_trigger
SELECT pg_temp.make('t', 'tst');
DROP TRIGGER updated_at ON t; -- fails
ALTER TABLE t DISABLE TRIGGER updated_at; -- fails
ALTER TABLE t ENABLE REPLICA TRIGGER updated_at; -- fails
ALTER TABLE t ENABLE ALWAYS TRIGGER updated_at;
ALTER TRIGGER updated_at ON t RENAME TO "Stamp It";
ALTER TABLE t DISABLE TRIGGER ALL; -- fails
CREATE OR REPLACE TRIGGER "Stamp It" AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION updated_at(); -- fails
CREATE OR REPLACE TRIGGER "Stamp It" BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION updated_at(); -- fails
CREATE OR REPLACE TRIGGER "Stamp It" BEFORE UPDATE ON t FOR EACH STATEMENT EXECUTE FUNCTION updated_at(); -- fails
CREATE OR REPLACE TRIGGER "Stamp It" BEFORE UPDATE OF storytime ON t FOR EACH ROW EXECUTE FUNCTION updated_at(); -- fails
CREATE OR REPLACE TRIGGER "Stamp It" BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger(); -- fails
CREATE OR REPLACE TRIGGER "Stamp It" BEFORE UPDATE ON t FOR EACH ROW WHEN (false) EXECUTE FUNCTION updated_at(); -- fails
CREATE OR REPLACE TRIGGER "Stamp It" BEFORE UPDATE ON t FOR EACH ROW WHEN (OLD.storytime IS DISTINCT FROM NEW.storytime) EXECUTE FUNCTION updated_at(); -- fails
CREATE OR REPLACE TRIGGER "Stamp It" BEFORE UPDATE ON t FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM OLD.*) EXECUTE FUNCTION updated_at(); -- fails
CREATE OR REPLACE TRIGGER "Stamp It" BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION updated_at('created_at'); -- fails
CREATE OR REPLACE TRIGGER "Stamp It" BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION updated_at('updated_at');
CREATE OR REPLACE TRIGGER "Stamp It" BEFORE UPDATE ON t FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION updated_at();
CREATE OR REPLACE TRIGGER "Stamp It" BEFORE UPDATE ON t FOR EACH ROW WHEN (NEW.* IS DISTINCT FROM OLD.*) EXECUTE FUNCTION updated_at();
CREATE OR REPLACE TRIGGER "Stamp It" BEFORE INSERT OR UPDATE ON t FOR EACH ROW WHEN (true) EXECUTE FUNCTION updated_at();
-- a function of that name in another schema is not dbkit's
CREATE SCHEMA other;
CREATE FUNCTION other.updated_at() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE OR REPLACE TRIGGER "Stamp It" BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION other.updated_at(); -- fails
SELECT dbkit.agree('{"updated_at_functions": ["nothing", "other.updated_at"]}') \gset
CREATE OR REPLACE TRIGGER "Stamp It" BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION other.updated_at();
-- a trigger that is in the way of the fix is replaced by it
BEGIN;
DROP TRIGGER "Stamp It" ON t;
CREATE TRIGGER updated_at AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION other.updated_at();
COMMIT; -- fails
DROP SCHEMA other CASCADE; -- fails
SELECT dbkit.agree('{"updated_at_functions": null}') \gset
BEGIN;
DROP SCHEMA other CASCADE;
CREATE TRIGGER updated_at BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION updated_at();
COMMIT;

-- rls_enabled, rls_policy
ALTER TABLE t DISABLE ROW LEVEL SECURITY; -- fails
DROP POLICY own ON t; -- fails
CREATE POLICY narrow ON t AS RESTRICTIVE USING (id <> '');
DROP POLICY own ON t; -- fails
BEGIN;
DROP POLICY own ON t;
CREATE POLICY own ON t FOR SELECT USING (id <> '');
COMMIT;
ALTER POLICY own ON t RENAME TO other;

-- fk_index
SELECT pg_temp.make('"Parents"', 'par', 'a bigint, b text COLLATE "C", UNIQUE (a, b), UNIQUE (b), UNIQUE (a)');
SELECT pg_temp.make('child', 'chi', '"Pa" bigint, pb text COLLATE "C", FOREIGN KEY ("Pa", pb) REFERENCES "Parents" (a, b), "from" text COLLATE "C" REFERENCES "Parents"'); -- fails
SELECT pg_temp.make('child', 'chi', '"Pa" bigint, pb text COLLATE "C", "from" text COLLATE "C"');
ALTER TABLE child ADD FOREIGN KEY ("Pa", pb) REFERENCES "Parents" (a, b); -- fails
CREATE INDEX wide ON child (pb, "Pa", storytime);
CREATE INDEX partial ON child ("from") WHERE "from" <> '';
CREATE INDEX expression ON child (lower("from"));
CREATE INDEX second ON child (id, "from");
CREATE INDEX included ON child (created_at) INCLUDE ("from");
CREATE INDEX brin ON child USING brin ("from");
CREATE INDEX collated ON child ("from" COLLATE "POSIX");
ALTER TABLE child ADD FOREIGN KEY ("Pa", pb) REFERENCES "Parents" (a, b);
ALTER TABLE child ADD CONSTRAINT "the from" FOREIGN KEY ("from") REFERENCES "Parents"; -- fails
CREATE INDEX hash ON child USING hash ("from");
ALTER TABLE child ADD CONSTRAINT "the from" FOREIGN KEY ("from") REFERENCES "Parents" NOT VALID;
DROP INDEX hash; -- fails
-- one index for all keys that it serves
ALTER TABLE child DROP CONSTRAINT "child_Pa_pb_fkey", ADD CONSTRAINT narrow FOREIGN KEY (pb) REFERENCES "Parents" (b), ADD CONSTRAINT wide FOREIGN KEY ("Pa", pb) REFERENCES "Parents" (a, b),
	ADD CONSTRAINT wide_too FOREIGN KEY (pb, "Pa") REFERENCES "Parents" (b, a), ADD CONSTRAINT first FOREIGN KEY ("Pa") REFERENCES "Parents" (a); -- fails
BEGIN;
DROP INDEX wide;
ALTER TABLE child ADD CONSTRAINT narrow FOREIGN KEY (pb) REFERENCES "Parents" (b), ADD CONSTRAINT wide FOREIGN KEY ("Pa", pb) REFERENCES "Parents" (a, b),
	ADD CONSTRAINT wide_too FOREIGN KEY (pb, "Pa") REFERENCES "Parents" (b, a), ADD CONSTRAINT first FOREIGN KEY ("Pa") REFERENCES "Parents" (a);
COMMIT; -- fails
DROP INDEX wide, hash; -- fails
ALTER TABLE child ADD CONSTRAINT child_from_key UNIQUE ("from");
DROP INDEX hash;
ALTER TABLE child DROP CONSTRAINT child_from_key; -- fails
ALTER TABLE child RENAME CONSTRAINT child_from_key TO key;
ALTER TABLE child RENAME "from" TO whence;
DROP TABLE child;
-- an index may leave out the rows that refer to nothing, and no others
SELECT pg_temp.make('child', 'chi', 'a bigint, b text COLLATE "C", c bigint');
CREATE INDEX present ON child (a) WHERE a IS NOT NULL;
ALTER TABLE child ADD CONSTRAINT one FOREIGN KEY (a) REFERENCES "Parents" (a);
DROP INDEX present; -- fails
ALTER TABLE child DROP CONSTRAINT one;
ALTER TABLE child ADD CONSTRAINT two FOREIGN KEY (a, b) REFERENCES "Parents" (a, b); -- fails
CREATE INDEX first_present ON child (a, b) WHERE a IS NOT NULL;
ALTER TABLE child ADD CONSTRAINT two FOREIGN KEY (a, b) REFERENCES "Parents" (a, b);
BEGIN;
DROP INDEX first_present;
CREATE INDEX both_present ON child (b, a) WHERE b IS NOT NULL AND a IS NOT NULL;
COMMIT;
BEGIN;
DROP INDEX both_present;
CREATE INDEX any_present ON child (b, a) WHERE b IS NOT NULL OR a IS NOT NULL;
COMMIT;
DROP INDEX any_present; -- fails
CREATE INDEX absent ON child (a, b) WHERE a IS NULL;
CREATE INDEX another ON child (a, b) WHERE a IS NOT NULL AND c IS NOT NULL;
CREATE INDEX more ON child (a, b) WHERE a IS NOT NULL AND a > 0;
CREATE INDEX negated ON child (a, b) WHERE NOT (a IS NULL);
CREATE INDEX computed ON child (a, b) WHERE (a + c) IS NOT NULL;
DROP INDEX any_present; -- fails
DROP TABLE child;

-- fk_on_delete
SELECT pg_temp.make('users', 'usr');
SELECT pg_temp.make('organizations', 'org', 'code text COLLATE "C" UNIQUE');
SELECT pg_temp.make('member', 'mem', 'user_id text COLLATE "C" NOT NULL UNIQUE REFERENCES users, organization_id text COLLATE "C" UNIQUE REFERENCES organizations'); -- fails
SELECT pg_temp.make('member', 'mem', 'user_id text COLLATE "C" UNIQUE REFERENCES users ON DELETE RESTRICT ON UPDATE CASCADE,
	code text COLLATE "C" UNIQUE REFERENCES organizations (code) MATCH FULL ON DELETE SET DEFAULT DEFERRABLE INITIALLY DEFERRED'); -- fails
SELECT pg_temp.make('member', 'mem', 'user_id text COLLATE "C" UNIQUE REFERENCES users ON DELETE SET NULL,
	code text COLLATE "C" UNIQUE REFERENCES organizations (code) ON DELETE CASCADE');
SELECT dbkit.agree('{"user_tables": ["nobody"]}') \gset
ALTER TABLE member DROP CONSTRAINT member_user_id_fkey, ADD FOREIGN KEY (user_id) REFERENCES users;
SELECT dbkit.agree('{"user_tables": ["other.users", "public.\"Users\""]}') \gset
COMMENT ON TABLE member IS 'is not judged for this';
ALTER TABLE member SET (fillfactor = 100);
SELECT dbkit.agree('{"user_tables": ["other.users", "PUBLIC.Users"]}') \gset
ALTER TABLE member SET (fillfactor = 100); -- is not judged for what the agreement finds wrong
ALTER TABLE member DROP CONSTRAINT member_user_id_fkey, ADD code2 text COLLATE "C" UNIQUE REFERENCES users; -- fails
SELECT dbkit.agree('{"user_tables": null}') \gset
ALTER TABLE member DROP CONSTRAINT member_user_id_fkey, ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE;

-- extid
ALTER TABLE member ADD stripe_id text COLLATE "C"; -- fails
ALTER TABLE member ADD stripe_extid text COLLATE "C", ADD idea text, ADD valid boolean, ADD "_ID" text;
ALTER TABLE member ADD stripe_id text COLLATE "C"; -- fails
ALTER TABLE member RENAME idea TO idea_id; -- fails
ALTER TABLE member DROP CONSTRAINT member_user_id_fkey; -- fails
SELECT pg_temp.make('other_member', 'omb', 'user_id text COLLATE "C" UNIQUE REFERENCES users ON DELETE CASCADE');
DROP TABLE users CASCADE; -- fails
DROP TABLE other_member, member, users, organizations, "Parents", t;
-- a composite primary key of a partitioned table may have such a column
BEGIN;
SELECT pg_temp.make('tenants', 'ten');
CREATE TABLE event (id text COLLATE "C" NOT NULL DEFAULT generate_id('evt') CHECK (id LIKE 'evt_%'), tenant_id text COLLATE "C" REFERENCES tenants,
	created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb,
	PRIMARY KEY (tenant_id, id)) PARTITION BY LIST (tenant_id);
CREATE TRIGGER updated_at BEFORE UPDATE ON event FOR EACH ROW EXECUTE FUNCTION updated_at();
ALTER TABLE event ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON event USING (id <> '');
COMMIT;
DROP TABLE event, tenants;

-- rls_forced
SET dbkit.rule_levels = 'rls_forced=error';
SELECT pg_temp.make('t', 'tst'); -- fails
RESET dbkit.rule_levels;
SELECT pg_temp.make('t', 'tst');
SET dbkit.rule_levels = 'rls_forced=error';
ALTER TABLE t FORCE ROW LEVEL SECURITY;
ALTER TABLE t NO FORCE ROW LEVEL SECURITY; -- fails
RESET dbkit.rule_levels;

-- policy_with_check
SET dbkit.rule_levels = 'policy_with_check=error';
CREATE POLICY open ON t FOR ALL TO public USING (true); -- fails
CREATE POLICY open ON t FOR INSERT WITH CHECK (true); -- fails
-- without any condition nobody may insert
CREATE POLICY nothing ON t FOR ALL;
DROP POLICY nothing ON t;
CREATE POLICY open ON t FOR ALL USING (id <> '') WITH CHECK (true); -- fails
CREATE POLICY open ON t FOR ALL USING (true) WITH CHECK (id <> '');
ALTER POLICY open ON t WITH CHECK (true); -- fails
CREATE POLICY readable ON t FOR SELECT USING (true);
CREATE POLICY deletable ON t FOR DELETE USING (true);
CREATE POLICY narrow ON t AS RESTRICTIVE USING (true);
RESET dbkit.rule_levels;
ALTER POLICY open ON t WITH CHECK (true); -- warns
-- a restrictive policy for everybody checks for it
CREATE POLICY tenant ON t AS RESTRICTIVE TO CURRENT_USER USING (id <> '');
CREATE POLICY wide ON t WITH CHECK (true); -- warns
DROP POLICY tenant ON t;
CREATE POLICY tenant ON t AS RESTRICTIVE FOR UPDATE USING (id <> '');
CREATE POLICY wider ON t WITH CHECK (true); -- warns
DROP POLICY tenant ON t;
CREATE POLICY tenant ON t AS RESTRICTIVE USING (id <> '');
CREATE POLICY widest ON t WITH CHECK (true);
DROP POLICY widest ON t;
DROP POLICY wider ON t;
DROP POLICY wide ON t;
DROP POLICY open ON t;
DROP POLICY tenant ON t;

-- constraint_validated
SET dbkit.rule_levels = 'constraint_validated=error';
ALTER TABLE t ADD CONSTRAINT "not yet" CHECK (storytime IS NOT NULL) NOT VALID, ADD other text COLLATE "C" UNIQUE REFERENCES t; -- fails
BEGIN;
ALTER TABLE t ADD CONSTRAINT "not yet" CHECK (storytime IS NOT NULL) NOT VALID;
ALTER TABLE t VALIDATE CONSTRAINT "not yet";
COMMIT;
-- a key to a partitioned table has rows for the partitions, too, which VALIDATE leaves alone before 18
SET dbkit.enforce = off;
CREATE TABLE parted (id text COLLATE "C" PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE parted_all PARTITION OF parted DEFAULT;
SET dbkit.enforce = on;
BEGIN;
ALTER TABLE t ADD part_extid text COLLATE "C";
ALTER TABLE t ADD CONSTRAINT "to parted" FOREIGN KEY (part_extid) REFERENCES parted NOT VALID;
ALTER TABLE t VALIDATE CONSTRAINT "to parted";
CREATE INDEX ON t (part_extid);
COMMIT;
ALTER TABLE t DROP part_extid;
DROP TABLE parted;
RESET dbkit.rule_levels;

-- fk_type
SET dbkit.rule_levels = '*=off, fk_type=error';
CREATE DOMAIN big AS bigint;
CREATE TABLE "K.""s" (a bigint PRIMARY KEY, b text COLLATE "C" UNIQUE, c int UNIQUE, d varchar(9) UNIQUE, e big UNIQUE, "F f" numeric, UNIQUE ("F f", a));
CREATE TABLE r (a bigint REFERENCES "K.""s", b text COLLATE "C" REFERENCES "K.""s" (b), c int REFERENCES "K.""s" (c), d varchar REFERENCES "K.""s" (d), e bigint REFERENCES "K.""s" (e),
	f numeric(9), g big, FOREIGN KEY (f, g) REFERENCES "K.""s" ("F f", a));
CREATE TABLE r2 (a int REFERENCES "K.""s"); -- fails
CREATE TABLE r2 (a smallint, "x "" y" int, FOREIGN KEY ("x "" y", a) REFERENCES "K.""s" ("F f", a)); -- fails
CREATE TABLE r2 (b text REFERENCES "K.""s" (b)); -- fails
CREATE TABLE r2 (b varchar COLLATE "POSIX" REFERENCES "K.""s" (b)); -- fails
CREATE TABLE r2 (c bigint REFERENCES "K.""s" (c), d text REFERENCES "K.""s" (d)); -- fails
CREATE TABLE r2 (e int PRIMARY KEY REFERENCES "K.""s" (e)) PARTITION BY LIST (e); -- fails
CREATE TABLE r2 (id bigint PRIMARY KEY, parent int REFERENCES r2); -- fails
ALTER TABLE r ALTER b TYPE text COLLATE "POSIX"; -- fails
ALTER TABLE r ADD h int REFERENCES "K.""s"; -- fails
ALTER TABLE r ADD FOREIGN KEY (c) REFERENCES "K.""s"; -- fails
-- the other end may change
ALTER TABLE "K.""s" ALTER e TYPE numeric; -- fails
ALTER TABLE "K.""s" ALTER b TYPE text; -- fails
BEGIN;
ALTER TABLE "K.""s" ALTER b TYPE text;
ALTER TABLE r ALTER b TYPE text;
COMMIT;
-- what was there before is not new, nor if it only becomes less wrong
SET dbkit.enforce = off;
ALTER TABLE r ALTER b TYPE varchar COLLATE "C", ALTER a TYPE smallint;
RESET dbkit.enforce;
ALTER TABLE r ADD n int;
ALTER TABLE r ALTER a TYPE int, ALTER b TYPE text COLLATE "C";
ALTER TABLE r ALTER c TYPE bigint; -- fails
SELECT problem, fix FROM dbkit.check('r');
-- what another rule says of the column
SET dbkit.rule_levels = '*=off, fk_type=warning, bigint=error, text_id=error';
SELECT rule, problem FROM dbkit.check('r');
SET dbkit.rule_levels = '*=off, fk_type=error, bigint=warning';
SELECT rule, problem FROM dbkit.check('r');
-- the fix
SET dbkit.rule_levels = '*=off, fk_type=fix';
CREATE TABLE r2 (a int REFERENCES "K.""s", b varchar(3) REFERENCES "K.""s" (b)); -- fixes
CREATE TABLE r3 (c bigint REFERENCES "K.""s" (c)); -- fails
RESET dbkit.rule_levels;
DROP TABLE r, r2, "K.""s";
DROP DOMAIN big;

-- column_comment
BEGIN;
SET LOCAL dbkit.rule_levels = 'column_comment=error';
ALTER TABLE t ADD "To Do" text;
COMMENT ON COLUMN t.id IS 'id';
COMMENT ON COLUMN t.created_at IS 'creation';
COMMENT ON COLUMN t.updated_at IS 'last change';
COMMENT ON COLUMN t.storytime IS 'whatever';
COMMIT; -- fails
COMMENT ON COLUMN t.id IS 'id';
COMMENT ON COLUMN t.created_at IS 'creation';
COMMENT ON COLUMN t.updated_at IS 'last change';
COMMENT ON COLUMN t.storytime IS 'whatever';
SET dbkit.rule_levels = 'column_comment=error';
ALTER TABLE t ALTER storytime SET STATISTICS 10;
COMMENT ON COLUMN t.id IS NULL; -- fails
RESET dbkit.rule_levels;

-- table_comment
SET dbkit.rule_levels = 'table_comment=error';
SELECT pg_temp.make('u', 'uuu'); -- fails
BEGIN;
SELECT pg_temp.make('u', 'uuu');
COMMENT ON TABLE u IS 'whatever';
COMMIT;
COMMENT ON COLUMN u.storytime IS 'is judged by its own rule';
COMMENT ON TABLE u IS NULL; -- fails
RESET dbkit.rule_levels;
DROP TABLE u;

-- organization_scope
SET dbkit.rule_levels = 'organization_scope=error';
SELECT pg_temp.make('organizations', 'org');
SELECT pg_temp.make('u', 'uuu'); -- fails
SELECT pg_temp.make('u', 'uuu', 'organization_id text COLLATE "C" UNIQUE REFERENCES organizations ON DELETE CASCADE'); -- fails
SELECT pg_temp.make('u', 'uuu', 'organization_id text COLLATE "C" NOT NULL UNIQUE REFERENCES t'); -- fails
SELECT pg_temp.make('u', 'uuu', 'organization_id text COLLATE "C" NOT NULL UNIQUE REFERENCES organizations ON DELETE CASCADE');
RESET dbkit.rule_levels;
DROP TABLE u, organizations;

-- duplicate_index
SET dbkit.rule_levels = 'duplicate_index=error';
ALTER TABLE t ADD a text, ADD b text;
CREATE INDEX t_a ON t (a);
CREATE INDEX t_a2 ON t (a); -- fails
CREATE INDEX t_a_b ON t (a, b); -- fails
-- one that CLUSTER goes by does what no other does
BEGIN;
ALTER TABLE t CLUSTER ON t_a;
CREATE INDEX t_a_b ON t (a, b);
COMMIT;
CREATE INDEX t_a2 ON t (a); -- fails
DROP INDEX t_a_b;
ALTER TABLE t SET WITHOUT CLUSTER;
CREATE INDEX t_b_a ON t (b, a);
CREATE INDEX t_id ON t (id); -- fails
CREATE UNIQUE INDEX t_a_unique ON t (a); -- fails
CREATE INDEX ON t USING hash (a);
CREATE INDEX ON t (a) WHERE b IS NULL;
CREATE INDEX ON t (lower(a));
CREATE INDEX ON t (a text_pattern_ops);
CREATE INDEX ON t (a COLLATE "POSIX");
CREATE INDEX ON t (a DESC NULLS LAST);
CREATE INDEX ON t (a DESC); -- fails
CREATE INDEX ON t (b DESC, a);
CREATE INDEX ON t (b DESC, a DESC); -- fails
CREATE INDEX ON t (a) INCLUDE (b); -- fails
CREATE INDEX t_b_id ON t (b) INCLUDE (id);
CREATE INDEX ON t (b); -- fails
ALTER TABLE t ADD UNIQUE (b) DEFERRABLE;
CREATE UNIQUE INDEX t_b_now ON t (b);
CREATE UNIQUE INDEX t_b_null ON t (b) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX t_b_again ON t (b); -- fails
CREATE UNIQUE INDEX t_created ON t (created_at);
CREATE UNIQUE INDEX t_created_again ON t (created_at); -- fails
ALTER TABLE t REPLICA IDENTITY USING INDEX t_created;
-- CREATE INDEX answers for its own index only
ALTER TABLE t DISABLE ROW LEVEL SECURITY; -- fails
SET dbkit.enforce = off;
ALTER TABLE t DISABLE ROW LEVEL SECURITY;
RESET dbkit.enforce;
CREATE INDEX t_storytime ON t USING gin (storytime);
CREATE INDEX t_a3 ON t (a); -- fails
DROP TABLE t;
RESET dbkit.rule_levels;

-- invalid_index
SET dbkit.rule_levels = '*=off, invalid_index=error';
CREATE TABLE "P.""t" (a bigint, b bigint) PARTITION BY LIST (a);
CREATE INDEX "no ""part" ON ONLY "P.""t" (a);
CREATE TABLE p1 PARTITION OF "P.""t" FOR VALUES IN (1);
CREATE TABLE "p.2" PARTITION OF "P.""t" FOR VALUES IN (2) PARTITION BY LIST (b);
CREATE TABLE p3 PARTITION OF "P.""t" FOR VALUES IN (3);
CREATE INDEX "i ""x" ON ONLY "P.""t" (b); -- fails
BEGIN;
CREATE INDEX "i ""x" ON ONLY "P.""t" (b);
CREATE INDEX p1_i ON p1 (b);
ALTER INDEX "i ""x" ATTACH PARTITION p1_i;
COMMIT; -- fails
BEGIN;
CREATE INDEX "i ""x" ON ONLY "P.""t" (b);
CREATE INDEX p1_i ON p1 (b);
CREATE INDEX p2_i ON "p.2" (b);
CREATE INDEX p3_i ON p3 (b);
ALTER INDEX "i ""x" ATTACH PARTITION p1_i;
ALTER INDEX "i ""x" ATTACH PARTITION p2_i;
ALTER INDEX "i ""x" ATTACH PARTITION p3_i;
COMMIT;
-- one step after the other, as on a large table
SET dbkit.rule_levels = '*=off, invalid_index=warning';
CREATE INDEX "j" ON ONLY "P.""t" (a, b); -- warns
CREATE INDEX CONCURRENTLY p1_j ON p1 (a, b);
ALTER INDEX j ATTACH PARTITION p1_j;
CREATE INDEX p2_j ON ONLY "p.2" (a, b);
ALTER INDEX j ATTACH PARTITION p2_j;
SELECT problem, fix FROM dbkit.check();
INSERT INTO p3 VALUES (3, 1), (3, 1);
CREATE UNIQUE INDEX CONCURRENTLY "p3 ""u" ON p3 (a, b); -- fails
SELECT problem, fix FROM dbkit.check();
DROP INDEX j;
DELETE FROM p3;
SELECT fix FROM dbkit.check() WHERE fix IS NOT NULL \gexec
SELECT problem, fix FROM dbkit.check();
-- what no partition is left to make valid
ALTER TABLE p1 ADD CHECK (a = 1);
CREATE INDEX k ON ONLY "P.""t" (b, a); -- warns
ALTER TABLE "P.""t" DETACH PARTITION p1;
ALTER TABLE "P.""t" DETACH PARTITION "p.2";
ALTER TABLE "P.""t" DETACH PARTITION p3;
SELECT problem, fix FROM dbkit.check();
DROP TABLE "P.""t", p1, "p.2", p3;
-- what failed
CREATE TABLE q (n bigint, m bigint);
INSERT INTO q VALUES (1, 1), (1, 1);
CREATE UNIQUE INDEX CONCURRENTLY "q ""u" ON q (n); -- fails
SELECT problem, fix FROM dbkit.check('q');
-- it is nobody's who makes another, or changes the table
CREATE INDEX CONCURRENTLY q_m ON q (m);
ALTER TABLE q ADD o bigint;
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "q ""u" ON q (n);
CREATE UNIQUE INDEX CONCURRENTLY q_ccnew12 ON q (n); -- fails
CREATE UNIQUE INDEX CONCURRENTLY "Q_ccold" ON q (n); -- fails
CREATE UNIQUE INDEX CONCURRENTLY q_ccnew_not ON q (n); -- fails
SELECT problem, fix FROM dbkit.check('q');
DELETE FROM q;
SELECT fix FROM dbkit.check('q') \gexec
SELECT problem, fix FROM dbkit.check('q');
SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'q'::regclass ORDER BY 1;
DROP TABLE q;
RESET dbkit.rule_levels;

-- several objects: all are listed, whatever the order
BEGIN;
SELECT pg_temp.make_bare('b', 'bbb');
SELECT pg_temp.make('"A.b"', 'aaa');
DROP POLICY own ON "A.b";
SELECT pg_temp.make('c', 'ccc');
COMMIT; -- fails
-- a statement rule does not wait for the commit
BEGIN;
SELECT pg_temp.make_bare('b', 'bbb');
CREATE VIEW v AS SELECT 1; -- fails
COMMIT;
-- an enum table answers to none of them
CREATE TABLE colour_enum (value text PRIMARY KEY);
DROP TABLE colour_enum;
-- warnings
SET dbkit.rule_levels = 'updated_at_trigger=warning';
SELECT pg_temp.make_bare('b', 'bbb'); -- fails
SET dbkit.rule_levels = 'updated_at_trigger=warning, rls_enabled=warning';
SELECT pg_temp.make_bare('b', 'bbb'); -- warns
ALTER TABLE b ENABLE ROW LEVEL SECURITY; -- fails
DROP TABLE b;

-- what COMMIT would demand of a refused table is said with it, but not what it would fix or warn of,
SET dbkit.rule_levels = 'rls_enabled=fix, updated_at_trigger=warning';
SELECT pg_temp.make_bare('b', 'bbb', 'n integer, other_id text COLLATE "C"'); -- fails
RESET dbkit.rule_levels;
-- and not what is still to come of others in the transaction
BEGIN;
SELECT pg_temp.make_bare('b', 'bbb');
SAVEPOINT a;
SELECT pg_temp.make_bare('c', 'ccc', 'n integer, b_id text COLLATE "C" REFERENCES b'); -- fails
ROLLBACK TO a;
CREATE TABLE c (n integer) INHERITS (b); -- fails
ROLLBACK TO a;
-- nor of a table that is only changed
ALTER TABLE b ADD n integer; -- fails
ROLLBACK;
SET dbkit.rule_levels = '*=off, bigint=error, rls_enabled=error';
CREATE SCHEMA regress_made CREATE TABLE b (n integer) CREATE TABLE c (n bigint); -- fails
CREATE TABLE b AS SELECT 1 AS n; -- fails
SELECT 1 AS n INTO b; -- fails
RESET dbkit.rule_levels;
