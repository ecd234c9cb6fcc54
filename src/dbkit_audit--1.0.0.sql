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
'INSERT, UPDATE or DELETE of a row; TRUNCATE of a table; AUDIT and UNAUDIT, where the log of a table begins and ends; ERASE and TRIM, what dbkit.audit_erase() and audit_trim() did to the log';
COMMENT ON COLUMN dbkit.audit_log.old_values IS 'UPDATE: the columns that changed, as they were. DELETE: the row, without columns that were NULL. As typed JSON, in which {"__sentinel": "masked"} stands for a value that the log is not to show. NULL where the values were erased';
COMMENT ON COLUMN dbkit.audit_log.new_values IS 'UPDATE: the columns that changed, as they are since. INSERT: the row, without columns that are NULL. As typed JSON, like old_values. Where the values were erased, {"__sentinel": "erased"} with what proves them. ERASE, TRIM: what was done';
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
'Takes the entries of months that have no partition: empty as long as dbkit.audit(), audit_seal(), audit_trim() or audit_erase() is called once in two years';
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

CREATE FUNCTION dbkit.audit(relation pg_catalog.regclass, masked pg_catalog.name[] DEFAULT '{}'::pg_catalog.name[]) RETURNS pg_catalog.void
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
$$SELECT l.* FROM dbkit.audit_log AS l WHERE l.row_id OPERATOR(pg_catalog.=) $2 AND l.relation OPERATOR(pg_catalog.=) $1 ORDER BY l.at, l.id$$;
COMMENT ON FUNCTION dbkit.audit_history(pg_catalog.regclass, pg_catalog.text) IS
'what the log has about a row, oldest first, with the rights of the caller. relation: the table that dbkit.audit() was called for; row_id: the text of its primary key, as the log has it';

CREATE FUNCTION dbkit.as_of(sample anyelement, row_id pg_catalog.text, at pg_catalog.timestamptz) RETURNS anyelement
	LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dbkit_as_of';
COMMENT ON FUNCTION dbkit.as_of(anyelement, pg_catalog.text, pg_catalog.timestamptz) IS
'a row of an audited table as it was at that time, or NULL where there was none; masked columns that changed since are NULL. Partitions that were attached, detached or dropped since count as they are now. sample: NULL::the_table, else wrong_object_type; row_id: the text of its primary key, as the log has it; object_not_in_prerequisite_state for a table that is not audited, no_data_found where a TRUNCATE, or a time without audit, keeps the log from telling, insufficient_privilege for a role that does not see all rows of the table and of the log';

-- seals -------------------------------------------------------------------

CREATE TABLE dbkit.audit_seals (
	number bigint PRIMARY KEY,
	at pg_catalog.timestamptz NOT NULL,
	system_identifier bigint NOT NULL,
	snapshot pg_catalog.pg_snapshot NOT NULL,
	entries bigint NOT NULL,
	hash pg_catalog.text NOT NULL
);
COMMENT ON TABLE dbkit.audit_seals IS
'The seals of the log of changes, each of which covers the entries of all transactions that its snapshot sees and the seals before do not';
COMMENT ON COLUMN dbkit.audit_seals.number IS 'From 1 on without a gap';
COMMENT ON COLUMN dbkit.audit_seals.at IS 'When it was made';
COMMENT ON COLUMN dbkit.audit_seals.system_identifier IS 'The database cluster that the snapshot is of';
COMMENT ON COLUMN dbkit.audit_seals.snapshot IS 'Which transactions it sees';
COMMENT ON COLUMN dbkit.audit_seals.entries IS 'How many entries it covers';
COMMENT ON COLUMN dbkit.audit_seals.hash IS 'SHA-256 of the seal before it and of all entries that it covers. Kept somewhere else, it proves everything up to here';

