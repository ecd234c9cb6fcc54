/*-------------------------------------------------------------------------
 *
 * ddl_log.c
 *		The log of DDL commands.
 *
 * What a command did, PostgreSQL tells event triggers.  They do not fire for what
 * belongs to the cluster (roles, databases, tablespaces, settings) nor for event
 * triggers themselves.  These are logged by the utility hook, before they run, so that
 * nothing that cannot be rolled back is done without its row.
 *
 * Rows are written past privileges, policies and triggers, as those of the catalogs
 * are: whoever runs DDL has no right on the log.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_language.h"
#include "catalog/pg_largeobject.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "commands/extension.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "nodes/parsenodes.h"
#include "tcop/cmdtag.h"
#include "tcop/deparse_utility.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "common.h"
#include "as_owner.h"
#include "audit/blank.h"
#include "audit/ddl_log.h"
#include "audit/log.h"
#include "convention/levels.h"
#include "sql.h"

/* The columns of dbkit.ddl_log, in their order */
typedef enum LogColumn
{
	LOG_AT,
	LOG_TRANSACTION,
	LOG_ROLE,
	LOG_SESSION_ROLE,
	LOG_APPLICATION_NAME,
	LOG_ENFORCE,
	LOG_COMMAND_TAG,
	LOG_OBJECT_TYPE,
	LOG_OBJECT_IDENTITY,
	LOG_STATEMENT,
	LOG_COLUMNS					/* how many they are */
} LogColumn;

/* What differs from row to row; NULL where there is nothing to say */
typedef struct LogRow
{
	const char *command_tag;
	const char *object_type;
	const char *object_identity;
	const char *statement;
} LogRow;

static bool record_ddl = false;

/* The statements that run while DDL is recorded, the innermost first */
static const RunningStatement *running = NULL;

static ProcessUtility_hook_type next_ProcessUtility = NULL;

/* Is DDL to be recorded now?  On a standby nothing can be written, and pg_upgrade only moves what there is. */
static bool
is_recorded(void)
{
	return record_ddl && IsTransactionState() && !RecoveryInProgress() && !IsBinaryUpgrade &&
		OidIsValid(dbkit_find_audit_table("ddl_log"));
}

/* Open the log, and make sure that it is the one that this library writes. */
static Relation
open_log(void)
{
	Relation	log = table_open(dbkit_find_audit_table("ddl_log"), RowExclusiveLock);
	TupleDesc	columns = RelationGetDescr(log);
	bool		is_ours = log->rd_rel->relkind == RELKIND_RELATION && columns->natts == LOG_COLUMNS;

	for (int i = 0; is_ours && i < LOG_COLUMNS; i++)
		is_ours = TupleDescAttr(columns, i)->atttypid == (i == LOG_AT ? TIMESTAMPTZOID : i == LOG_TRANSACTION ? XID8OID : TEXTOID);
	if (!is_ours)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("dbkit.ddl_log is not the table that this version of dbkit writes"),
				 errhint("ALTER EXTENSION dbkit_audit UPDATE may help.")));
	return log;
}

static void
set_text(TupleTableSlot *slot, LogColumn column, const char *value)
{
	slot->tts_isnull[column] = value == NULL || value[0] == '\0';
	if (!slot->tts_isnull[column])
		slot->tts_values[column] = CStringGetTextDatum(value);
}

/*
 * Store a row of the log.  Indexes that its owner has added may have expressions and conditions: these
 * run as the owner's, as when the index was built.
 */
static void
store_row(Relation log, TupleTableSlot *slot)
{
	EState	   *estate = CreateExecutorState();
	ResultRelInfo *target = makeNode(ResultRelInfo);
	AsOwner		saved;

	InitResultRelInfo(target, log, 0, NULL, 0);
	ExecOpenIndices(target, false);
	table_tuple_insert(log, slot, GetCurrentCommandId(true), 0, NULL);
	if (target->ri_NumIndices > 0)
	{
		dbkit_begin_as_owner(log->rd_rel->relowner, 0, &saved);
		list_free(dbkit_insert_index_tuples(target, slot, estate));
		dbkit_end_as_owner(&saved);
	}
	ExecCloseIndices(target);
	FreeExecutorState(estate);
}

