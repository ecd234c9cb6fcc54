-- migrate:up
CREATE EXTENSION IF NOT EXISTS dbkit;

-- migrate:down
DROP EXTENSION dbkit;
