/*-------------------------------------------------------------------------
 *
 * ledger.c
 *		Versions of the schema: dbkit.apply() and dbkit.revert().
 *
 * A version runs in the transaction of its caller and with his rights, and so does what notes it: a
 * crash leaves both or neither.  The ledger itself is written as its owner, by nothing but these two
 * functions.  A named lock has runners take turns; who has waited reads the ledger with a new snapshot.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "common.h"
#include "as_owner.h"
#include "context/context.h"
#include "convention/own_objects.h"
#include "ledger/script.h"
#include "ledger/sha256.h"
#include "lock/lock.h"
#include "relation_name.h"
#include "sql.h"

#define LEDGER		"schema_version"
#define LOCK_NAME	"dbkit.schema_version"

/* A row of the ledger, as far as it is asked for */
typedef struct Version
{
	bool		found;
	int64		number;			/* 0 if not found */
	char	   *checksum;
	char	   *applied_by;
	char	   *undo;			/* or NULL */
	char	   *row;			/* which version of the row */
} Version;

enum
{
	Anum_number = 1, Anum_checksum, Anum_applied_by, Anum_undo, Anum_row
};

#define SELECT_VERSION \
	"SELECT v.version, v.checksum, v.applied_by, v.undo, pg_catalog.concat(v.ctid, v.xmin) FROM dbkit.schema_version v "

static const char newest_sql[] = SELECT_VERSION "ORDER BY v.version DESC LIMIT 1";
static const char that_sql[] = SELECT_VERSION "WHERE v.version OPERATOR(pg_catalog.=) $1";

/* Begin to read or write the ledger, as its owner. */
static void
begin_ledger(AsOwner *saved)
{
	Oid			relid = dbkit_own_relation(LEDGER);
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		dbkit_report_dropped(relid);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	dbkit_begin_as_owner(owner, 0, saved);
}

/* Give a column of the first row of a result as text. */
static char *
result_text(int column)
{
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column);
}

/* Read a row of the ledger with that snapshot. */
static Version
read_version_with(Snapshot snapshot, const char *sql, int64 number)
{
	bool		wanted = sql == that_sql;
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum(number)};
	Version		version = {0};

	PushActiveSnapshot(snapshot);
	if (SPI_execute_with_args(sql, wanted ? 1 : 0, types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "the ledger cannot be read");
	PopActiveSnapshot();
	version.found = SPI_processed > 0;
	if (version.found)
	{
		bool		isnull;

		version.number = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, Anum_number, &isnull));
		version.checksum = result_text(Anum_checksum);
		version.applied_by = result_text(Anum_applied_by);
		version.undo = result_text(Anum_undo);
		version.row = result_text(Anum_row);
	}
	return version;
}

/*
 * Read a row of the ledger as it is now: the one of that number, or the newest.  A transaction that sees
 * the database as it was before must not change it by what is now.
 */
static Version
read_version(const char *sql, int64 number)
{
	Version		now;
	Version		seen;
	AsOwner		saved;

	begin_ledger(&saved);
	now = read_version_with(GetLatestSnapshot(), sql, number);
	seen = IsolationUsesXactSnapshot() ? read_version_with(GetTransactionSnapshot(), sql, number) : now;
	dbkit_end_as_owner(&saved);
	if (now.found != seen.found || (now.found && strcmp(now.row, seen.row) != 0))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to a concurrent change of the schema version"),
				 errhint("The transaction might succeed if retried.")));
	return now;
}

/* Can the caller create anything in this database? */
static bool
can_create(void)
{
	return dbkit_run_sql(SPI_OK_SELECT,
						 "SELECT FROM pg_catalog.pg_database d "
						 "WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() "
						 "AND pg_catalog.has_database_privilege(d.oid, 'CREATE'::pg_catalog.text) "
						 "UNION ALL SELECT FROM pg_catalog.pg_namespace n "
						 "WHERE n.oid OPERATOR(pg_catalog.<>) pg_catalog.pg_my_temp_schema() "
						 "AND pg_catalog.has_schema_privilege(n.oid, 'CREATE'::pg_catalog.text)",
						 0, NULL, NULL, NULL) > 0;
}

/* Ensure that the caller may change the version of the schema, and have others wait. */
static void
begin_change(const char *function)
{
	PreventCommandIfReadOnly(function);
	if (dbkit_context_is_entered())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("%s is not allowed while a tenant context is entered", function)));
	if (!can_create())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for %s", function),
				 errdetail("Role \"%s\" can create nothing in this database.", GetUserNameFromId(GetUserId(), false)),
				 errhint("Whoever changes the schema needs CREATE on the database or on one of its schemas.")));
	dbkit_wait_for_named_lock(LOCK_NAME);
}