CREATE TABLE dbkit.audit_sealed (
	seal bigint NOT NULL,
	chunk bigint NOT NULL,
	ids pg_catalog.uuid[] NOT NULL,
	ats pg_catalog.timestamptz[] NOT NULL,
	hashes pg_catalog.bytea[] NOT NULL,
	PRIMARY KEY (seal, chunk)
);
COMMENT ON TABLE dbkit.audit_sealed IS 'What each seal has of its entries, some hundred in a row, by transaction and id';
COMMENT ON COLUMN dbkit.audit_sealed.seal IS 'The number of the seal';
COMMENT ON COLUMN dbkit.audit_sealed.chunk IS 'From 0 on';
COMMENT ON COLUMN dbkit.audit_sealed.ids IS 'The UUIDs in the ids of the entries';
COMMENT ON COLUMN dbkit.audit_sealed.ats IS 'When they were written';
COMMENT ON COLUMN dbkit.audit_sealed.hashes IS 'What dbkit.audit_entry_hash() gave for them';
SELECT pg_catalog.pg_extension_config_dump('dbkit.audit_seals'::pg_catalog.regclass, ''::pg_catalog.text);
SELECT pg_catalog.pg_extension_config_dump('dbkit.audit_sealed'::pg_catalog.regclass, ''::pg_catalog.text);
CREATE TRIGGER ignore_replicated BEFORE INSERT OR UPDATE OR DELETE ON dbkit.audit_seals
	FOR EACH ROW EXECUTE FUNCTION dbkit.ignore_replicated();
ALTER TABLE dbkit.audit_seals ENABLE REPLICA TRIGGER ignore_replicated;
COMMENT ON TRIGGER ignore_replicated ON dbkit.audit_seals IS
'A subscriber seals a log of its own';
CREATE TRIGGER ignore_replicated BEFORE INSERT OR UPDATE OR DELETE ON dbkit.audit_sealed
	FOR EACH ROW EXECUTE FUNCTION dbkit.ignore_replicated();
ALTER TABLE dbkit.audit_sealed ENABLE REPLICA TRIGGER ignore_replicated;
COMMENT ON TRIGGER ignore_replicated ON dbkit.audit_sealed IS
'A subscriber seals a log of its own';

CREATE FUNCTION dbkit.audit_values_hash(salt bigint, old_values pg_catalog.jsonb, new_values pg_catalog.jsonb) RETURNS pg_catalog.bytea
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE AS $$
SELECT CASE WHEN $1 OPERATOR(pg_catalog.=) 0::pg_catalog.int8 AND $3 OPERATOR(pg_catalog.->>) '__sentinel'::pg_catalog.text OPERATOR(pg_catalog.=) 'erased'::pg_catalog.text
	THEN pg_catalog.decode($3 OPERATOR(pg_catalog.->>) 'hash'::pg_catalog.text, 'hex'::pg_catalog.text)
	ELSE pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.jsonb_build_array($1, $2, $3)::pg_catalog.text, 'UTF8'::pg_catalog.name)) END
$$;
COMMENT ON FUNCTION dbkit.audit_values_hash(bigint, pg_catalog.jsonb, pg_catalog.jsonb) IS
'the SHA-256 of the values of an entry, with a salt, or what audit_erase() has left of them; it stands for them in dbkit.audit_entry_hash(), so that they can be erased';

CREATE FUNCTION dbkit.audit_entry_hash(entry dbkit.audit_log, values_hash pg_catalog.bytea) RETURNS pg_catalog.bytea
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE AS $$
SELECT pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.jsonb_build_array(
	EXTRACT(epoch FROM ($1).at), ($1).transaction::pg_catalog.text, ($1).system_identifier, ($1).pid, ($1).id, ($1).relation_identity, ($1).row_id, ($1).operation,
	($1).user_id, ($1).organization_id, ($1).role, ($1).session_role, pg_catalog.host(($1).client_address), ($1).application_name,
	pg_catalog.encode($2, 'hex'::pg_catalog.text))::pg_catalog.text, 'UTF8'::pg_catalog.name))
