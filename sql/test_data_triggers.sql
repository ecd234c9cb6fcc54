-- dbkit.make where triggers know more than CHECKs say, and where a table is full.
SET client_min_messages = warning;
CREATE EXTENSION dbkit_test;
SELECT dbkit.agree('{"rules": null, "id_style": null}') IS NOT NULL AS agreed;
SET dbkit.enforce = off;
CREATE SCHEMA test_data;
SET search_path = test_data, public;

-- a base whose row the trigger of its subtypes inserts, with what it copies; two keys lead to it
CREATE TABLE projects (id text PRIMARY KEY);
CREATE TABLE bases (id text PRIMARY KEY CHECK (id <> ''), project_id text NOT NULL REFERENCES projects, label text NOT NULL, UNIQUE (project_id, id));
CREATE FUNCTION insert_base() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN INSERT INTO test_data.bases VALUES (NEW.id, NEW.project_id, NEW.label); RETURN NEW; END$$;
CREATE TABLE subtypes (id text PRIMARY KEY REFERENCES bases, project_id text NOT NULL, label text NOT NULL CHECK (label ~ '^l-[0-9]{3}$'),
	FOREIGN KEY (project_id, id) REFERENCES bases (project_id, id));
CREATE TRIGGER insert_base BEFORE INSERT ON subtypes FOR EACH ROW EXECUTE FUNCTION insert_base();
SELECT count(*) FROM dbkit.make(NULL::subtypes);
SELECT count(*) FROM dbkit.make_many(NULL::subtypes, 3);
SELECT count(*) AS bases, count(DISTINCT project_id) AS projects, bool_and(label LIKE 'l-___') AS labels FROM bases JOIN subtypes USING (id, project_id, label);

-- a base below a base, and a parent that is a subtype itself: its base is the base's parent
CREATE TABLE base_items (id text PRIMARY KEY, base_id text NOT NULL REFERENCES bases, UNIQUE (base_id, id));
CREATE TABLE items (id text PRIMARY KEY, base_id text NOT NULL REFERENCES subtypes, FOREIGN KEY (base_id, id) REFERENCES base_items (base_id, id));
CREATE FUNCTION insert_item() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN INSERT INTO test_data.base_items VALUES (NEW.id, NEW.base_id); RETURN NEW; END$$;
CREATE TRIGGER insert_item BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION insert_item();
SELECT count(*) FROM dbkit.make(NULL::items);
SELECT (SELECT count(*) FROM base_items) AS items, (SELECT count(*) FROM subtypes) AS subtypes, (SELECT count(*) FROM bases) AS bases;

-- the key of a base by default: a trigger has to insert it, and there a unique parent
CREATE TABLE buckets (id int PRIMARY KEY);
CREATE TABLE secrets (id uuid PRIMARY KEY, bucket_id int NOT NULL UNIQUE REFERENCES buckets);
CREATE FUNCTION insert_secret() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN INSERT INTO test_data.secrets VALUES (NEW.id, NEW.bucket_id); RETURN NEW; END$$;
CREATE TABLE plain_secrets (id uuid PRIMARY KEY DEFAULT gen_random_uuid() REFERENCES secrets, bucket_id int NOT NULL);
CREATE TRIGGER insert_secret BEFORE INSERT ON plain_secrets FOR EACH ROW EXECUTE FUNCTION insert_secret();
SELECT count(*) FROM dbkit.make(NULL::plain_secrets);

-- what is tried and refused leaves nothing behind
SELECT (SELECT count(*) FROM buckets) AS buckets, (SELECT count(*) FROM secrets) AS secrets;

-- columns that an error names, one after the other
CREATE TABLE orders (id int PRIMARY KEY, buyer text, seller text, rest text);
CREATE FUNCTION complete() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
	IF NEW.buyer IS NULL THEN RAISE 'an order has a buyer'; END IF;
	IF NEW.seller IS NULL THEN RAISE 'no seller: %', NEW.id; END IF;
	IF NEW.rest IS NOT NULL THEN RAISE 'restless'; END IF;
	RETURN NEW; END$$;
CREATE TRIGGER complete BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION complete();
SELECT buyer IS NOT NULL AS buyer, seller IS NOT NULL AS seller, rest FROM dbkit.make(NULL::orders);

-- all columns, where nothing is named
CREATE TABLE forms (id int PRIMARY KEY, a text, b text);
CREATE FUNCTION filled() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF NEW.a IS NULL OR NEW.b IS NULL THEN RAISE 'incomplete'; END IF; RETURN NEW; END$$;
CREATE TRIGGER filled BEFORE INSERT ON forms FOR EACH ROW EXECUTE FUNCTION filled();
SELECT a IS NOT NULL AS a, b IS NOT NULL AS b FROM dbkit.make(NULL::forms);

