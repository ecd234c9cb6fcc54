/*-------------------------------------------------------------------------
 *
 * agreement.c
 *		What the team has agreed on: how its schema is to look.
 *
 * The agreement is a JSON object, a literal in a plain SQL function which is not
 * a member of the extension: so pg_dump writes it, and a server without dbkit can
 * load it.  The function is never run.  The literal is read from the catalog when
 * it is first asked for, and again when the function has changed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "common.h"
#include "convention/agreement.h"
#include "convention/agreement_json.h"
#include "convention/presets.h"
#include "convention/team_rules.h"

/* Takes a value over into a field; returns whether it is of the right kind */
typedef bool (*ValueReader) (const JsonbValue *value, void *field);

/* The agreement, and what it was read from */
static struct
{
	bool		current;		/* nothing has changed since */
	bool		changed;		/* something has, while it was being read */
	MemoryContext context;		/* of all this, or NULL before the first time */
	Agreement	agreement;
	Oid			function;
	TransactionId xmin;
	ItemPointerData tid;
}			known;

/* Takes the place of the agreement while something is tried, or NULL */
static const Agreement *supposed = NULL;

/* Counts how often the agreement was read */
static uint64 count = 0;

static bool
read_preset(const JsonbValue *value, void *field)
{
	char	   *name;

	if (value->type != jbvString)
		return false;
	name = dbkit_json_string(value);
	*(const char **) field = name;
	return dbkit_preset(name) != NULL;
}

static bool
read_id_style(const JsonbValue *value, void *field)
{
	static const char *const names[] = {
		[ID_PREFIXED] = "prefixed",
		[ID_UUID] = "uuid",
		[ID_BIGINT] = "bigint",
		[ID_ANY] = "any"
	};

	for (size_t i = 0; i < lengthof(names) && value->type == jbvString; i++)
	{
		if (strcmp(names[i], dbkit_json_string(value)) != 0)
			continue;
		*(IdStyle *) field = i;
		return true;
	}
	return false;
}

static bool
read_boolean(const JsonbValue *value, void *field)
{
	if (value->type == jbvBool)
		*(bool *) field = value->val.boolean;
	return value->type == jbvBool;
}

/* Read the name of a role, or null. */
static bool
read_role(const JsonbValue *value, void *field)
{
	*(const char **) field = value->type == jbvString ? dbkit_json_string(value) : NULL;
	return value->type == jbvNull || (value->type == jbvString && value->val.string.len > 0);
}

static bool
read_names(const JsonbValue *value, void *field)
{
	List	   *names = NIL;
	JsonbIterator *it;
	JsonbValue	name;
	bool		strings = true;

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		return false;
	it = JsonbIteratorInit(value->val.binary.data);
	for (JsonbIteratorToken token = JsonbIteratorNext(&it, &name, true);
		 token != WJB_DONE; token = JsonbIteratorNext(&it, &name, true))
	{
		if (token != WJB_ELEM)
			continue;
		strings &= name.type == jbvString && name.val.string.len > 0;
		if (strings)
			names = lappend(names, dbkit_json_string(&name));
	}
	*(List **) field = names;
	return strings;
}

/* Read a name as SQL has it, name or schema.name; NULL for a malformed one. */
static ListedName *
read_listed_name(char *text)
{
	ListedName *name = palloc0(sizeof(ListedName));
	List	   *parts;

	/* A function is named without its arguments */
	if ((strchr(text, '(') != NULL && strchr(text, '"') == NULL) ||
		!SplitIdentifierString(text, '.', &parts) ||
		!(list_length(parts) == 1 || list_length(parts) == 2))
		return NULL;
	name->name = llast(parts);
	name->schema = list_length(parts) == 2 ? linitial(parts) : NULL;
	return name;
}

static bool
read_listed_names(const JsonbValue *value, void *field)
{
	List	   *texts = NIL;
	List	   *names = NIL;
	ListCell   *lc;

	if (!read_names(value, &texts))
		return false;
	foreach(lc, texts)
		names = lappend(names, read_listed_name(lfirst(lc)));
	*(List **) field = names;
	return !list_member_ptr(names, NULL);
}

/* What is read where it is needed */
static bool
is_object(const JsonbValue *value, void *field pg_attribute_unused())
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

static bool
is_array(const JsonbValue *value, void *field pg_attribute_unused())
{
	return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);
}

#define NAMES		"a list of names"
#define OBJECTS		"a list of names like users or \"user\".users, quoted as in SQL"

