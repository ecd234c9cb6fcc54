\echo Use "CREATE EXTENSION dbkit_audit" to load this file. \quit

-- the log -----------------------------------------------------------------

CREATE TABLE dbkit.audit_log (
	at pg_catalog.timestamptz NOT NULL,
	transaction pg_catalog.xid8 NOT NULL,
	system_identifier bigint NOT NULL,
	salt bigint NOT NULL,
	relation pg_catalog.regclass,
	pid integer NOT NULL,
	id pg_catalog.text COLLATE pg_catalog."C" NOT NULL,
	relation_identity pg_catalog.text,
	row_id pg_catalog.text COLLATE pg_catalog."C",
	operation pg_catalog.text COLLATE pg_catalog."C" NOT NULL,
	old_values pg_catalog.jsonb,
	new_values pg_catalog.jsonb,
	user_id pg_catalog.text,
	organization_id pg_catalog.text,
	role pg_catalog.text,
	session_role pg_catalog.text,
	client_address pg_catalog.inet,
	application_name pg_catalog.text
) PARTITION BY RANGE (at);
COMMENT ON TABLE dbkit.audit_log IS
'What has changed in the tables that dbkit.audit() was called for, a row for each row that a statement changed, by month (UTC). Written by triggers; superusers apart, nobody has a right to change it, and dbkit.audit_check() finds what they change. Roles to which SELECT is granted see the entries of the tenant context that they have entered';
COMMENT ON COLUMN dbkit.audit_log.at IS 'When the statement ended that made the change, by the clock';
COMMENT ON COLUMN dbkit.audit_log.transaction IS 'The transaction of the change, as pg_current_xact_id() gives it';
COMMENT ON COLUMN dbkit.audit_log.system_identifier IS 'The database cluster that the transaction was one of: after a restore, numbers of transactions begin anew';
COMMENT ON COLUMN dbkit.audit_log.salt IS 'A random number, so that values that were erased cannot be guessed from the hash that a seal has of them';
COMMENT ON COLUMN dbkit.audit_log.relation IS 'The table: for a partition, the one that it is a partition of; NULL for what is about the log itself';
COMMENT ON COLUMN dbkit.audit_log.pid IS 'The process of the server that made the change';
COMMENT ON COLUMN dbkit.audit_log.id IS 'The id of the entry';
COMMENT ON COLUMN dbkit.audit_log.relation_identity IS 'The name that the table had then, quoted where it has to be';
COMMENT ON COLUMN dbkit.audit_log.row_id IS 'The primary key of the row: its text; if it has several columns or is neither text nor number, typed JSON of an array. NULL for what is about no row';
COMMENT ON COLUMN dbkit.audit_log.operation IS
'INSERT, UPDATE or DELETE of a row; TRUNCATE of a table; AUDIT and UNAUDIT, where the log of a table begins and ends';
COMMENT ON COLUMN dbkit.audit_log.old_values IS 'UPDATE: the columns that changed, as they were. DELETE: the row, without columns that were NULL. As typed JSON, in which {"__sentinel": "masked"} stands for a value that the log is not to show';
COMMENT ON COLUMN dbkit.audit_log.new_values IS 'UPDATE: the columns that changed, as they are since. INSERT: the row, without columns that are NULL. As typed JSON, like old_values';
COMMENT ON COLUMN dbkit.audit_log.user_id IS 'The user of the tenant context that was entered, or NULL';
COMMENT ON COLUMN dbkit.audit_log.organization_id IS 'The organization of that context, or NULL';
COMMENT ON COLUMN dbkit.audit_log.role IS 'The role that had the right to make the change: for a cascade of a foreign key, the owner of the table';
COMMENT ON COLUMN dbkit.audit_log.session_role IS 'The role of the session';
COMMENT ON COLUMN dbkit.audit_log.client_address IS 'The address of the client, or NULL for one that is connected through a socket';
COMMENT ON COLUMN dbkit.audit_log.application_name IS 'What the client calls itself';
ALTER TABLE dbkit.audit_log REPLICA IDENTITY FULL;

ALTER TABLE dbkit.audit_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_entries ON dbkit.audit_log FOR SELECT TO PUBLIC
	USING (organization_id OPERATOR(pg_catalog.=) dbkit.organization_id()
		OR dbkit.organization_id() IS NULL AND organization_id IS NULL AND user_id OPERATOR(pg_catalog.=) dbkit.user_id());
COMMENT ON POLICY own_entries ON dbkit.audit_log IS
'A tenant sees what was done in its context. Superusers and roles with BYPASSRLS see all';

CREATE TABLE dbkit.audit_log_default PARTITION OF dbkit.audit_log DEFAULT;
COMMENT ON TABLE dbkit.audit_log_default IS
'Takes the entries of months that have no partition: empty as long as dbkit.audit(), audit_seal() or audit_trim() is called once in two years';
CREATE INDEX audit_log_default_row ON dbkit.audit_log_default (row_id, relation);
ALTER TABLE dbkit.audit_log_default REPLICA IDENTITY FULL;
ALTER TABLE dbkit.audit_log_default ENABLE ROW LEVEL SECURITY;
SELECT pg_catalog.pg_extension_config_dump('dbkit.audit_log_default'::pg_catalog.regclass, ''::pg_catalog.text);

