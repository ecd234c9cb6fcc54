-- All fixes of dbkit.check() run one after the other, with rows in the table.
\i sql/include/convention.psql
-- timestamps are taken as UTC, once, whatever the session thinks
SET timezone = 'Asia/Tokyo';
SELECT pg_temp.try(pg_temp.table_sql('example', 'exa', 'at timestamp'));
SET dbkit.enforce = off;
SELECT pg_temp.try(replace(pg_temp.table_sql('example', 'exa', 'at timestamp, n serial'), 'timestamptz', 'timestamp'));
INSERT INTO example (at) VALUES ('2020-01-01 00:00');
UPDATE example SET created_at = at;
SELECT fix FROM dbkit.check('example') \gexec
SELECT at AT TIME ZONE 'UTC', created_at AT TIME ZONE 'UTC', n FROM example;
SELECT data_type FROM pg_sequences WHERE sequencename = 'example_n_seq';
DROP TABLE example;
RESET dbkit.enforce;
RESET timezone;