/*
 * Return the SHA-256 of the statements.
 *
 * Clients read the same file in different ways: the lines end as on Unix here, and the text with one
 * newline, which psql takes away from `cat FILE`.  So it is what sha256sum says of such a file.
 */
static char *
checksum(const char *statements)
{
	StringInfoData normal;

	initStringInfo(&normal);
	for (const char *c = statements; *c != '\0'; c++)
	{
		if (c[0] != '\r' || c[1] != '\n')
			appendStringInfoChar(&normal, *c);
	}
	while (normal.len > 0 && strchr(" \t\r\n", normal.data[normal.len - 1]) != NULL)
		normal.data[--normal.len] = '\0';
	appendStringInfoChar(&normal, '\n');
	return dbkit_sha256(normal.data, normal.len);
}

/* Refuse what is out of order. */
static void
report_order(int64 number, const Version *newest)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 number <= newest->number ?
			 errmsg("version " INT64_FORMAT " cannot be applied after version " INT64_FORMAT, number, newest->number) :
			 errmsg("version " INT64_FORMAT " cannot be applied before version " INT64_FORMAT, number, newest->number + 1),
			 newest->found ? errdetail("The newest version is " INT64_FORMAT ".", newest->number) :
			 errdetail("No version is applied yet."),
			 errhint("Versions are applied one after the other, without a gap.")));
}

/* Is that version applied already?  Else it has to be the next one. */
static bool
is_applied(int64 number, const char *sum)
{
	Version		same = read_version(that_sql, number);
	Version		newest = read_version(newest_sql, 0);

	if (!same.found && number != newest.number + 1)
		report_order(number, &newest);
	if (same.found && strcmp(same.checksum, sum) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("version " INT64_FORMAT " was applied with other statements", number),
				 errdetail("Their checksum is %s, that of these is %s.", same.checksum, sum),
				 errhint("A version that is applied does not change. Write another version.")));
	return same.found;
}

/* Write the ledger, as its owner. */
static void
write_ledger(int expected, const char *sql, int nargs, Oid *types, Datum *values, const char *nulls)
{
	AsOwner		saved;

	begin_ledger(&saved);
	if (dbkit_run_sql(expected, sql, nargs, types, values, nulls) != 1)
		elog(ERROR, "the ledger has not changed");
	dbkit_end_as_owner(&saved);
}

/* Give an argument that may be NULL. */
static Datum
text_or_null(FunctionCallInfo fcinfo, int number, char *null)
{
	*null = PG_ARGISNULL(number) ? 'n' : ' ';
	return PG_ARGISNULL(number) ? (Datum) 0 : PG_GETARG_DATUM(number);
}

/* Note the version of the arguments. */
static void
note_version(FunctionCallInfo fcinfo, const char *sum, Oid applied_by, TimestampTz begun)
{
	Oid			types[] = {INT8OID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, INTERVALOID, TEXTOID};
	char		nulls[] = "       ";
	Interval	duration = {.time = GetCurrentTimestamp() - begun};
	Datum		values[] = {
		PG_GETARG_DATUM(0), TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), text_or_null(fcinfo, 2, &nulls[2]), CStringGetTextDatum(sum),
		CStringGetTextDatum(GetUserNameFromId(applied_by, false)), IntervalPGetDatum(&duration), text_or_null(fcinfo, 3, &nulls[6])
	};

	write_ledger(SPI_OK_INSERT,
				 "INSERT INTO dbkit.schema_version (version, applied_at, name, checksum, applied_by, duration, undo) VALUES ($1, $2, $3, $4, $5, $6, $7)",
				 lengthof(types), types, values, nulls);
}

/* Give the number of the version, the first argument. */
static int64
number_argument(FunctionCallInfo fcinfo)
{
	int64		number = PG_GETARG_INT64(0);

	if (number < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("version " INT64_FORMAT " cannot be", number),
				 errdetail("The first version is 1.")));
	return number;
}

PG_FUNCTION_INFO_V1(dbkit_apply);

/*
 * dbkit.apply(version bigint, statements text, name text, undo text) returns boolean
 *
 * Runs the statements of the next version and notes it; false if it was applied with these statements
 * before.  Errors: object_not_in_prerequisite_state, serialization_failure, insufficient_privilege,
 * invalid_parameter_value, null_value_not_allowed, and for what cannot run in a transaction
 * invalid_transaction_termination, active_sql_transaction, feature_not_supported.
 */