$$;
COMMENT ON FUNCTION dbkit.audit_entry_hash(dbkit.audit_log, pg_catalog.bytea) IS
'the SHA-256 of an entry of the log: of all its columns but the OID of the relation, which a restore changes; values_hash is what dbkit.audit_values_hash() gives';

CREATE FUNCTION dbkit.audit_seal_hash(number bigint, system_identifier bigint, snapshot pg_catalog.pg_snapshot, entries bigint) RETURNS pg_catalog.text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.jsonb_build_array($1, $2, $3::pg_catalog.text, $4,
		(SELECT s.hash FROM dbkit.audit_seals AS s WHERE s.number OPERATOR(pg_catalog.=) ($1 OPERATOR(pg_catalog.-) 1::pg_catalog.int8)))::pg_catalog.text, 'UTF8'::pg_catalog.name)
	OPERATOR(pg_catalog.||) COALESCE((SELECT pg_catalog.string_agg(pg_catalog.sha256(pg_catalog.array_send(c.ids) OPERATOR(pg_catalog.||)
			pg_catalog.array_send(c.ats) OPERATOR(pg_catalog.||) pg_catalog.array_send(c.hashes)), ''::pg_catalog.bytea ORDER BY c.chunk)
		FROM dbkit.audit_sealed AS c WHERE c.seal OPERATOR(pg_catalog.=) $1), ''::pg_catalog.bytea)), 'hex'::pg_catalog.text)
$$;
COMMENT ON FUNCTION dbkit.audit_seal_hash(bigint, bigint, pg_catalog.pg_snapshot, bigint) IS
'what the hash of a seal has to be, given what dbkit.audit_seals has of it, the hash of the seal before it and what dbkit.audit_sealed has of its entries';

CREATE VIEW dbkit.audit_unsealed WITH (security_invoker = true) AS
SELECT l.*
FROM dbkit.audit_log AS l
LEFT JOIN (SELECT DISTINCT ON (s.system_identifier) s.system_identifier, s.number, s.snapshot FROM dbkit.audit_seals AS s
	ORDER BY s.system_identifier, s.number DESC) AS last ON last.system_identifier OPERATOR(pg_catalog.=) l.system_identifier
WHERE (last.number IS NULL OR NOT pg_catalog.pg_visible_in_snapshot(l.transaction, last.snapshot))
	-- What came here with a restore is covered by the first seal that is made here.
	AND (l.system_identifier OPERATOR(pg_catalog.=) (SELECT c.system_identifier FROM pg_catalog.pg_control_system() AS c)
		OR COALESCE(last.number, 0::pg_catalog.int8) OPERATOR(pg_catalog.=) (SELECT COALESCE(pg_catalog.max(s.number), 0::pg_catalog.int8) FROM dbkit.audit_seals AS s));
COMMENT ON VIEW dbkit.audit_unsealed IS 'The entries of the log that no seal covers, as far as the caller sees them';

CREATE FUNCTION dbkit.audit_months() RETURNS pg_catalog.void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dbkit_audit_months';
COMMENT ON FUNCTION dbkit.audit_months() IS
'makes the partitions of the log for this month and the 24 to come, without making those who write wait; dbkit.audit(), audit_seal(), audit_trim() and audit_erase() do it, too. For superusers, else insufficient_privilege; active_sql_transaction as for audit_seal()';

CREATE FUNCTION dbkit.audit_note(operation pg_catalog.text, row_id pg_catalog.text, details pg_catalog.jsonb) RETURNS pg_catalog.void
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dbkit_audit_note';
COMMENT ON FUNCTION dbkit.audit_note(pg_catalog.text, pg_catalog.text, pg_catalog.jsonb) IS
'writes what dbkit.audit_erase() and audit_trim() did to the log into it. operation: ERASE or TRIM, else invalid_parameter_value. For superusers, else insufficient_privilege; active_sql_transaction as for audit_seal()';

