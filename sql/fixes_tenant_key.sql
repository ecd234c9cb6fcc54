-- The fix of tenant_key: the unique key over both columns, an index, and the key in place of the one without the tenant.
\set roles '{regress_owner}'
\i sql/include/leftovers.psql
SET dbkit.enforce = off;
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_owner;
CREATE SCHEMA regress_keys;
SET search_path = regress_keys;
SET dbkit.rule_levels = '*=off, tenant_key=error, fk_index=error';
CREATE TABLE organizations (id text PRIMARY KEY);
CREATE TABLE boxes (id text PRIMARY KEY, organization_id text REFERENCES organizations, parent_id text REFERENCES boxes ON DELETE SET NULL);
CREATE INDEX ON boxes (organization_id);
CREATE INDEX ON boxes (parent_id);
CREATE TABLE parcels (organization_id text, box_id text REFERENCES boxes ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED, second_box_id text REFERENCES boxes ON DELETE CASCADE);
CREATE INDEX ON parcels (box_id, organization_id);
CREATE TABLE "Odd ""one""" (organization_id text, "Box id" text CONSTRAINT "the ""key""" REFERENCES boxes ON DELETE SET DEFAULT);
INSERT INTO organizations VALUES ('org_a'), ('org_b');
INSERT INTO boxes VALUES ('box_a', 'org_a', NULL), ('box_b', 'org_b', 'box_b'), ('box_a2', 'org_a', 'box_a');
INSERT INTO parcels VALUES ('org_a', 'box_a', 'box_a2'), ('org_b', NULL, 'box_b'), (NULL, 'box_a', 'box_b');
SELECT object_identity, column_name, risk, fix FROM dbkit.check() WHERE rule = 'tenant_key';
SELECT dbkit.fixes('locks');
SELECT dbkit.fixes('breaks');
-- rows of two tenants are mixed: somebody has to say which of them is right
INSERT INTO parcels VALUES ('org_a', 'box_b');
SELECT dbkit.fixes('breaks', 'parcels');
DELETE FROM parcels WHERE organization_id = 'org_a' AND box_id = 'box_b';

-- they run in that order, with enforcement on, and leave nothing
SET dbkit.enforce = on;
SELECT dbkit.fixes('breaks') \gexec
SELECT * FROM dbkit.check();
SELECT dbkit.fixes('breaks');
SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'regress_keys'::regnamespace AND contype = 'f' ORDER BY conrelid::regclass::text COLLATE "C", conname COLLATE "C";
INSERT INTO parcels VALUES ('org_a', 'box_b', NULL); -- fails
DELETE FROM boxes WHERE id = 'box_a';
SELECT * FROM parcels ORDER BY 1, 2, 3;
SELECT * FROM boxes ORDER BY id;

-- on large tables nobody waits, and the old key holds until the new one is valid
SET dbkit.enforce = off;
SET client_min_messages = error;
DROP SCHEMA regress_keys CASCADE;
CREATE SCHEMA regress_keys;
RESET client_min_messages;
CREATE TABLE organizations (id text PRIMARY KEY);
CREATE TABLE boxes (id text PRIMARY KEY, organization_id text);
CREATE TABLE parcels (organization_id text, box_id text REFERENCES boxes, crate_id text REFERENCES boxes);
INSERT INTO organizations VALUES ('org_a');
INSERT INTO boxes SELECT 'box_' || i, 'org_a' FROM generate_series(1, 3000) i;
INSERT INTO parcels SELECT 'org_a', id, id FROM boxes;
SET dbkit.large_table_size = '64kB';
SET dbkit.max_lock_time = '1h'; -- on a slow machine, too
SELECT dbkit.fixes('breaks');
SELECT dbkit.fixes('breaks') \gexec
SELECT * FROM dbkit.check();
SELECT conname, convalidated, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'parcels'::regclass ORDER BY conname COLLATE "C";
RESET dbkit.large_table_size;

-- a key that is there is used; without one, that of somebody else's table cannot be made; what cannot be, is not proposed
CREATE TABLE crates (id text PRIMARY KEY, organization_id text, UNIQUE (id, organization_id));
CREATE TABLE theirs (id text PRIMARY KEY, organization_id text);
CREATE TABLE numbered (id text PRIMARY KEY, organization_id bigint);
CREATE TABLE divided (id text, n int, organization_id text, PRIMARY KEY (id, n)) PARTITION BY LIST (n);
CREATE TABLE letters (organization_id text, crate_id text REFERENCES crates NOT NULL, their_id text REFERENCES theirs, number_id text REFERENCES numbered, divided_id text, n int,
  FOREIGN KEY (divided_id, n) REFERENCES divided MATCH FULL, sent_id text REFERENCES boxes ON UPDATE SET NULL);
ALTER TABLE theirs OWNER TO regress_owner;
SELECT fix FROM dbkit.check() WHERE rule = 'tenant_key';
-- a key that is not valid stays so
ALTER TABLE letters DROP CONSTRAINT letters_crate_id_fkey, ADD CONSTRAINT letters_crate_id_fkey FOREIGN KEY (crate_id) REFERENCES crates NOT VALID;
SELECT fix FROM dbkit.check() WHERE rule = 'tenant_key' AND column_name = 'crate_id';
DROP TABLE letters, divided, numbered, theirs, crates;

-- as another role; and at level fix, at COMMIT
ALTER TABLE boxes OWNER TO regress_owner;
CREATE TABLE letters (organization_id text, box_id text REFERENCES boxes);
ALTER TABLE letters OWNER TO regress_owner;
GRANT USAGE ON SCHEMA regress_keys TO regress_owner;
SELECT dbkit.fixes('breaks', 'letters');
RESET dbkit.enforce;
SET dbkit.rule_levels = '*=off, tenant_key=fix';
BEGIN;
CREATE TABLE bags (id text PRIMARY KEY, organization_id text);
CREATE TABLE stamps (organization_id text, bag_id text REFERENCES bags);
COMMIT;
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'stamps'::regclass ORDER BY conname;
SET dbkit.rule_levels = '*=off, tenant_key=error';
-- what is refused is told how it should be
CREATE TABLE more_stamps (organization_id text, bag_id text REFERENCES bags);
CREATE TABLE pouches (id text PRIMARY KEY, organization_id text, pouch_id text REFERENCES pouches);

SET client_min_messages = error;
SET dbkit.enforce = off;
DROP SCHEMA regress_keys CASCADE;
DROP ROLE regress_owner;