Datum
dbkit_apply(PG_FUNCTION_ARGS)
{
	Oid			applied_by = GetUserId();
	TimestampTz begun;
	int64		number;
	Script		script;
	char	   *sum;
	bool		is_new;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the version and its statements cannot be NULL")));
	number = number_argument(fcinfo);
	script = dbkit_parse_script(text_to_cstring(PG_GETARG_TEXT_PP(1)), psprintf("version " INT64_FORMAT, number));
	if (!PG_ARGISNULL(3))
		(void) dbkit_parse_script(text_to_cstring(PG_GETARG_TEXT_PP(3)), psprintf("the undo of version " INT64_FORMAT, number));
	sum = checksum(script.text);

	SPI_connect();
	begin_change("dbkit.apply()");
	is_new = !is_applied(number, sum);
	if (is_new)
	{
		begun = GetCurrentTimestamp();
		dbkit_run_script(&script);
		note_version(fcinfo, sum, applied_by, begun);
	}
	SPI_finish();
	PG_RETURN_BOOL(is_new);
}

/*
 * Does what this role has written get no rights here that it has not?  RESET ROLE and RESET SESSION
 * AUTHORIZATION go back to whoever has logged in; a restricted operation refuses both.
 */
static bool
can_run_text_of(Oid role)
{
	return superuser_arg(role) ||
		(role == GetUserId() &&
		 (InSecurityRestrictedOperation() || (role == GetSessionUserId() && role == GetAuthenticatedUserId())));
}

/*
 * Ensure that the undo of a version can run: it runs with the rights of whoever calls dbkit.revert(), but
 * its author may have fewer, and SET ROLE would not keep it from RESET ROLE.
 */
static void
check_revert(const Version *version, const Version *newest)
{
	if (newest->number != version->number)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("version " INT64_FORMAT " cannot be reverted before version " INT64_FORMAT, version->number, newest->number),
				 errhint("Versions are reverted from the newest on.")));
	if (version->undo == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("version " INT64_FORMAT " has no undo", version->number),
				 errhint("Write another version that changes back what it did.")));
	if (!OidIsValid(get_role_oid(version->applied_by, true)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("version " INT64_FORMAT " was applied by role \"%s\", which does not exist", version->number, version->applied_by),
				 errhint("As a superuser, read its undo in dbkit.schema_version, run it, and delete the row.")));
	if (!can_run_text_of(get_role_oid(version->applied_by, false)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("version " INT64_FORMAT " was applied by role \"%s\"", version->number, version->applied_by),
				 errdetail("Its undo would run with the rights of this session."),
				 errhint("Log in as that role and revert it, or run it with its rights alone: %s",
						 psprintf("SELECT dbkit.run_as(%s, 'SELECT dbkit.revert(" INT64_FORMAT ")')",
								  quote_literal_cstr(version->applied_by), version->number))));
}

PG_FUNCTION_INFO_V1(dbkit_revert);

/*
 * dbkit.revert(version bigint) returns boolean
 *
 * Runs the undo of the newest version and takes it out of the ledger; false if that version is not
 * applied.  Errors: object_not_in_prerequisite_state, serialization_failure, insufficient_privilege,
 * invalid_parameter_value, undefined_object.
 */
Datum
dbkit_revert(PG_FUNCTION_ARGS)
{
	int64		number = number_argument(fcinfo);
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum(number)};
	Version		version;
	Version		newest;

	SPI_connect();
	begin_change("dbkit.revert()");
	version = read_version(that_sql, number);
	newest = read_version(newest_sql, 0);
	if (version.found)
	{
		Script		script;

		check_revert(&version, &newest);
		script = dbkit_parse_script(version.undo, psprintf("the undo of version " INT64_FORMAT, number));
		dbkit_run_script(&script);
		write_ledger(SPI_OK_DELETE, "DELETE FROM dbkit.schema_version v WHERE v.version OPERATOR(pg_catalog.=) $1",
					 lengthof(types), types, values, NULL);
	}
	SPI_finish();
	PG_RETURN_BOOL(version.found);
}

PG_FUNCTION_INFO_V1(dbkit_keep_ledger);

/*
 * dbkit.keep_ledger() returns trigger
 *
 * Refuses what would write the ledger by hand.  dbkit.apply() and dbkit.revert() write it as its owner, a
 * superuser, and so does a restore.
 */
Datum
dbkit_keep_ledger(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"dbkit.keep_ledger\" was not called by a trigger")));
	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("table \"dbkit.schema_version\" is not written by hand"),
				 errhint("Use dbkit.apply() and dbkit.revert().")));
	return PointerGetDatum(NULL);
}