CREATE PROCEDURE dbkit.audit_seal(INOUT hash pg_catalog.text DEFAULT NULL)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	seen pg_catalog.pg_snapshot;
	system bigint;
	next_number bigint;
	covered bigint;
BEGIN
	PERFORM dbkit.audit_months();
	SELECT c.system_identifier INTO system FROM pg_catalog.pg_control_system() AS c;
	LOCK TABLE dbkit.audit_seals IN SHARE ROW EXCLUSIVE MODE;
	SELECT COALESCE(pg_catalog.max(s.number), 0::pg_catalog.int8) OPERATOR(pg_catalog.+) 1::pg_catalog.int8 INTO next_number FROM dbkit.audit_seals AS s;
	-- A snapshot does not list its own transaction as running. That may write more entries, so the next seal covers all of them.
	SELECT CASE WHEN pg_catalog.pg_visible_in_snapshot(own, taken)
		THEN pg_catalog.concat_ws(':'::pg_catalog.text, pg_catalog.pg_snapshot_xmin(taken), pg_catalog.pg_snapshot_xmax(taken), (
			SELECT pg_catalog.string_agg(x.id::pg_catalog.text, ','::pg_catalog.text ORDER BY x.id)
			FROM (SELECT pg_catalog.pg_snapshot_xip(taken) UNION ALL SELECT own) AS x (id)))::pg_catalog.pg_snapshot
		ELSE taken END
	INTO seen FROM pg_catalog.pg_current_snapshot() AS taken, pg_catalog.pg_current_xact_id_if_assigned() AS own;
	INSERT INTO dbkit.audit_sealed (seal, chunk, ids, ats, hashes)
	SELECT next_number, e.n OPERATOR(pg_catalog./) 500::pg_catalog.int8,
		pg_catalog.array_agg(e.id ORDER BY e.n), pg_catalog.array_agg(e.at ORDER BY e.n), pg_catalog.array_agg(e.hash ORDER BY e.n)
	FROM (
		SELECT pg_catalog.row_number() OVER (ORDER BY u.transaction, u.id) OPERATOR(pg_catalog.-) 1::pg_catalog.int8 AS n, u.id, u.at, u.hash
		FROM (
			SELECT l.transaction, dbkit.id_uuid(l.id) AS id, l.at, dbkit.audit_entry_hash(
				ROW(l.*)::dbkit.audit_log, dbkit.audit_values_hash(l.salt, l.old_values, l.new_values)) AS hash
			FROM dbkit.audit_unsealed AS l
			WHERE l.system_identifier OPERATOR(pg_catalog.<>) system OR pg_catalog.pg_visible_in_snapshot(l.transaction, seen)) AS u) AS e
	GROUP BY e.n OPERATOR(pg_catalog./) 500::pg_catalog.int8;
	SELECT COALESCE(pg_catalog.sum(pg_catalog.cardinality(c.ids)), 0::pg_catalog.int8) INTO covered FROM dbkit.audit_sealed AS c WHERE c.seal OPERATOR(pg_catalog.=) next_number;
	hash := dbkit.audit_seal_hash(next_number, system, seen, covered);
	INSERT INTO dbkit.audit_seals (number, at, system_identifier, snapshot, entries, hash)
	VALUES (next_number, pg_catalog.clock_timestamp(), system, seen, covered, hash);
END $$;
COMMENT ON PROCEDURE dbkit.audit_seal(pg_catalog.text) IS
'seals the entries of the log that no seal covers, of all transactions that have ended, and returns the hash of the seal; kept somewhere else, it proves everything up to here. Those who write to the log do not wait. For superusers, else insufficient_privilege; active_sql_transaction under REPEATABLE READ and SERIALIZABLE';