/* All keys of the agreement */
static const struct
{
	const char *name;
	ValueReader reader;
	size_t		field;
	const char *expected;
}			keys[] = {
	{"preset", read_preset, offsetof(Agreement, preset), "house, uuid, bigint, rails, django, minimal or none"},
	{"id_style", read_id_style, offsetof(Agreement, id_style), "prefixed, uuid, bigint or any"},
	{"composite_keys", read_boolean, offsetof(Agreement, composite_keys), "true or false"},
	{"created_at_columns", read_names, offsetof(Agreement, created_at_columns), NAMES},
	{"updated_at_columns", read_names, offsetof(Agreement, updated_at_columns), NAMES},
	{"updated_at_functions", read_listed_names, offsetof(Agreement, updated_at_functions), OBJECTS},
	{"id_suffixes", read_names, offsetof(Agreement, id_suffixes), NAMES},
	{"extid_suffixes", read_names, offsetof(Agreement, extid_suffixes), NAMES},
	{"user_tables", read_listed_names, offsetof(Agreement, user_tables), OBJECTS},
	{"organization_tables", read_listed_names, offsetof(Agreement, organization_tables), OBJECTS},
	{"user_columns", read_names, offsetof(Agreement, user_columns), NAMES},
	{"organization_columns", read_names, offsetof(Agreement, organization_columns), NAMES},
	{"customer_role", read_role, offsetof(Agreement, customer_role), "the name of a role or null"},
	{"admin_role", read_role, offsetof(Agreement, admin_role), "the name of a role or null"},
	{"reserve_settings", read_boolean, offsetof(Agreement, reserve_settings), "true or false"},
	{"rules", is_object, 0, "an object"},
	{"own_rules", is_object, 0, "an object"},
	{"schemas", is_object, 0, "an object"},
	{"exemptions", is_array, 0, "an array"},
	{"baseline", is_object, 0, "an object"},
};

/* Note each key of an object that the agreement does not have. */
static List *
find_unknown_keys(Jsonb *own)
{
	List	   *problems = NIL;
	JsonbIterator *it = JsonbIteratorInit(&own->root);
	JsonbValue	key;

	for (JsonbIteratorToken token = JsonbIteratorNext(&it, &key, true);
		 token != WJB_DONE; token = JsonbIteratorNext(&it, &key, true))
	{
		size_t		i = 0;

		if (token != WJB_KEY)
			continue;
		while (i < lengthof(keys) && strcmp(keys[i].name, dbkit_json_string(&key)) != 0)
			i++;
		if (i == lengthof(keys))
			problems = lappend(problems, psprintf("There is no key \"%s\".", dbkit_json_string(&key)));
	}
	return problems;
}

/* Return what the agreement's preset differs in from the defaults. */
static Jsonb *
find_preset(Jsonb *own)
{
	JsonbValue	value;
	const char *preset = NULL;

	if (own != NULL && dbkit_json_value(own, "preset", &value) && value.type == jbvString)
		preset = dbkit_preset(dbkit_json_string(&value));
	return dbkit_make_json(preset != NULL ? preset : dbkit_preset(DBKIT_DEFAULT_PRESET));
}

/*
 * Find what is agreed on under a key, or the default; false where there is neither.  Objects
 * are not merged: a baseline may be too large to be copied by each session.
 */
bool
dbkit_agreed_value(const Agreement *agreement, const char *key, JsonbValue *value)
{
	return (agreement->own != NULL && dbkit_json_value(agreement->own, key, value)) ||
		dbkit_json_value(agreement->defaults, key, value);
}

/* Take over a value of the agreement, or the default where it is of the wrong kind. */
static void
read_value(Agreement *agreement, int key)
{
	JsonbValue	value;
	void	   *field = (char *) agreement + keys[key].field;

	if (dbkit_agreed_value(agreement, keys[key].name, &value) && keys[key].reader(&value, field))
		return;
	agreement->problems = lappend(agreement->problems,
								  psprintf("The key \"%s\" has to be %s.", keys[key].name, keys[key].expected));
	(void) dbkit_json_value(agreement->defaults, keys[key].name, &value);
	(void) keys[key].reader(&value, field);
}

/*
 * Read an agreement, NULL for one that says nothing.  What is wrong in it is noted among
 * its problems, and the default takes its place.
 */
void
dbkit_read_agreement(Agreement *agreement, Jsonb *own)
{
	memset(agreement, 0, sizeof(Agreement));
	agreement->number = ++count;
	agreement->own = own;
	agreement->of_preset = find_preset(own);
	agreement->defaults = dbkit_merge_json(dbkit_make_json(dbkit_agreement_defaults), agreement->of_preset);
	if (own != NULL)
		agreement->problems = find_unknown_keys(own);
	for (size_t i = 0; i < lengthof(keys); i++)
		read_value(agreement, i);
	agreement->team_rules = dbkit_read_team_rules(agreement, &agreement->problems);
}