-- a foreign key of a parent that could be null, and columns that have to be equal
CREATE TABLE people (id int, area int NOT NULL, PRIMARY KEY (area, id));
CREATE TABLE accounts (id int PRIMARY KEY, area int NOT NULL, person_area int, person_id int, FOREIGN KEY (person_area, person_id) REFERENCES people (area, id),
	CHECK ((person_id IS NULL AND person_area IS NULL) OR (person_id IS NOT NULL AND person_area = area)));
CREATE TABLE tokens (id int PRIMARY KEY, account_id int NOT NULL REFERENCES accounts);
CREATE FUNCTION of_person() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
	IF NOT EXISTS (SELECT FROM test_data.accounts WHERE id = NEW.account_id AND accounts.person_id IS NOT NULL) THEN RAISE 'nobody'; END IF;
	RETURN NEW; END$$;
CREATE TRIGGER of_person BEFORE INSERT ON tokens FOR EACH ROW EXECUTE FUNCTION of_person();
SELECT count(*) FROM dbkit.make(NULL::tokens);
SELECT area = person_area AS same, count(*) FROM accounts GROUP BY 1;
CREATE TABLE twins (a text NOT NULL UNIQUE, b text NOT NULL, c timestamptz NOT NULL DEFAULT now(), d timestamptz NOT NULL DEFAULT now(), CHECK (a = b), CHECK (c < d));
SELECT count(DISTINCT a), bool_and(a = b) FROM dbkit.make_many(NULL::twins, 3);

-- a parent that has to be a row of a certain subtype
CREATE TABLE animals (id int PRIMARY KEY);
CREATE FUNCTION insert_animal() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO test_data.animals VALUES (NEW.id); RETURN NEW; END$$;
CREATE TABLE cats (id int PRIMARY KEY REFERENCES animals);
CREATE TABLE dogs (id int PRIMARY KEY REFERENCES animals);
CREATE TRIGGER insert_animal BEFORE INSERT ON cats FOR EACH ROW EXECUTE FUNCTION insert_animal();
CREATE TRIGGER insert_animal BEFORE INSERT ON dogs FOR EACH ROW EXECUTE FUNCTION insert_animal();
CREATE TABLE kennels (id int PRIMARY KEY, animal_id int NOT NULL REFERENCES animals);
CREATE FUNCTION for_dogs() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
	IF NOT EXISTS (SELECT FROM test_data.dogs WHERE id = NEW.animal_id) THEN RAISE 'dogs only'; END IF;
	RETURN NEW; END$$;
CREATE TRIGGER for_dogs BEFORE INSERT ON kennels FOR EACH ROW EXECUTE FUNCTION for_dogs();
SELECT count(*) FROM dbkit.make(NULL::kennels);
SELECT (SELECT count(*) FROM animals) AS animals, (SELECT count(*) FROM cats) AS cats, (SELECT count(*) FROM dogs) AS dogs;
CREATE TABLE vehicles (id int PRIMARY KEY, org int NOT NULL, wheels int NOT NULL DEFAULT 4, UNIQUE (org, id, wheels));
CREATE FUNCTION insert_vehicle() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO test_data.vehicles VALUES (NEW.id, NEW.org); RETURN NEW; END$$;
CREATE TABLE cars (id int PRIMARY KEY REFERENCES vehicles, org int NOT NULL);
CREATE TRIGGER insert_vehicle BEFORE INSERT ON cars FOR EACH ROW EXECUTE FUNCTION insert_vehicle();
CREATE TABLE garages (id int PRIMARY KEY, org int NOT NULL CHECK (org = 3), vehicle_id int NOT NULL, wheels int NOT NULL CHECK (wheels = 4), FOREIGN KEY (org, vehicle_id, wheels) REFERENCES vehicles (org, id, wheels));
CREATE FUNCTION for_cars() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
	IF NOT EXISTS (SELECT FROM test_data.cars WHERE id = NEW.vehicle_id) THEN RAISE 'cars only'; END IF;
	RETURN NEW; END$$;
CREATE TRIGGER for_cars BEFORE INSERT ON garages FOR EACH ROW EXECUTE FUNCTION for_cars();
SELECT org, wheels FROM dbkit.make(NULL::garages);

-- a deferred trigger that asks for rows which reference this one, of one table or of a parent
CREATE TABLE notes (id int PRIMARY KEY, bill_id int NOT NULL);
CREATE TABLE stamps (id int PRIMARY KEY, color text, bill_code text);
CREATE TABLE shades (color text PRIMARY KEY);
CREATE TABLE bills (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, total int NOT NULL, code text UNIQUE);
ALTER TABLE stamps ADD FOREIGN KEY (color) REFERENCES shades, ADD FOREIGN KEY (bill_code) REFERENCES bills (code);
ALTER TABLE notes ADD FOREIGN KEY (bill_id) REFERENCES bills;
CREATE TABLE lines (id int PRIMARY KEY, bill_id int NOT NULL REFERENCES bills);
CREATE FUNCTION has_lines() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
	IF NOT EXISTS (SELECT FROM test_data.lines WHERE bill_id = NEW.id) THEN RAISE 'a bill has lines'; END IF;
	RETURN NULL; END$$;