CREATE FUNCTION dbkit.audit_check(hash pg_catalog.text DEFAULT NULL)
	RETURNS TABLE (problem pg_catalog.text, seal bigint, id pg_catalog.text, at pg_catalog.timestamptz)
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE SET row_security = off SET jit = off AS $$
WITH trimmed AS (
	SELECT COALESCE(pg_catalog.max((l.new_values OPERATOR(pg_catalog.->>) 'before'::pg_catalog.text)::pg_catalog.timestamptz), '-infinity'::pg_catalog.timestamptz) AS before
	FROM dbkit.audit_log AS l WHERE l.operation OPERATOR(pg_catalog.=) 'TRIM'::pg_catalog.text AND l.relation IS NULL
), erased AS (
	SELECT DISTINCT pg_catalog.jsonb_array_elements_text(l.new_values OPERATOR(pg_catalog.->) 'ids'::pg_catalog.text) AS id
	FROM dbkit.audit_log AS l
	WHERE l.operation OPERATOR(pg_catalog.=) 'ERASE'::pg_catalog.text AND l.relation IS NULL
), sealed AS (
	SELECT s.seal, e.id, e.at, e.hash
	FROM dbkit.audit_sealed AS s, ROWS FROM (pg_catalog.unnest(s.ids), pg_catalog.unnest(s.ats), pg_catalog.unnest(s.hashes)) AS e (id, at, hash)
), entries AS (
	SELECT l.id, l.at, CASE WHEN dbkit.is_id(l.id, 'aud'::pg_catalog.text) THEN dbkit.id_uuid(l.id) END AS sealed_id,
		pg_catalog.count(*) OVER (PARTITION BY l.id) AS copies,
		dbkit.audit_entry_hash(l, dbkit.audit_values_hash(l.salt, l.old_values, l.new_values)) AS hash,
		-- Who blanks values without a word has erased none.
		l.salt OPERATOR(pg_catalog.=) 0::pg_catalog.int8 AND e.id IS NULL AS blanked
	FROM dbkit.audit_log AS l LEFT JOIN erased AS e ON e.id OPERATOR(pg_catalog.=) l.id
)
SELECT CASE
		WHEN s.id IS NULL THEN 'inserted'::pg_catalog.text
		WHEN e.sealed_id IS NULL THEN 'removed'::pg_catalog.text
		WHEN e.copies OPERATOR(pg_catalog.>) 1::pg_catalog.int8 THEN 'inserted'::pg_catalog.text
		ELSE 'changed'::pg_catalog.text END,
	s.seal, COALESCE(e.id, dbkit.id_from_uuid('aud'::pg_catalog.text, s.id)), COALESCE(s.at, e.at)
FROM sealed AS s FULL JOIN entries AS e ON e.sealed_id OPERATOR(pg_catalog.=) s.id
WHERE s.id IS NULL AND NOT EXISTS (SELECT FROM dbkit.audit_unsealed AS u WHERE u.id OPERATOR(pg_catalog.=) e.id)
	OR s.id IS NOT NULL AND (e.sealed_id IS NULL AND s.at OPERATOR(pg_catalog.>=) (SELECT t.before FROM trimmed AS t)
		OR e.copies OPERATOR(pg_catalog.>) 1::pg_catalog.int8 OR e.hash OPERATOR(pg_catalog.<>) s.hash OR e.blanked)
UNION ALL
SELECT 'seal'::pg_catalog.text, s.number, NULL::pg_catalog.text, s.at
FROM dbkit.audit_seals AS s
WHERE s.hash OPERATOR(pg_catalog.<>) dbkit.audit_seal_hash(s.number, s.system_identifier, s.snapshot, s.entries)
	OR s.entries OPERATOR(pg_catalog.<>) (SELECT COALESCE(pg_catalog.sum(pg_catalog.cardinality(c.ids)), 0::pg_catalog.int8) FROM dbkit.audit_sealed AS c WHERE c.seal OPERATOR(pg_catalog.=) s.number)
	OR s.number OPERATOR(pg_catalog.>) 1::pg_catalog.int8
		AND NOT EXISTS (SELECT FROM dbkit.audit_seals AS b WHERE b.number OPERATOR(pg_catalog.=) (s.number OPERATOR(pg_catalog.-) 1::pg_catalog.int8))