/* Find the owner and the schema of the extension; false where it is not there. */
bool
dbkit_find_extension(Oid *owner, Oid *namespace)
{
	Relation	extensions = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum("dbkit"));
	scan = systable_beginscan(extensions, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		*owner = ((Form_pg_extension) GETSTRUCT(tuple))->extowner;
		*namespace = ((Form_pg_extension) GETSTRUCT(tuple))->extnamespace;
	}
	systable_endscan(scan);
	table_close(extensions, AccessShareLock);
	return HeapTupleIsValid(tuple);
}

/* Return the owner of the database. */
Oid
dbkit_database_owner(void)
{
	HeapTuple	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	owner = ((Form_pg_database) GETSTRUCT(tuple))->datdba;
	ReleaseSysCache(tuple);
	return owner;
}

/* Return the literal that a statement SELECT 'literal'::type selects, or NULL. */
static char *
selected_literal(Node *statement)
{
	SelectStmt *select = (SelectStmt *) statement;
	Node	   *value;

	if (!IsA(statement, SelectStmt) || list_length(select->targetList) != 1 ||
		select->fromClause != NIL || select->whereClause != NULL || select->withClause != NULL)
		return NULL;
	value = linitial_node(ResTarget, select->targetList)->val;
	if (!IsA(value, TypeCast) || !IsA(((TypeCast *) value)->arg, A_Const) ||
		!IsA(&((A_Const *) ((TypeCast *) value)->arg)->val, String))
		return NULL;
	return strVal(&((A_Const *) ((TypeCast *) value)->arg)->val);
}

/* Return the JSON object of a function's body, or NULL where it is none. */
static Jsonb *
read_body(const char *body)
{
	List	   *statements = raw_parser(body, RAW_PARSE_DEFAULT);
	char	   *literal = list_length(statements) != 1 ? NULL :
	selected_literal(linitial_node(RawStmt, statements)->stmt);
	Jsonb	   *json = literal != NULL ? dbkit_make_json(literal) : NULL;

	return json != NULL && JB_ROOT_IS_OBJECT(json) ? json : NULL;
}

/*
 * The same, where the body may be anything: somebody may have written it by hand.  Parser
 * and input function only use memory, so an error leaves nothing behind (as in xml_is_document()).
 */
static Jsonb *
try_read_body(const char *body)
{
	MemoryContext context = CurrentMemoryContext;
	Jsonb	   *volatile result = NULL;

	PG_TRY();
	{
		result = read_body(body);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION ||
			ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_INSUFFICIENT_RESOURCES)
			PG_RE_THROW();
		FlushErrorState();
	}
	PG_END_TRY();
	return result;
}

/* Return why the function is not to be trusted, or NULL. */
static const char *
find_distrust(Form_pg_proc form, Oid extension_owner)
{
	if (form->prolang != SQLlanguageId)
		return "it is not an SQL function";
	if (superuser_arg(form->proowner) || form->proowner == extension_owner ||
		form->proowner == dbkit_database_owner())
		return NULL;
	return "its owner is not a superuser and owns neither the extension nor the database";
}

/* Read the agreement from the row of its function, NULL for none. */
static void
read_function(Agreement *agreement, HeapTuple tuple, Oid extension_owner)
{
	Form_pg_proc form;
	const char *untrusted;
	Jsonb	   *own = NULL;
	bool		isnull;
	Datum		body;

	if (!HeapTupleIsValid(tuple))
	{
		dbkit_read_agreement(agreement, NULL);
		return;
	}
	form = (Form_pg_proc) GETSTRUCT(tuple);
	untrusted = find_distrust(form, extension_owner);
	body = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull);
	if (untrusted == NULL && !isnull)
		own = try_read_body(TextDatumGetCString(body));
	dbkit_read_agreement(agreement, own);
	agreement->function = form->oid;
	agreement->untrusted = untrusted != NULL ? untrusted : own != NULL ? NULL :
		"its body is not SELECT '{...}'::jsonb";
}

/* Find the function that holds the agreement; NULL where there is none. */
static HeapTuple
find_function(Oid namespace)
{
	oidvector  *no_arguments = buildoidvector(NULL, 0);

	return SearchSysCache3(PROCNAMEARGSNSP, CStringGetDatum(DBKIT_AGREEMENT_FUNCTION),
						   PointerGetDatum(no_arguments), ObjectIdGetDatum(namespace));
}

/* Is it the name of the function that keeps the agreement, and that nobody runs? */
bool
dbkit_keeps_agreement(const char *schema, const char *name)
{
	Oid			owner;
	Oid			namespace;
	const char *own;

	if (schema == NULL || strcmp(name, DBKIT_AGREEMENT_FUNCTION) != 0 || !dbkit_find_extension(&owner, &namespace))
		return false;
	own = get_namespace_name(namespace);
	return own != NULL && strcmp(own, schema) == 0;
}

