-- A schema that deviates from nearly all rules, each time with something that depends on what
-- deviates: tools/fixes runs dbkit's fixes on it with rows in it.
CREATE TYPE mood AS ENUM ('ok', 'bad');
CREATE TYPE address AS (street text, floor integer, since timestamp);
CREATE DOMAIN quantity AS integer CHECK (VALUE > 0);

-- keys of integers, in both directions, to itself, of two columns, in a circle, deferred
CREATE TABLE users (id serial PRIMARY KEY, email varchar(200) UNIQUE, name text, created_at timestamp DEFAULT now(), updated_at timestamp, favorite_id integer);
CREATE TABLE organizations (id serial PRIMARY KEY, name text, parent_id integer REFERENCES organizations, home address);
CREATE TABLE members (user_id integer REFERENCES users, organization_id integer NOT NULL REFERENCES organizations ON DELETE RESTRICT, role mood, PRIMARY KEY (user_id, organization_id));
CREATE TABLE notes (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id integer NOT NULL, organization_id integer NOT NULL, text text, seen timestamp[],
	FOREIGN KEY (user_id, organization_id) REFERENCES members);
CREATE TABLE products (id smallserial PRIMARY KEY, code varchar(20) NOT NULL UNIQUE, vendor_id integer, stock quantity, price money, at timestamp NOT NULL DEFAULT '2020-01-01 00:00', day date GENERATED ALWAYS AS (at::date) STORED,
	owner_id integer REFERENCES users ON DELETE SET DEFAULT DEFERRABLE INITIALLY DEFERRED, created_at date);
ALTER TABLE users ADD FOREIGN KEY (favorite_id) REFERENCES products DEFERRABLE;
CREATE TABLE orders (id bigserial PRIMARY KEY, product_code varchar(20) REFERENCES products (code) ON UPDATE CASCADE, stripe_id varchar(40), n integer DEFAULT 1 CHECK (n < 100 AND n <> 50),
	placed timestamp DEFAULT now(), shipped timestamp CHECK (shipped > '2001-01-01'), storytime json, created_at timestamp with time zone, updated_at timestamp with time zone);

-- keys of texts and of UUIDs
CREATE TABLE sessions (id text PRIMARY KEY, user_id integer REFERENCES users ON DELETE CASCADE, "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, expires timestamp(3) NOT NULL);
CREATE TABLE events (id text NOT NULL PRIMARY KEY, session_id text NOT NULL REFERENCES sessions, previous_id text REFERENCES events, "order" integer);
CREATE TABLE devices (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), session_id varchar(100) REFERENCES sessions, serial_id uuid);
CREATE TABLE readings (device_id uuid NOT NULL REFERENCES devices, at timestamp NOT NULL, value integer, PRIMARY KEY (device_id, at)) PARTITION BY RANGE (at);
CREATE TABLE readings_2024 PARTITION OF readings FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE readings_rest PARTITION OF readings DEFAULT;
CREATE TABLE shares (id serial, organization_id integer REFERENCES organizations, n integer, PRIMARY KEY (id, n)) PARTITION BY HASH (n);
CREATE TABLE shares_0 PARTITION OF shares FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE shares_1 PARTITION OF shares FOR VALUES WITH (MODULUS 2, REMAINDER 1);

-- tables of other kinds
CREATE TABLE base (id integer PRIMARY KEY, n integer, at timestamp);
CREATE TABLE derived (extra integer) INHERITS (base);
CREATE TYPE place AS (id integer, name text, at timestamp);
CREATE TABLE places OF place (PRIMARY KEY (id));
CREATE UNLOGGED TABLE cache (key text, value bytea, n smallint);
CREATE TABLE nothing ();
CREATE TABLE color_enum (id integer PRIMARY KEY, value varchar(10));
CREATE TABLE bookings (id integer PRIMARY KEY, room_id integer, start timestamp, stop timestamp, during tsrange, EXCLUDE USING gist (during WITH &&));
CREATE TABLE "Bad ""One"".x" ("Id" integer PRIMARY KEY, "Other's_id" integer REFERENCES users, "a b" timestamp, "ünïcode" smallint);
CREATE TABLE a_name_that_is_as_long_as_names_can_be_and_has_to_be_cut_off_xx (id integer PRIMARY KEY, a_column_that_is_as_long_as_names_can_be_and_has_to_be_cut_off_id integer REFERENCES users);
CREATE SCHEMA "Other.schema";
CREATE TABLE "Other.schema".users (id integer PRIMARY KEY, user_id integer REFERENCES public.users, updated timestamp);