UNION ALL
SELECT 'hash'::pg_catalog.text, NULL::pg_catalog.int8, NULL::pg_catalog.text, NULL::pg_catalog.timestamptz
WHERE $1 IS NOT NULL AND NOT EXISTS (SELECT FROM dbkit.audit_seals AS s WHERE s.hash OPERATOR(pg_catalog.=) $1)
ORDER BY 4, 3, 1
$$;
COMMENT ON FUNCTION dbkit.audit_check(pg_catalog.text) IS
'what in the log is not as it was sealed, a row for each: an entry that was changed, removed or inserted, a seal that does not fit its entries or the seal before it, and, as hash, that no seal has the hash of the argument: one that audit_seal() gave and that was kept somewhere else. No row where all is well. insufficient_privilege for roles that do not see the whole log';

CREATE FUNCTION dbkit.audit_trim(before pg_catalog.timestamptz) RETURNS bigint
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET DateStyle = ISO AS $$
DECLARE
	month pg_catalog.record;
	here bigint;
	removed bigint := 0;
	trimmed_until pg_catalog.timestamptz;
BEGIN
	PERFORM dbkit.audit_months();
	FOR month IN
		-- The default partition has no end: its months are emptied up to the last one that is over.
		SELECT m.relation, m.ends_at IS NULL AS is_default,
			COALESCE(m.ends_at, pg_catalog.date_trunc('month'::pg_catalog.text, LEAST(before, pg_catalog.now()), 'UTC'::pg_catalog.text)) AS ends_at
		FROM (
			SELECT c.oid::pg_catalog.regclass AS relation,
				(pg_catalog.regexp_match(pg_catalog.pg_get_expr(c.relpartbound, c.oid), 'TO \(''(.*)''\)'::pg_catalog.text))[1]::pg_catalog.timestamptz AS ends_at
			FROM pg_catalog.pg_inherits AS i JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.inhrelid
			WHERE i.inhparent OPERATOR(pg_catalog.=) 'dbkit.audit_log'::pg_catalog.regclass) AS m
		WHERE m.ends_at IS NULL OR m.ends_at OPERATOR(pg_catalog.<=) LEAST(before, pg_catalog.now())
		ORDER BY 3
	LOOP
		-- Nobody writes to a month that is over, but for a statement that began in it.
		EXECUTE pg_catalog.format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE'::pg_catalog.text, month.relation);
		EXECUTE pg_catalog.format('SELECT pg_catalog.count(*) FROM %s AS l WHERE l.at OPERATOR(pg_catalog.<) $1'::pg_catalog.text, month.relation) INTO here USING month.ends_at;
		CONTINUE WHEN here OPERATOR(pg_catalog.=) 0::pg_catalog.int8;
		PERFORM FROM dbkit.audit_unsealed AS u
		WHERE u.at OPERATOR(pg_catalog.<) month.ends_at;
		IF FOUND THEN
			RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state'::pg_catalog.text,
				MESSAGE = pg_catalog.format('%s has entries that are not sealed'::pg_catalog.text, month.relation),
				HINT = 'CALL dbkit.audit_seal() first.'::pg_catalog.text;
		END IF;
		IF month.is_default THEN
			EXECUTE pg_catalog.format('DELETE FROM %s AS l WHERE l.at OPERATOR(pg_catalog.<) $1'::pg_catalog.text, month.relation) USING month.ends_at;
		ELSE
			EXECUTE pg_catalog.format('TRUNCATE %s'::pg_catalog.text, month.relation);
		END IF;
		removed := removed OPERATOR(pg_catalog.+) here;
		trimmed_until := month.ends_at;
	END LOOP;
	IF removed OPERATOR(pg_catalog.>) 0::pg_catalog.int8 THEN
		PERFORM dbkit.audit_note('TRIM'::pg_catalog.text, NULL::pg_catalog.text,
			pg_catalog.jsonb_build_object('before'::pg_catalog.text, trimmed_until, 'entries'::pg_catalog.text, removed));
	END IF;
	RETURN removed;
