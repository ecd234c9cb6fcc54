-- dbkit.suggest(): the agreement that the tables already follow.
\set roles '{regress_reader}'
\i sql/include/leftovers.psql
\set ECHO none
\pset format unaligned
\pset tuples_only on
\pset null NULL
\set SHOW_CONTEXT never
SET client_min_messages = warning;
\i sql/include/tables.psql
\set ECHO all
-- nothing to learn from
SELECT dbkit.suggest();

-- the house
SET dbkit.enforce = off;
SELECT pg_temp.make_bare(name || 's', left(name, 3), 'organization_id text COLLATE "C" NOT NULL')
FROM unnest(ARRAY['user', 'invoice', 'widget', 'gadget']) AS name;
SELECT pg_temp.make_bare('organizations', 'org');
SELECT format('ALTER TABLE %1$s ADD FOREIGN KEY (organization_id) REFERENCES organizations ON DELETE CASCADE;
	CREATE INDEX ON %1$s (organization_id)', name) FROM unnest(ARRAY['users', 'invoices', 'widgets', 'gadgets']) AS name ORDER BY name \gexec
SELECT format('CREATE TRIGGER updated_at BEFORE UPDATE ON %1$s FOR EACH ROW EXECUTE FUNCTION updated_at();
	ALTER TABLE %1$s ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON %1$s USING (dbkit.user_id() IS NOT NULL)', relname)
FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname \gexec
RESET dbkit.enforce;
SELECT dbkit.suggest();
SELECT * FROM dbkit.check();
DROP TABLE users, invoices, widgets, gadgets, organizations;

-- uuid keys, camelCase, tenants, a trigger of its own, as TypeORM and Prisma write them
SET dbkit.enforce = off;
CREATE SCHEMA app;
SET search_path = app, public;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW."updatedAt" = now(); RETURN NEW; END $$;
CREATE TABLE tenant (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name varchar NOT NULL,
	"createdAt" timestamptz NOT NULL DEFAULT now(), "updatedAt" timestamptz NOT NULL DEFAULT now());
CREATE TABLE "user" (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant_id uuid NOT NULL REFERENCES tenant ON DELETE CASCADE, email varchar,
	"createdAt" timestamptz NOT NULL DEFAULT now(), "updatedAt" timestamptz NOT NULL DEFAULT now());
CREATE FUNCTION pg_temp.make(name text, more text DEFAULT '') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE app.%1$I (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant_id uuid NOT NULL REFERENCES app.tenant ON DELETE CASCADE,
		"createdAt" timestamptz NOT NULL DEFAULT now(), "updatedAt" timestamptz NOT NULL DEFAULT now(), state integer %2$s)', name, more);
END $$;
SELECT pg_temp.make(name, ', "userId" uuid REFERENCES app."user" ON DELETE CASCADE')
FROM unnest(ARRAY['order', 'invoice', 'payment', 'session', 'apiKey', 'comment', 'file', 'page', 'task']) AS name;
SELECT pg_temp.make('legacy', ', at timestamp');
CREATE TABLE "orderFile" ("orderId" uuid REFERENCES "order", "fileId" uuid REFERENCES file, PRIMARY KEY ("orderId", "fileId"));
CREATE INDEX ON "orderFile" ("fileId");
SELECT format('CREATE INDEX ON %s (%I)', conrelid::regclass, attname)
FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
WHERE contype = 'f' AND connamespace = 'app'::regnamespace AND conrelid <> '"orderFile"'::regclass ORDER BY conrelid, attnum \gexec
SELECT format('CREATE TRIGGER touch BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION touch()', attrelid::regclass)
FROM pg_attribute WHERE attname = 'updatedAt' ORDER BY attrelid \gexec
-- another one runs as often and sets something else
CREATE FUNCTION app.keep_id() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.id := OLD.id; RETURN NEW; END';
SELECT format('CREATE TRIGGER keep_id BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION app.keep_id()', attrelid::regclass)
FROM pg_attribute WHERE attname = 'updatedAt' ORDER BY attrelid \gexec
CREATE TYPE mood AS ENUM ('good', 'bad');
-- a ledger does not count
CREATE TABLE migrations (id serial PRIMARY KEY, "timestamp" bigint NOT NULL, name varchar NOT NULL);
RESET dbkit.enforce;
SELECT jsonb_pretty(dbkit.suggest());
SELECT * FROM dbkit.suggestion;
SELECT dbkit.agree(dbkit.suggest());
SELECT dbkit.suggest() = dbkit.suggest();
SELECT dbkit.agreement() @> dbkit.suggest();
-- what deviates from the team's own habits
SELECT rule, level, object_identity, problem FROM dbkit.check();
SELECT count(*) FROM dbkit.check() WHERE concat(rule, problem, fix) ~ 'storytime|generate_id|text';
-- what its own team would refuse, and would not
CREATE TABLE note (id serial PRIMARY KEY, "userId" integer); -- fails
BEGIN;
SELECT pg_temp.make('note', ', "userId" uuid REFERENCES app."user" ON DELETE CASCADE, mood mood, count integer');
CREATE INDEX ON note (tenant_id);
CREATE TRIGGER touch BEFORE UPDATE ON note FOR EACH ROW EXECUTE FUNCTION touch();
COMMIT; -- fails
BEGIN;
SELECT pg_temp.make('note', ', "userId" uuid REFERENCES app."user" ON DELETE CASCADE, mood mood, count integer');
CREATE INDEX ON note (tenant_id);
CREATE INDEX ON note ("userId");
CREATE TRIGGER touch BEFORE UPDATE ON note FOR EACH ROW EXECUTE FUNCTION touch();
COMMIT;
SET search_path = public;
SET dbkit.enforce = off;
DROP SCHEMA app CASCADE;
DROP FUNCTION dbkit_agreement();

-- Rails
CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY);
CREATE TABLE ar_internal_metadata (key varchar NOT NULL PRIMARY KEY, value varchar, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL);
CREATE TABLE accounts (id bigserial PRIMARY KEY, name varchar, plan integer DEFAULT 0, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL);
CREATE TABLE users (id bigserial PRIMARY KEY, account_id bigint NOT NULL REFERENCES accounts, email varchar DEFAULT '' NOT NULL, sign_in_count integer,
	created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL);
CREATE FUNCTION pg_temp.make_rails(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %1$s (id bigserial PRIMARY KEY, account_id bigint NOT NULL REFERENCES accounts, user_id bigint REFERENCES users,
		title varchar, subject_type varchar, subject_id bigint, position integer, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL);
		CREATE INDEX ON %1$s (account_id); CREATE INDEX ON %1$s (user_id)', name);
END $$;
SELECT pg_temp.make_rails(name) FROM unnest(ARRAY['messages', 'inboxes', 'contacts', 'labels', 'notes']) AS name;
CREATE INDEX ON users (account_id);
SELECT jsonb_pretty(dbkit.suggest());
SELECT dbkit.agree(dbkit.suggest());
RESET dbkit.enforce;
SELECT rule, level, object_identity, problem FROM dbkit.check();
CREATE TABLE tags (id serial PRIMARY KEY, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL); -- fails
SELECT pg_temp.make_rails('tags');
BEGIN;
CREATE TABLE replies (id bigserial PRIMARY KEY, tag_id bigint REFERENCES tags, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL);
COMMIT; -- fails
DROP TABLE messages, inboxes, contacts, labels, notes, tags, users, accounts, schema_migrations, ar_internal_metadata;
DROP FUNCTION dbkit_agreement();

-- Django
SET dbkit.enforce = off;
CREATE TABLE django_migrations (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, app varchar(255) NOT NULL, name varchar(255) NOT NULL, applied timestamptz NOT NULL);
CREATE TABLE django_session (session_key varchar(40) PRIMARY KEY, session_data text NOT NULL, expire_date timestamptz NOT NULL);
CREATE TABLE auth_user (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, username varchar(150) NOT NULL UNIQUE, date_joined timestamptz NOT NULL);
CREATE TABLE auth_group (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name varchar(150) NOT NULL UNIQUE);
CREATE TABLE auth_user_groups (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	user_id integer NOT NULL REFERENCES auth_user DEFERRABLE INITIALLY DEFERRED, group_id integer NOT NULL REFERENCES auth_group DEFERRABLE INITIALLY DEFERRED);
CREATE INDEX ON auth_user_groups (user_id);
CREATE INDEX ON auth_user_groups (group_id);
CREATE FUNCTION pg_temp.make_django(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %1$s (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, title varchar(200) NOT NULL, rank smallint NOT NULL,
		created timestamptz NOT NULL, modified timestamptz NOT NULL, user_id integer NOT NULL);
		ALTER TABLE %1$s ADD FOREIGN KEY (user_id) REFERENCES auth_user DEFERRABLE INITIALLY DEFERRED; CREATE INDEX ON %1$s (user_id)', name);
END $$;
SELECT pg_temp.make_django('shop_' || name) FROM unnest(ARRAY['order', 'item', 'cart', 'voucher', 'review', 'address']) AS name;
SELECT jsonb_pretty(dbkit.suggest());
SELECT dbkit.agree(dbkit.suggest());
RESET dbkit.enforce;
SELECT rule, level, object_identity, problem FROM dbkit.check();
BEGIN;
SELECT pg_temp.make_django('shop_refund');
COMMIT;
BEGIN;
CREATE TABLE shop_bill (id serial, total integer); -- only warns
ROLLBACK;
BEGIN;
CREATE TABLE shop_bill (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, user_id integer);
ALTER TABLE shop_bill ADD FOREIGN KEY (user_id) REFERENCES auth_user DEFERRABLE INITIALLY DEFERRED;
COMMIT; -- fails
-- the preset alone takes what Django makes
SELECT dbkit.agree('{"rules": null, "id_style": null, "preset": "django"}') IS NOT NULL;
BEGIN;
SELECT pg_temp.make_django('shop_bill');
CREATE TABLE copy_session (LIKE django_session INCLUDING ALL);
COMMIT;
DROP TABLE copy_session, shop_bill, shop_order, shop_item, shop_cart, shop_voucher, shop_review, shop_address, shop_refund, auth_user_groups, auth_group, auth_user,
	django_session, django_migrations;
DROP FUNCTION dbkit_agreement();

-- for any role, and also in a transaction that only reads
CREATE ROLE regress_reader;
BEGIN READ ONLY;
SET LOCAL ROLE regress_reader;
SELECT dbkit.suggest();
SELECT key, value FROM dbkit.suggestion WHERE key NOT LIKE 'rules.%';
COMMIT;
DROP ROLE regress_reader;