/* Is it the row that the agreement was read from? */
static bool
is_known(HeapTuple tuple)
{
	if (known.context == NULL)
		return false;
	if (!HeapTupleIsValid(tuple))
		return !OidIsValid(known.function);
	return known.function == ((Form_pg_proc) GETSTRUCT(tuple))->oid &&
		known.xmin == HeapTupleHeaderGetRawXmin(tuple->t_data) &&
		ItemPointerEquals(&known.tid, &tuple->t_self);
}

/* Note what the agreement was read from. */
static void
note_source(HeapTuple tuple)
{
	known.function = InvalidOid;
	if (!HeapTupleIsValid(tuple))
		return;
	known.function = ((Form_pg_proc) GETSTRUCT(tuple))->oid;
	known.xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
	known.tid = tuple->t_self;
}

/* Read the agreement from a row, in a memory context of its own. */
static void
read_row(HeapTuple tuple, Oid extension_owner)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "dbkit agreement",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Agreement	agreement;

	read_function(&agreement, tuple, extension_owner);
	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(context, TopMemoryContext);
	if (supposed == NULL)
		dbkit_use_team_rules(agreement.team_rules);

	/*
	 * What is being judged may still look at it: a function that judges makes
	 * statements of its own
	 */
	if (known.context != NULL)
		MemoryContextSetParent(known.context, TopTransactionContext);
	known.context = context;
	known.agreement = agreement;
	note_source(tuple);
}

/*
 * Read the agreement as it is now into the current memory context, NULL for none.  What holds
 * stays as it is.
 */
Jsonb *
dbkit_latest_agreement(void)
{
	Agreement	agreement;
	Oid			owner = InvalidOid;
	Oid			namespace = InvalidOid;
	HeapTuple	tuple = dbkit_find_extension(&owner, &namespace) ? find_function(namespace) : NULL;

	read_function(&agreement, tuple, owner);
	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return agreement.own;
}

/*
 * Let the agreement be as it is now.  To be called before something is judged, and not while:
 * what dbkit_agreement() gave before is gone then.
 */
void
dbkit_refresh_agreement(void)
{
	Oid			owner = InvalidOid;
	Oid			namespace = InvalidOid;
	HeapTuple	tuple;

	if (known.current)
		return;
	known.changed = false;
	tuple = dbkit_find_extension(&owner, &namespace) ? find_function(namespace) : NULL;
	if (!is_known(tuple))
		read_row(tuple, owner);
	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	/* only now: after an error it is to be read again */
	known.current = !known.changed;
	if (known.changed)
		known.xmin = InvalidTransactionId;
}

/* Return the agreement of the database. */
const Agreement *
dbkit_agreement(void)
{
	if (supposed != NULL)
		return supposed;
	if (known.context == NULL)
		dbkit_refresh_agreement();
	return &known.agreement;
}

/*
 * Let another agreement take the place of the present one, until it is NULL.  What judges
 * meanwhile has to be in this transaction and subtransaction; an error ends it.
 */
void
dbkit_suppose_agreement(const Agreement *agreement)
{
	supposed = agreement;
	dbkit_use_team_rules((agreement != NULL ? agreement : &known.agreement)->team_rules);
}

/* Return the agreement that is supposed, or NULL. */
const Agreement *
dbkit_supposed_agreement(void)
{
	return supposed;
}

/* Suppose nothing once the transaction has ended, whatever the reason. */
static void
at_transaction_event(XactEvent event pg_attribute_unused(), void *arg pg_attribute_unused())
{
	if (supposed != NULL)
		dbkit_suppose_agreement(NULL);
}

/* The same for a subtransaction, whose error somebody may have caught. */
static void
at_subtransaction_event(SubXactEvent event, SubTransactionId subid pg_attribute_unused(),
						SubTransactionId parent pg_attribute_unused(), void *arg pg_attribute_unused())
{
	if (event == SUBXACT_EVENT_ABORT_SUB && supposed != NULL)
		dbkit_suppose_agreement(NULL);
}

/*
 * Look for the function again once one has changed: the extension's schema may be another
 * one as well.
 */
static void
forget_function(Datum arg pg_attribute_unused(), int cacheid pg_attribute_unused(),
				uint32 hash pg_attribute_unused())
{
	known.current = false;
	known.changed = true;
}

/* Read it again once somebody may have become, or ceased to be, trusted. */
static void
forget_trust(Datum arg pg_attribute_unused(), int cacheid pg_attribute_unused(),
			 uint32 hash pg_attribute_unused())
{
	known.current = false;
	known.changed = true;
	known.xmin = InvalidTransactionId;
}

/* Watch the function, and who may own it. */
void
dbkit_agreement_init(void)
{
	RegisterXactCallback(at_transaction_event, NULL);
	RegisterSubXactCallback(at_subtransaction_event, NULL);
	CacheRegisterSyscacheCallback(PROCOID, forget_function, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, forget_trust, (Datum) 0);
	CacheRegisterSyscacheCallback(DATABASEOID, forget_trust, (Datum) 0);
}