END $$;
COMMENT ON FUNCTION dbkit.audit_trim(pg_catalog.timestamptz) IS
'removes the entries of all months that ended before that time, also those in the default partition, notes it in the log, and returns how many they were; the partitions stay, empty, so that nobody who writes has to wait. object_not_in_prerequisite_state while an entry from before the end of such a month is not sealed, active_sql_transaction as for audit_seal(); for superusers, else insufficient_privilege';

CREATE FUNCTION dbkit.audit_erase(row_id pg_catalog.text, reason pg_catalog.text) RETURNS bigint
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ids pg_catalog.text[];
BEGIN
	PERFORM dbkit.audit_months();
	IF pg_catalog.btrim(reason) OPERATOR(pg_catalog.=) ''::pg_catalog.text THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value'::pg_catalog.text, MESSAGE = 'erasing values needs a reason'::pg_catalog.text;
	END IF;
	WITH erased AS (
		UPDATE dbkit.audit_log AS l SET old_values = NULL, salt = 0, new_values = pg_catalog.jsonb_build_object('__sentinel'::pg_catalog.text, 'erased'::pg_catalog.text,
			'hash'::pg_catalog.text, pg_catalog.encode(dbkit.audit_values_hash(l.salt, l.old_values, l.new_values), 'hex'::pg_catalog.text))
		WHERE l.row_id OPERATOR(pg_catalog.=) $1 AND l.relation IS NOT NULL AND l.salt OPERATOR(pg_catalog.<>) 0::pg_catalog.int8
		RETURNING l.id)
	SELECT pg_catalog.array_agg(e.id ORDER BY e.id) INTO ids FROM erased AS e;
	IF ids IS NULL THEN
		RETURN 0;
	END IF;
	PERFORM dbkit.audit_note('ERASE'::pg_catalog.text, $1, pg_catalog.jsonb_build_object('reason'::pg_catalog.text, reason, 'ids'::pg_catalog.text, ids));
	RETURN pg_catalog.cardinality(ids);
END $$;
COMMENT ON FUNCTION dbkit.audit_erase(pg_catalog.text, pg_catalog.text) IS
'erases the values of all entries about a row, in whatever table, notes it with the reason in the log, and returns how many they were. What else the entries say stays, and dbkit.audit_check() goes on to prove it; VACUUM removes the values from the disk. For superusers, else insufficient_privilege; invalid_parameter_value without a reason, active_sql_transaction as for audit_seal()';

-- DDL ---------------------------------------------------------------------