/* Write a row of the log. */
static void
write_row(const LogRow *row)
{
	Relation	log = open_log();
	TupleTableSlot *slot = table_slot_create(log, NULL);

	slot->tts_values[LOG_AT] = TimestampTzGetDatum(GetCurrentTimestamp());
	slot->tts_isnull[LOG_AT] = false;
	slot->tts_values[LOG_TRANSACTION] = FullTransactionIdGetDatum(GetTopFullTransactionId());
	slot->tts_isnull[LOG_TRANSACTION] = false;
	set_text(slot, LOG_ROLE, GetUserNameFromId(GetUserId(), true));
	set_text(slot, LOG_SESSION_ROLE, GetUserNameFromId(GetSessionUserId(), true));
	set_text(slot, LOG_APPLICATION_NAME, application_name);
	set_text(slot, LOG_ENFORCE, dbkit_enforce_mode());
	set_text(slot, LOG_COMMAND_TAG, row->command_tag);
	set_text(slot, LOG_OBJECT_TYPE, row->object_type);
	set_text(slot, LOG_OBJECT_IDENTITY, row->object_identity);
	set_text(slot, LOG_STATEMENT, row->statement);
	ExecStoreVirtualTuple(slot);

	/* ALTER DATABASE ... SET TABLESPACE has committed, and left no snapshot */
	PushActiveSnapshot(GetTransactionSnapshot());
	store_row(log, slot);
	PopActiveSnapshot();
	ExecDropSingleTupleTableSlot(slot);
	table_close(log, NoLock);
}

/* Return what may be shown of the text of a statement, or NULL. */
static char *
statement_text(const Node *statement)
{
	RunningStatement innermost;

	if (running == NULL)
		return dbkit_blank_statement(NULL, statement);	/* it loaded the library */

	/* Its tree may have been copied or changed since it began */
	innermost = *running;
	innermost.outer = NULL;
	return dbkit_blank_statement(&innermost, innermost.planned->utilityStmt);
}

/* What the cluster has, and event triggers: their commands, and where the name is in these */
static const struct
{
	NodeTag		tag;
	const char *object_type;	/* NULL: the statement says it */
	bool		is_node;		/* or a C string */
	size_t		name;
}			named_objects[] = {

	{T_CreateRoleStmt, "role", false, offsetof(CreateRoleStmt, role)},
	{T_AlterRoleStmt, "role", true, offsetof(AlterRoleStmt, role)},
	{T_AlterRoleSetStmt, "role", true, offsetof(AlterRoleSetStmt, role)},
	{T_DropRoleStmt, "role", true, offsetof(DropRoleStmt, roles)},
	{T_GrantRoleStmt, "role", true, offsetof(GrantRoleStmt, granted_roles)},
	{T_DropOwnedStmt, "role", true, offsetof(DropOwnedStmt, roles)},
	{T_ReassignOwnedStmt, "role", true, offsetof(ReassignOwnedStmt, roles)},
	{T_CreatedbStmt, "database", false, offsetof(CreatedbStmt, dbname)},
	{T_AlterDatabaseStmt, "database", false, offsetof(AlterDatabaseStmt, dbname)},
	{T_AlterDatabaseRefreshCollStmt, "database", false, offsetof(AlterDatabaseRefreshCollStmt, dbname)},
	{T_AlterDatabaseSetStmt, "database", false, offsetof(AlterDatabaseSetStmt, dbname)},
	{T_DropdbStmt, "database", false, offsetof(DropdbStmt, dbname)},
	{T_CreateTableSpaceStmt, "tablespace", false, offsetof(CreateTableSpaceStmt, tablespacename)},
	{T_AlterTableSpaceOptionsStmt, "tablespace", false, offsetof(AlterTableSpaceOptionsStmt, tablespacename)},
	{T_DropTableSpaceStmt, "tablespace", false, offsetof(DropTableSpaceStmt, tablespacename)},
	{T_CreateEventTrigStmt, "event trigger", false, offsetof(CreateEventTrigStmt, trigname)},
	{T_AlterEventTrigStmt, "event trigger", false, offsetof(AlterEventTrigStmt, trigname)},
	{T_DropStmt, "event trigger", true, offsetof(DropStmt, objects)},
	{T_AlterSystemStmt, "setting", true, offsetof(AlterSystemStmt, setstmt)},
	{T_RenameStmt, NULL, false, offsetof(RenameStmt, subname)},
	{T_RenameStmt, "event trigger", true, offsetof(RenameStmt, object)},
	{T_AlterOwnerStmt, NULL, true, offsetof(AlterOwnerStmt, object)},
	{T_CommentStmt, NULL, true, offsetof(CommentStmt, object)},
	{T_SecLabelStmt, NULL, true, offsetof(SecLabelStmt, object)},
	{T_GrantStmt, NULL, true, offsetof(GrantStmt, objects)},
};