-- The relation is an OID in the log, which a row's copy elsewhere does not have.
CREATE TRIGGER ignore_replicated BEFORE INSERT OR UPDATE OR DELETE ON dbkit.audit_log
	FOR EACH ROW EXECUTE FUNCTION dbkit.ignore_replicated();
ALTER TABLE dbkit.audit_log ENABLE REPLICA TRIGGER ignore_replicated;
COMMENT ON TRIGGER ignore_replicated ON dbkit.audit_log IS
'A publication FOR ALL TABLES sends the log too, and a subscriber has its own';

-- which tables ------------------------------------------------------------

CREATE FUNCTION dbkit.audit(relation pg_catalog.regclass, masked pg_catalog.name[] DEFAULT '{}'::pg_catalog.name[]) RETURNS void
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dbkit_audit';
COMMENT ON FUNCTION dbkit.audit(pg_catalog.regclass, pg_catalog.name[]) IS
'writes all changes of the rows of a table, its partitions and children to dbkit.audit_log, from now on; called again it sets which columns are masked. masked: columns of which the log says only that they changed. For the owner of the table, else insufficient_privilege; wrong_object_type for what is no table or a temporary one, object_not_in_prerequisite_state without a primary key and for a partition of an audited table, undefined_column, invalid_parameter_value for a masked column of the key';

CREATE FUNCTION dbkit.unaudit(relation pg_catalog.regclass) RETURNS boolean
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dbkit_unaudit';
COMMENT ON FUNCTION dbkit.unaudit(pg_catalog.regclass) IS
'ends what dbkit.audit() began; false if the table was not audited. What is in the log stays. Errors as for dbkit.audit()';

CREATE FUNCTION dbkit.audit_statement() RETURNS pg_catalog.trigger
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dbkit_audit_statement';
COMMENT ON FUNCTION dbkit.audit_statement() IS
'trigger function of dbkit.audit(): writes what a statement has changed to the log';

CREATE FUNCTION dbkit.audit_row() RETURNS pg_catalog.trigger
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dbkit_audit_row';
COMMENT ON FUNCTION dbkit.audit_row() IS
'trigger function of dbkit.audit(): writes what logical replication has changed to the log';

CREATE FUNCTION dbkit.audit_masked() RETURNS pg_catalog.trigger
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dbkit_audit_masked';
COMMENT ON FUNCTION dbkit.audit_masked() IS
'trigger function of dbkit.audit(): does nothing; a trigger that is disabled says with its UPDATE OF which column is masked, and follows its renames';

-- reading -----------------------------------------------------------------

CREATE FUNCTION dbkit.audit_history(relation pg_catalog.regclass, row_id pg_catalog.text) RETURNS SETOF dbkit.audit_log
	LANGUAGE sql STABLE STRICT PARALLEL SAFE AS
'SELECT l.* FROM dbkit.audit_log AS l WHERE l.row_id OPERATOR(pg_catalog.=) $2 AND l.relation OPERATOR(pg_catalog.=) $1 ORDER BY l.at, l.id';
COMMENT ON FUNCTION dbkit.audit_history(pg_catalog.regclass, pg_catalog.text) IS
'what the log has about a row, oldest first, with the rights of the caller. relation: the table that dbkit.audit() was called for; row_id: the text of its primary key, as the log has it';

CREATE FUNCTION dbkit.as_of(sample anyelement, row_id pg_catalog.text, at pg_catalog.timestamptz) RETURNS anyelement
	LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dbkit_as_of';
COMMENT ON FUNCTION dbkit.as_of(anyelement, pg_catalog.text, pg_catalog.timestamptz) IS
'a row of an audited table as it was at that time, or NULL where there was none; masked columns that changed since are NULL. sample: NULL::the_table, else wrong_object_type; row_id: the text of its primary key, as the log has it; object_not_in_prerequisite_state for a table that is not audited, no_data_found where a TRUNCATE, or a time without audit, keeps the log from telling, insufficient_privilege for a role that does not see all rows of the table and of the log';

-- event triggers ----------------------------------------------------------

CREATE FUNCTION dbkit.audit_follow() RETURNS pg_catalog.event_trigger
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dbkit_audit_follow';
COMMENT ON FUNCTION dbkit.audit_follow() IS
'event trigger function: audits new partitions and children of audited tables';

CREATE EVENT TRIGGER dbkit_audit_follow ON ddl_command_end
	WHEN TAG IN ('ALTER TABLE', 'CREATE FOREIGN TABLE', 'CREATE SCHEMA', 'CREATE TABLE')
	EXECUTE FUNCTION dbkit.audit_follow();
COMMENT ON EVENT TRIGGER dbkit_audit_follow IS
'Audits partitions and children of audited tables, when they are made or attached';