CREATE TABLE dbkit.ddl_log (
	at pg_catalog.timestamptz NOT NULL,
	transaction pg_catalog.xid8 NOT NULL,
	role pg_catalog.text,
	session_role pg_catalog.text,
	application_name pg_catalog.text,
	enforce pg_catalog.text NOT NULL,
	command_tag pg_catalog.text NOT NULL,
	object_type pg_catalog.text,
	object_identity pg_catalog.text,
	statement pg_catalog.text
);
COMMENT ON TABLE dbkit.ddl_log IS
'DDL commands, while dbkit.record_ddl is on: a row for each object that one made, changed or dropped. Written by dbkit; superusers apart, nobody has a right to change it. Roles to which SELECT is granted see their own commands';
COMMENT ON COLUMN dbkit.ddl_log.at IS 'When it was written, by the clock';
COMMENT ON COLUMN dbkit.ddl_log.transaction IS 'The transaction of the command, as pg_current_xact_id() gives it';
COMMENT ON COLUMN dbkit.ddl_log.role IS 'The role that had the right to it: in a function with SECURITY DEFINER, its owner';
COMMENT ON COLUMN dbkit.ddl_log.session_role IS 'The role of the session';
COMMENT ON COLUMN dbkit.ddl_log.application_name IS 'What the client calls itself';
COMMENT ON COLUMN dbkit.ddl_log.enforce IS 'How dbkit.enforce was set: off let the command through whatever rules it breaks, warning only warned';
COMMENT ON COLUMN dbkit.ddl_log.command_tag IS 'The command, such as ALTER TABLE';
COMMENT ON COLUMN dbkit.ddl_log.object_type IS 'What kind of object it is';
COMMENT ON COLUMN dbkit.ddl_log.object_identity IS 'Its name, with the schema, quoted where it has to be; of several, with commas';
COMMENT ON COLUMN dbkit.ddl_log.statement IS
'The text of the command, without comments and with ... for each string, so that there is no password in it; NULL where it is not known, has a backslash or is longer than 64 kB';
ALTER TABLE dbkit.ddl_log REPLICA IDENTITY FULL;
ALTER TABLE dbkit.ddl_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_commands ON dbkit.ddl_log FOR SELECT TO PUBLIC
	USING (role OPERATOR(pg_catalog.=) CURRENT_USER::pg_catalog.text);
COMMENT ON POLICY own_commands ON dbkit.ddl_log IS
'A role sees its own commands. Superusers and roles with BYPASSRLS see all';
SELECT pg_catalog.pg_extension_config_dump('dbkit.ddl_log'::pg_catalog.regclass, ''::pg_catalog.text);
CREATE TRIGGER ignore_replicated BEFORE INSERT OR UPDATE OR DELETE ON dbkit.ddl_log
	FOR EACH ROW EXECUTE FUNCTION dbkit.ignore_replicated();
ALTER TABLE dbkit.ddl_log ENABLE REPLICA TRIGGER ignore_replicated;
COMMENT ON TRIGGER ignore_replicated ON dbkit.ddl_log IS
'A subscriber has DDL of its own';

CREATE FUNCTION dbkit.record_ddl() RETURNS pg_catalog.event_trigger
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dbkit_record_ddl';
COMMENT ON FUNCTION dbkit.record_ddl() IS
'event trigger function: writes DDL commands to dbkit.ddl_log, if dbkit.record_ddl is on';

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

CREATE FUNCTION dbkit.audit_keep() RETURNS pg_catalog.event_trigger
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dbkit_audit_keep';
COMMENT ON FUNCTION dbkit.audit_keep() IS
'event trigger function: loads the library, which refuses to drop partitions of the log that have entries';

CREATE EVENT TRIGGER dbkit_audit_keep ON ddl_command_start
	WHEN TAG IN ('DROP EXTENSION', 'DROP OWNED', 'DROP SCHEMA', 'DROP TABLE')
	EXECUTE FUNCTION dbkit.audit_keep();
COMMENT ON EVENT TRIGGER dbkit_audit_keep IS
'Loads the library before something is dropped, so that it can refuse to drop the log while there are entries in it';

-- Their names come after that of dbkit's own, which may refuse the command.
CREATE EVENT TRIGGER dbkit_record_ddl ON ddl_command_end EXECUTE FUNCTION dbkit.record_ddl();
ALTER EVENT TRIGGER dbkit_record_ddl ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER dbkit_record_ddl IS
'Writes DDL commands to dbkit.ddl_log, if dbkit.record_ddl is on';
CREATE EVENT TRIGGER dbkit_record_drop ON sql_drop EXECUTE FUNCTION dbkit.record_ddl();
ALTER EVENT TRIGGER dbkit_record_drop ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER dbkit_record_drop IS
'The same for what is dropped';