/* Of a statement that may be about objects of many types, return the type. */
static ObjectType
type_in_statement(const Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_RenameStmt:
			return ((const RenameStmt *) statement)->renameType;
		case T_AlterOwnerStmt:
			return ((const AlterOwnerStmt *) statement)->objectType;
		case T_CommentStmt:
			return ((const CommentStmt *) statement)->objtype;
		case T_SecLabelStmt:
			return ((const SecLabelStmt *) statement)->objtype;
		case T_GrantStmt:
			return ((const GrantStmt *) statement)->objtype;
		default:
			return OBJECT_TABLE;	/* any for which event triggers fire */
	}
}

static const char *
type_name(ObjectType type)
{
	switch (type)
	{
		case OBJECT_ROLE:
			return "role";
		case OBJECT_DATABASE:
			return "database";
		case OBJECT_TABLESPACE:
			return "tablespace";
		case OBJECT_EVENT_TRIGGER:
			return "event trigger";
		case OBJECT_PARAMETER_ACL:
			return "setting";
		default:
			return NULL;
	}
}

/* Append the names that a part of a statement has. */
static void
append_names(StringInfo names, const Node *node)
{
	const ListCell *cell;
	const char *name = NULL;

	switch (nodeTag(node))
	{
		case T_List:
			foreach(cell, (const List *) node)
				append_names(names, lfirst(cell));
			return;
		case T_String:
			name = strVal(node);
			break;
		case T_RoleSpec:
			name = ((const RoleSpec *) node)->roletype == ROLESPEC_CSTRING ?
				((const RoleSpec *) node)->rolename : get_rolespec_name((const RoleSpec *) node);
			break;
		case T_AccessPriv:
			name = ((const AccessPriv *) node)->priv_name;
			break;
		case T_VariableSetStmt:
			name = ((const VariableSetStmt *) node)->name;
			break;
		default:
			break;
	}
	if (name == NULL)
		return;
	if (names->len > 0)
		appendStringInfoString(names, ", ");
	appendStringInfoString(names, quote_identifier(name));
}

/* Find which object a statement names, for which no event trigger fires. */
static void
find_named_object(const Node *statement, LogRow *row)
{
	StringInfoData names;

	initStringInfo(&names);
	for (size_t i = 0; i < lengthof(named_objects); i++)
	{
		const void *name;

		if (named_objects[i].tag != nodeTag(statement))
			continue;
		row->object_type = named_objects[i].object_type != NULL ? named_objects[i].object_type :
			type_name(type_in_statement(statement));
		name = *(const void *const *) ((const char *) statement + named_objects[i].name);
		if (name == NULL)
			continue;
		if (named_objects[i].is_node)
			append_names(&names, name);
		else
			appendStringInfoString(&names, quote_identifier(name));
		break;
	}
	row->object_identity = names.data;
}