CREATE CONSTRAINT TRIGGER has_lines AFTER INSERT ON bills DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION has_lines();
SELECT count(*) FROM dbkit.make(NULL::bills);
SELECT count(*) FROM dbkit.make_many(NULL::bills, 2);
SELECT count(*) FROM dbkit.make(NULL::notes);
SELECT count(*) FROM dbkit.make(NULL::lines);
SELECT (SELECT count(*) FROM bills) AS bills, (SELECT count(DISTINCT bill_id) FROM lines) AS with_lines, (SELECT count(*) FROM notes) AS notes;

-- the trigger waits again afterwards, and says itself what nothing meets
BEGIN;
SELECT count(*) FROM dbkit.make(NULL::bills);
INSERT INTO bills (total) VALUES (1);
COMMIT; -- fails
CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'never'; END$$;
CREATE TABLE hopeless (id int PRIMARY KEY);
CREATE TABLE hopes (id int PRIMARY KEY REFERENCES hopeless);
CREATE CONSTRAINT TRIGGER never AFTER INSERT ON hopeless DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION never();
SELECT FROM dbkit.make(NULL::hopeless); -- fails

-- the first error is told, where nothing helps
CREATE TABLE immutable (id int PRIMARY KEY, never int, parent_id int REFERENCES immutable);
CREATE TRIGGER never BEFORE INSERT ON immutable FOR EACH ROW EXECUTE FUNCTION never();
SELECT FROM dbkit.make(NULL::immutable); -- fails

-- few values: one that is free, or none
CREATE TABLE colors (color text PRIMARY KEY CHECK (color IN ('red', 'green', 'blue')));
INSERT INTO colors VALUES ('red'), ('blue');
SELECT * FROM dbkit.make(NULL::colors);
SELECT FROM dbkit.make(NULL::colors); -- fails
CREATE TABLE switches (on_off boolean NOT NULL DEFAULT true UNIQUE);
SELECT count(*) FROM dbkit.make(NULL::switches);
SELECT count(*) FROM dbkit.make(NULL::switches);
SELECT on_off FROM switches ORDER BY on_off;
SELECT FROM dbkit.make(NULL::switches); -- fails
CREATE TABLE settings (single boolean PRIMARY KEY DEFAULT true CHECK (single));
SELECT * FROM dbkit.make(NULL::settings);
SELECT FROM dbkit.make(NULL::settings); -- fails
CREATE TABLE version (version int NOT NULL);
CREATE UNIQUE INDEX version_one_row ON version ((version IS NOT NULL));
SELECT count(*) FROM dbkit.make(NULL::version);
SELECT FROM dbkit.make(NULL::version); -- fails
CREATE TABLE pairs (color text NOT NULL REFERENCES colors, size text NOT NULL CHECK (size IN ('s', 'l')), UNIQUE (color, size));
INSERT INTO pairs SELECT color, size FROM colors, unnest(ARRAY['s', 'l']) AS size WHERE (color, size) <> ('green', 'l');
SELECT * FROM dbkit.make(NULL::pairs);
SELECT FROM dbkit.make(NULL::pairs); -- fails

-- it is not full if a CHECK can be met in another way, if null is possible, or if the index leaves rows out
CREATE TABLE either (kind text NOT NULL UNIQUE, CHECK (kind IN ('a', 'b') OR length(kind) > 5));
INSERT INTO either VALUES ('a'), ('b');
SELECT length(kind) > 5 AS long FROM dbkit.make(NULL::either);
CREATE TABLE maybe (kind text UNIQUE CHECK (kind IN ('a', 'b')));
INSERT INTO maybe VALUES ('a'), ('b');
SELECT * FROM dbkit.make(NULL::maybe);
CREATE TABLE partial (kind text NOT NULL CHECK (kind = 'a'), gone boolean NOT NULL DEFAULT true);
CREATE UNIQUE INDEX ON partial (kind) WHERE NOT gone;
SELECT count(*) FROM dbkit.make_many(NULL::partial, 2);
SELECT FROM dbkit.make(NULL::colors, '{"color": "red"}'); -- fails

-- a table without partitions
CREATE TABLE parted (at date NOT NULL) PARTITION BY RANGE (at);
SELECT FROM dbkit.make(NULL::parted); -- fails

-- CHECKs: the beginning of a text, what is not to follow, TRIM and POSITION
CREATE TABLE addresses (a text NOT NULL CHECK (left(btrim(a), 4) = 'dns:' OR left(a, 5) = 'cidr:'), b text NOT NULL CHECK (b ~ '^(?!-)[a-z-]{1,5}$'),
	c text NOT NULL CHECK (position('|' IN c) = 0), d text NOT NULL CHECK (length(trim(both from d)) > 30), e text CHECK (NOT (ROW(e, d) IS NULL)));
SELECT left(a, 4) AS a, length(b) AS b, c ~ '^c_' AS c, length(d) AS d, e FROM dbkit.make(NULL::addresses);

DROP SCHEMA test_data CASCADE;
DROP EXTENSION dbkit_test;
