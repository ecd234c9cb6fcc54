-- Testing policies with pgTAP: the idiom of docs/how-to/test-policies.md, on its kind of table.
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
SET LOCAL dbkit.enforce = off;
CREATE ROLE customer;
CREATE TABLE organizations (id text COLLATE "C" PRIMARY KEY);
CREATE TABLE documents (id text COLLATE "C" PRIMARY KEY, organization_id text COLLATE "C" NOT NULL REFERENCES organizations(id));
SELECT dbkit.protect('documents');
GRANT SELECT, INSERT, UPDATE, DELETE ON documents TO customer;

SELECT plan(5);
INSERT INTO organizations (id) VALUES ('org_a'), ('org_b');
INSERT INTO documents (id, organization_id) VALUES ('doc_a', 'org_a'), ('doc_b', 'org_b');
SET LOCAL ROLE customer;
SELECT is_empty('SELECT * FROM documents', 'nobody sees documents without a context');
SELECT dbkit.enter('usr_a', 'org_a');
SELECT is(array_agg(id), ARRAY['doc_a'], 'a sees its own documents') FROM documents;
SELECT throws_ok($$INSERT INTO documents VALUES ('doc_c', 'org_b')$$, '42501', NULL, 'and plants none at b');
SELECT is_empty($$UPDATE documents SET id = 'doc_x' WHERE id = 'doc_b' RETURNING id$$, 'and changes none of b');
SELECT lives_ok($$INSERT INTO documents VALUES ('doc_d', 'org_a')$$, 'and makes its own');
SELECT * FROM finish();
ROLLBACK;