/* Is it DDL for which no event trigger fires?  What EXECUTE runs passes the hook itself. */
static bool
is_without_event(Node *statement)
{
	if (IsA(statement, PrepareStmt) || IsA(statement, ExecuteStmt) ||
		GetCommandLogLevel(statement) != LOGSTMT_DDL)
		return false;
	return !command_tag_event_trigger_ok(CreateCommandTag(statement)) ||
		!EventTriggerSupportsObjectType(type_in_statement(statement)) ||
		IsA(statement, DropOwnedStmt);	/* of what it revokes no trigger hears */
}

/* Log a statement that is about to run. */
static void
log_without_event(Node *statement)
{
	LogRow		row = {
		.command_tag = GetCommandTagName(CreateCommandTag(statement)),
		.statement = statement_text(statement)
	};

	find_named_object(statement, &row);
	write_row(&row);
}

/* Keep the text of the statements that run, and log those of which no event trigger hears. */
static void
ddl_log_ProcessUtility(PlannedStmt *pstmt, const char *queryString, bool readOnlyTree,
					   ProcessUtilityContext context, ParamListInfo params,
					   QueryEnvironment *queryEnv, DestReceiver *dest, QueryCompletion *qc)
{
	RunningStatement statement = {
		.outer = running,
		.planned = pstmt,
		.source = queryString
	};

	if (!record_ddl || IsA(pstmt->utilityStmt, TransactionStmt))
	{
		(next_ProcessUtility ? next_ProcessUtility : standard_ProcessUtility)
			(pstmt, queryString, readOnlyTree, context, params, queryEnv, dest, qc);
		return;
	}
	running = &statement;
	PG_TRY();
	{
		if (!creating_extension && is_without_event(pstmt->utilityStmt) && is_recorded())
			log_without_event(pstmt->utilityStmt);
		(next_ProcessUtility ? next_ProcessUtility : standard_ProcessUtility)
			(pstmt, queryString, readOnlyTree, context, params, queryEnv, dest, qc);
	}
	PG_FINALLY();
	{
		running = statement.outer;
	}
	PG_END_TRY();
}

/* What GRANT may be about, of that for which event triggers fire, and the catalogs of these */
static const struct
{
	ObjectType	type;
	Oid			catalog;
}			granted_types[] = {

	{OBJECT_TABLE, RelationRelationId}, /* views and sequences as well */
	{OBJECT_SEQUENCE, RelationRelationId},
	{OBJECT_TYPE, TypeRelationId},
	{OBJECT_DOMAIN, TypeRelationId},
	{OBJECT_FUNCTION, ProcedureRelationId},
	{OBJECT_PROCEDURE, ProcedureRelationId},
	{OBJECT_ROUTINE, ProcedureRelationId},
	{OBJECT_SCHEMA, NamespaceRelationId},
	{OBJECT_LANGUAGE, LanguageRelationId},
	{OBJECT_LARGEOBJECT, LargeObjectRelationId},
	{OBJECT_FDW, ForeignDataWrapperRelationId},
	{OBJECT_FOREIGN_SERVER, ForeignServerRelationId},
};

/*
 * Return the objects that a GRANT or REVOKE was about, which pg_event_trigger_ddl_commands() does not name.
 * Those that are gone since then have no name.
 */
