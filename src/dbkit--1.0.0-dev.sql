\echo Use "CREATE EXTENSION dbkit" to load this file. \quit

CREATE SCHEMA dbkit;
COMMENT ON SCHEMA dbkit IS 'dbkit: schema conventions, ids, tenant context, enum tables, named locks';
GRANT USAGE ON SCHEMA dbkit TO PUBLIC;

-- ids ---------------------------------------------------------------------

CREATE FUNCTION generate_id(prefix text) RETURNS text
	LANGUAGE c VOLATILE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION generate_id(text) IS
'a new id: the prefix, an underscore and 26 characters that spell a UUIDv7 (TypeID v0.3); greater than all earlier ids of this session. prefix: 0 to 63 characters of [a-z_], no underscore at either end, else invalid_parameter_value';

CREATE FUNCTION dbkit.generate_id_at(prefix text, at timestamptz) RETURNS text
	LANGUAGE c VOLATILE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION dbkit.generate_id_at(text, timestamptz) IS
'an id as if made at that time (to the microsecond), for backfills. prefix: as for generate_id; at: from 1970 to the year 10889, else datetime_field_overflow';

CREATE FUNCTION dbkit.is_id(id text, prefix text DEFAULT NULL) RETURNS boolean
	LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION dbkit.is_id(text, text) IS
'whether the value is a well-formed id, of that prefix unless it is NULL; NULL for NULL; raises nothing, so it can stand in a CHECK';

CREATE FUNCTION dbkit.id_prefix(id text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION dbkit.id_prefix(text) IS
'the prefix of an id, without its underscore; invalid_text_representation for what is not an id';

CREATE FUNCTION dbkit.id_uuid(id text) RETURNS uuid
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION dbkit.id_uuid(text) IS
'the UUID that an id spells; invalid_text_representation for what is not an id';

CREATE FUNCTION dbkit.id_from_uuid(prefix text, uuid uuid) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION dbkit.id_from_uuid(text, uuid) IS
'the id that spells a UUID of any version. prefix: as for generate_id';

CREATE FUNCTION dbkit.id_timestamp(id text) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION dbkit.id_timestamp(text) IS
'when an id was made, to the millisecond; NULL if its UUID is not of version 7; invalid_text_representation for what is not an id';

CREATE FUNCTION dbkit.id_lower_bound(prefix text, at timestamptz) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION dbkit.id_lower_bound(text, timestamptz) IS
'the smallest id of the millisecond of that time: id >= dbkit.id_lower_bound(...) can use an index. prefix: as for generate_id; at: from 1970 to the year 10889, else datetime_field_overflow';

CREATE FUNCTION dbkit.id_upper_bound(prefix text, at timestamptz) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION dbkit.id_upper_bound(text, timestamptz) IS
'the largest id of the millisecond of that time: id <= dbkit.id_upper_bound(...) can use an index. prefix: as for generate_id; at: from 1970 to the year 10889, else datetime_field_overflow';

-- updated_at() ------------------------------------------------------------

CREATE FUNCTION updated_at() RETURNS trigger
	AS 'MODULE_PATHNAME'
	LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION updated_at() IS
'BEFORE UPDATE FOR EACH ROW trigger: sets updated_at, or the timestamptz column named by its only argument, to the transaction''s timestamp (now()). Raises trigger_protocol_violated for any other use and for a column that is generated or of another type, undefined_column if there is none.';

-- conventions -------------------------------------------------------------

-- tenant context ----------------------------------------------------------

-- enum tables -------------------------------------------------------------

-- named locks -------------------------------------------------------------