static char *
granted_objects(const InternalGrant *grant)
{
	Oid			catalog = InvalidOid;
	StringInfoData names;
	ListCell   *cell;

	for (size_t i = 0; i < lengthof(granted_types); i++)
	{
		if (granted_types[i].type == grant->objtype)
			catalog = granted_types[i].catalog;
	}
	if (!OidIsValid(catalog))
		return NULL;
	initStringInfo(&names);
	foreach(cell, grant->objects)
	{
		ObjectAddress address;
		char	   *identity;

		ObjectAddressSet(address, catalog, lfirst_oid(cell));
		identity = getObjectIdentity(&address, true);
		if (identity != NULL)
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", identity);
	}
	return names.data;
}

/* Return the identity of what a command was about, where PostgreSQL does not tell it. */
static char *
find_identity(const CollectedCommand *command, const Node *statement)
{
	if (command->type != SCT_Grant)
		return NULL;
	/* The text says which: they may be a great many */
	if (IsA(statement, GrantStmt) && ((const GrantStmt *) statement)->targtype != ACL_TARGET_OBJECT)
		return NULL;
	return granted_objects(command->d.grant.istmt);
}

/* Log what a query says that gives tags, types and identities of objects, and PostgreSQL's description of the command. */
static void
log_objects(const char *sql, const EventTriggerData *event)
{
	LogRow		row = {
		.statement = statement_text(event->parsetree)
	};

	SPI_connect();
	dbkit_run_sql(SPI_OK_SELECT, sql, 0, NULL, NULL, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	columns = SPI_tuptable->tupdesc;
		bool		isnull;
		Datum		command = SPI_getbinval(tuple, columns, 4, &isnull);

		row.command_tag = SPI_getvalue(tuple, columns, 1);
		row.object_type = SPI_getvalue(tuple, columns, 2);
		row.object_identity = SPI_getvalue(tuple, columns, 3);
		if (row.command_tag == NULL)
			row.command_tag = GetCommandTagName(event->tag);
		if (row.object_identity == NULL && !isnull)
			row.object_identity = find_identity((const CollectedCommand *) DatumGetPointer(command), event->parsetree);
		write_row(&row);
	}
	SPI_finish();
}

PG_FUNCTION_INFO_V1(dbkit_record_ddl);

/*
 * dbkit.record_ddl() returns event_trigger
 *
 * Writes what a command has made, changed or dropped to the log, if dbkit.record_ddl is on.  Temporary
 * objects are left out, and what an extension's script does.
 */
Datum
dbkit_record_ddl(PG_FUNCTION_ARGS)
{
	const EventTriggerData *event = (const EventTriggerData *) fcinfo->context;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"dbkit.record_ddl\" was not called by the event trigger manager")));
	if (!is_recorded())
		PG_RETURN_NULL();
	if (strcmp(event->event, "ddl_command_end") == 0)
		log_objects("SELECT c.command_tag, pg_catalog.lower(c.object_type), c.object_identity, c.command"
					" FROM pg_catalog.pg_event_trigger_ddl_commands() AS c"
					" WHERE NOT c.in_extension AND COALESCE(c.schema_name OPERATOR(pg_catalog.<>) 'pg_temp'::pg_catalog.text, true)", event);
	else if (strcmp(event->event, "sql_drop") == 0 && !creating_extension)
		log_objects("SELECT NULL, d.object_type, d.object_identity, NULL FROM pg_catalog.pg_event_trigger_dropped_objects() AS d"
					" WHERE (d.original OR d.normal) AND NOT d.is_temporary", event);
	PG_RETURN_NULL();
}

/* Define the setting of this module, and watch statements begin. */
void
dbkit_ddl_log_init(void)
{
	/* Evidence of who changed the schema, for whoever has to show it. */
	DefineCustomBoolVariable("dbkit.record_ddl",
							 "Whether DDL commands are written to dbkit.ddl_log.",
							 "Needs the extension dbkit_audit.",
							 &record_ddl,
							 false,
							 PGC_SUSET,
							 DBKIT_SETTING,
							 NULL, NULL, NULL);

	next_ProcessUtility = ProcessUtility_hook;
	ProcessUtility_hook = ddl_log_ProcessUtility;
}
