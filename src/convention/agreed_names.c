/*-------------------------------------------------------------------------
 *
 * agreed_names.c
 *		Keep the names in the agreement right.
 *
 * Exemptions of one object and the baseline go by names.  They follow a new name when it
 * is given.  What the baseline has of an object that was changed or dropped is compared with
 * what is wrong just before the transaction commits, and what is no longer wrong leaves it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "common.h"
#include "convention/agree.h"
#include "convention/agreed_names.h"
#include "convention/agreement.h"
#include "convention/agreement_json.h"
#include "convention/baseline.h"
#include "convention/check.h"
#include "convention/exempt.h"
#include "convention/exemption.h"
#include "convention/facts/catalogs.h"
#include "convention/rules/rules.h"
#include "convention/team_judge.h"

/* A new name of an object, or with "old_part" of something that belongs to it */
typedef struct Renaming
{
	char	   *old_object;
	char	   *new_object;
	const char *old_part;
	const char *new_part;
} Renaming;

/* An object that the baseline knew when it was changed or dropped */
typedef struct TouchedObject
{
	NameData	schema;
	NameData	name;
} TouchedObject;

/* TouchedObject is the key and all of an entry, in TopTransactionContext */
static HTAB *touched = NULL;

/* Return the name and schema of an object; false where it is of no kind that the agreement names, or gone. */
static bool
find_name(Oid classid, Oid objid, char **schema, char **name)
{
	Oid			namespace = InvalidOid;

	if (classid != RelationRelationId && classid != TypeRelationId && classid != ProcedureRelationId)
		return false;
	*name = dbkit_catalog_name(&dbkit_now, dbkit_catalog_of(classid), objid, &namespace);
	*schema = *name != NULL ? dbkit_catalog_schema(&dbkit_now, namespace) : NULL;
	return *schema != NULL;
}

/* Return what the agreement calls an object, or NULL where it is gone. */
static char *
object_name(Oid classid, Oid objid)
{
	char	   *schema;
	char	   *name;

	return find_name(classid, objid, &schema, &name) ? dbkit_object_name(schema, name) : NULL;
}

/* Return the name that a statement takes from an object, or NULL where it is in no such place. */
static const char *
old_name(const RenameStmt *statement)
{
	switch (statement->renameType)
	{
		case OBJECT_FUNCTION:
		case OBJECT_PROCEDURE:
		case OBJECT_ROUTINE:
			return strVal(llast(castNode(ObjectWithArgs, statement->object)->objname));
		case OBJECT_TYPE:
		case OBJECT_DOMAIN:
			return strVal(llast(castNode(List, statement->object)));
		default:
			return statement->relation != NULL ? statement->relation->relname : NULL;
	}
}

static List *
add_renaming(List *renamings, char *old_object, char *new_object, const char *old_part, const char *new_part)
{
	Renaming   *renaming = palloc(sizeof(Renaming));

	renaming->old_object = old_object;
	renaming->new_object = new_object;
	renaming->old_part = old_part;
	renaming->new_part = new_part;
	return old_object != NULL && new_object != NULL ? lappend(renamings, renaming) : renamings;
}

/* Has a table a column of that name?  The baseline tells it from a policy, say, by its name alone. */
static bool
has_column(Oid relid, const char *name)
{
	return get_attnum(relid, name) != InvalidAttrNumber;
}

/* Return the new names of something that belongs to a table, and with it to its children. */
static List *
rename_part(Oid relid, const RenameStmt *statement)
{
	List	   *result = NIL;
	ListCell   *lc;

	if (!OidIsValid(relid))
		return NIL;
	foreach(lc, find_all_inheritors(relid, NoLock, NULL))
	{
		char	   *object = object_name(RelationRelationId, lfirst_oid(lc));

		if (!has_column(lfirst_oid(lc), statement->subname))
			result = add_renaming(result, object, object, statement->subname, statement->newname);
	}
	return result;
}

/* Is a table or type called that?  Then the agreement means it, and not a function of that name. */
static bool
is_name_taken(const char *schema, const char *name)
{
	Oid			namespace = get_namespace_oid(schema, true);

	return OidIsValid(get_relname_relid(name, namespace)) ||
		SearchSysCacheExists2(TYPENAMENSP, CStringGetDatum(name), ObjectIdGetDatum(namespace));
}

/* Return the new name of an index, which belongs to its table, or of any other relation. */
static List *
rename_relation(Oid relid, const RenameStmt *statement)
{
	char	   *schema;
	char	   *name;
	char		relkind = get_rel_relkind(relid);

	if (relkind == RELKIND_INDEX || relkind == RELKIND_PARTITIONED_INDEX)
	{
		Oid			table = IndexGetRelation(relid, true);
		char	   *object = object_name(RelationRelationId, table);

		if (has_column(table, statement->relation->relname))
			return NIL;
		return add_renaming(NIL, object, object, statement->relation->relname, statement->newname);
	}
	if (!find_name(RelationRelationId, relid, &schema, &name))
		return NIL;
	return add_renaming(NIL, dbkit_object_name(schema, statement->relation->relname),
						dbkit_object_name(schema, name), NULL, NULL);
}

/* Return the new names that a RENAME gives. */
static List *
find_renamings(const RenameStmt *statement, const ObjectAddress *address)
{
	char	   *schema;
	char	   *name;

	switch (statement->renameType)
	{
		case OBJECT_COLUMN:
			return rename_part(address->objectId, statement);
		case OBJECT_TABCONSTRAINT:
		case OBJECT_TRIGGER:
		case OBJECT_POLICY:
			return rename_part(RangeVarGetRelid(statement->relation, NoLock, true), statement);
		case OBJECT_SCHEMA:
			return NIL;
		default:
			break;
	}
	if (address->classId == RelationRelationId)
		return rename_relation(address->objectId, statement);
	if (old_name(statement) == NULL || !find_name(address->classId, address->objectId, &schema, &name) ||
		is_name_taken(schema, old_name(statement)))
		return NIL;
	return add_renaming(NIL, dbkit_object_name(schema, old_name(statement)), dbkit_object_name(schema, name), NULL, NULL);
}

/* Return the new name that SET SCHEMA gives. */
static List *
find_moves(const ObjectAddress *address, const ObjectAddress *old_schema)
{
	char	   *schema;
	char	   *name;
	char	   *before = get_namespace_name(old_schema->objectId);

	if (before == NULL || !find_name(address->classId, address->objectId, &schema, &name) ||
		(address->classId != RelationRelationId && is_name_taken(before, name)))
		return NIL;
	return add_renaming(NIL, dbkit_object_name(before, name), dbkit_object_name(schema, name), NULL, NULL);
}

/* Return the new name of an object if it is in the schema with a new name, else NULL. */
static char *
move_with_schema(const char *object, const RenameStmt *statement)
{
	char	   *before = dbkit_object_name(statement->subname, "");
	char	   *after = dbkit_object_name(statement->newname, "");

	if (strncmp(object, before, strlen(before)) != 0)
		return NULL;
	return psprintf("%s%s", after, object + strlen(before));
}

/* Return what the agreement has to call an object now, or NULL for what it did. */
static char *
renamed_object(const char *object, const List *renamings, const RenameStmt *schema)
{
	ListCell   *lc;

	if (schema != NULL)
		return move_with_schema(object, schema);
	foreach(lc, renamings)
	{
		const Renaming *renaming = lfirst(lc);

		if (renaming->old_part == NULL && strcmp(object, renaming->old_object) == 0)
			return renaming->new_object;
	}
	return NULL;
}

/* Give an entry of the baseline its new names; return whether it has any. */
static bool
rename_entry(BaselineEntry *entry, const List *renamings, const RenameStmt *schema)
{
	char	   *object = renamed_object(entry->object, renamings, schema);
	ListCell   *lc;

	if (object != NULL)
		entry->object = object;
	foreach(lc, renamings)
	{
		const Renaming *renaming = lfirst(lc);

		if (renaming->old_part != NULL && strcmp(entry->object, renaming->old_object) == 0 &&
			strcmp(entry->name, renaming->old_part) == 0)
		{
			entry->name = pstrdup(renaming->new_part);
			return true;
		}
	}
	return object != NULL;
}

/* Return the agreement with new names in its baseline, or NULL where it has none of them. */
static Jsonb *
rename_in_baseline(Jsonb *agreement, const List *renamings, const RenameStmt *schema)
{
	List	   *entries = dbkit_read_baseline(agreement);
	bool		changed = false;
	ListCell   *lc;

	foreach(lc, entries)
		changed |= rename_entry(lfirst(lc), renamings, schema);
	return changed ? dbkit_replace_baseline(agreement, entries) : NULL;
}

/* The same for the exemptions of one object. */
static Jsonb *
rename_in_exemptions(Jsonb *agreement, const List *renamings, const RenameStmt *schema)
{
	Jsonb	   *result = NULL;
	ListCell   *lc;

	foreach(lc, dbkit_all_exemptions())
	{
		const Exemption *exemption = lfirst(lc);
		char	   *object = exemption->builtin || dbkit_is_pattern(exemption->object) ? NULL :
		renamed_object(exemption->object, renamings, schema);

		if (object != NULL)
			result = dbkit_move_exemption(result != NULL ? result : agreement, exemption, object);
	}
	return result;
}

/* Move what the agreement says of a schema to its new name; NULL where it says nothing. */
static Jsonb *
rename_in_schemas(Jsonb *agreement, const RenameStmt *schema)
{
	Jsonb	   *schemas = schema != NULL ? dbkit_json_object(agreement, "schemas") : NULL;
	Jsonb	   *levels = schemas != NULL ? dbkit_json_object(schemas, schema->subname) : NULL;
	JsonbParseState *state = NULL;
	JsonbValue	nothing = {.type = jbvNull};
	JsonbValue	value;

	if (levels == NULL)
		return NULL;
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	dbkit_push_string(&state, WJB_KEY, "schemas");
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	dbkit_push_string(&state, WJB_KEY, schema->subname);
	(void) pushJsonbValue(&state, WJB_VALUE, &nothing);
	dbkit_push_string(&state, WJB_KEY, schema->newname);
	JsonbToJsonbValue(levels, &value);
	(void) pushJsonbValue(&state, WJB_VALUE, &value);
	(void) pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return dbkit_merge_json(agreement, JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/* Does the baseline know anything by a name that is another one now? */
static bool
baseline_knows(const Renaming *renaming)
{
	ListCell   *lc;

	if (renaming->old_part == NULL)
		return dbkit_baseline_has(renaming->old_object);
	foreach(lc, dbkit_baseline_of(renaming->old_object))
	{
		if (strcmp(((const BaselineEntry *) lfirst(lc))->name, renaming->old_part) == 0)
			return true;
	}
	return false;
}

/* May the agreement have one of the names?  Most stand nowhere in it, and it may be long. */
static bool
may_have_names(const List *renamings, const RenameStmt *schema)
{
	bool		found = schema != NULL;
	ListCell   *lc;

	foreach(lc, renamings)
		found |= baseline_knows(lfirst(lc));
	return found || rename_in_exemptions(dbkit_agreement()->own, renamings, schema) != NULL;
}

/* Return the agreement with new names, or NULL where it has none of them. */
static Jsonb *
rename_in_agreement(const List *renamings, const RenameStmt *schema)
{
	Jsonb	   *own = dbkit_agreement()->own;
	Jsonb	   *result = NULL;
	Jsonb	   *next;

	if (own == NULL || (renamings == NIL && schema == NULL))
		return NULL;
	if ((next = rename_in_baseline(own, renamings, schema)) != NULL)
		result = next;
	if ((next = rename_in_exemptions(result != NULL ? result : own, renamings, schema)) != NULL)
		result = next;
	if ((next = rename_in_schemas(result != NULL ? result : own, schema)) != NULL)
		result = next;
	return result;
}

/* Let the agreement follow the new name that a command gives. */
void
dbkit_follow_rename(const CollectedCommand *command)
{
	const RenameStmt *statement = IsA(command->parsetree, RenameStmt) ? (RenameStmt *) command->parsetree : NULL;
	const RenameStmt *schema = statement != NULL && statement->renameType == OBJECT_SCHEMA ? statement : NULL;
	List	   *renamings = NIL;

	if (dbkit_agreement()->own == NULL || command->type != SCT_Simple)
		return;
	if (statement != NULL)
		renamings = find_renamings(statement, &command->d.simple.address);
	else if (IsA(command->parsetree, AlterObjectSchemaStmt))
		renamings = find_moves(&command->d.simple.address, &command->d.simple.secondaryObject);

	/* Nobody has to wait for names that stand nowhere in it */
	if (!may_have_names(renamings, schema))
		return;
	dbkit_lock_agreement();
	dbkit_rewrite_agreement(rename_in_agreement(renamings, schema));
}

/* Note that an object of that name was changed or dropped, if the baseline knows it. */
void
dbkit_touch_baseline_of(const char *schema, const char *name)
{
	TouchedObject object = {0};
	HASHCTL		ctl = {
		.keysize = sizeof(TouchedObject),.entrysize = sizeof(TouchedObject),.hcxt = TopTransactionContext
	};

	if (dbkit_is_restoring() || !dbkit_baseline_has(dbkit_object_name(schema, name)))
		return;
	if (touched == NULL)
		touched = hash_create("dbkit changed objects of the baseline", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	namestrcpy(&object.schema, schema);
	namestrcpy(&object.name, name);
	(void) hash_search(touched, &object, HASH_ENTER, NULL);
}

/* The same for an object that is there. */
void
dbkit_touch_baseline(Oid classid, Oid objid)
{
	char	   *schema;
	char	   *name;

	if (dbkit_agreement()->own != NULL && find_name(classid, objid, &schema, &name))
		dbkit_touch_baseline_of(schema, name);
}

/* Add what the baseline would have of a finding to a list. */
static void
collect_entry(const Finding *finding, void *arg)
{
	List	  **entries = arg;
	MemoryContext caller = MemoryContextSwitchTo(TopTransactionContext);

	*entries = lappend(*entries, dbkit_baseline_entry(finding));
	MemoryContextSwitchTo(caller);
}

/* Return what is wrong now with the objects of that name. */
static List *
find_present(const TouchedObject *object)
{
	List	   *entries = NIL;
	Oid			namespace = get_namespace_oid(NameStr(object->schema), true);
	CatCList   *functions;
	Oid			relid;
	Oid			type;

	if (!OidIsValid(namespace))
		return NIL;
	relid = get_relname_relid(NameStr(object->name), namespace);
	if (OidIsValid(relid))
		dbkit_check_object(RelationRelationId, relid, SCOPE_ALL, collect_entry, &entries);
	type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, NameGetDatum(&object->name), ObjectIdGetDatum(namespace));
	if (OidIsValid(type))
		dbkit_check_object(TypeRelationId, type, SCOPE_ALL, collect_entry, &entries);
	functions = SearchSysCacheList1(PROCNAMEARGSNSP, NameGetDatum(&object->name));
	for (int i = 0; i < functions->n_members; i++)
	{
		Form_pg_proc form = (Form_pg_proc) GETSTRUCT(&functions->members[i]->tuple);

		if (form->pronamespace == namespace)
			dbkit_check_object(ProcedureRelationId, form->oid, SCOPE_ALL, collect_entry, &entries);
	}
	ReleaseSysCacheList(functions);
	return entries;
}

/* Drop the entries of rules that could not judge: nobody knows whether they are still wrong. */
static List *
drop_unjudged(List *entries)
{
	ListCell   *lc;

	foreach(lc, entries)
	{
		const Rule *rule = dbkit_find_rule(((const BaselineEntry *) lfirst(lc))->rule);

		if (rule != NULL && dbkit_team_rule_failed(rule))
			entries = foreach_delete_current(entries, lc);
	}
	return entries;
}

/* Return what the baseline has of the objects and is not wrong any more. */
static List *
find_fixed(void)
{
	List	   *fixed = NIL;
	HASH_SEQ_STATUS scan;
	const TouchedObject *object;

	hash_seq_init(&scan, touched);
	while ((object = hash_seq_search(&scan)) != NULL)
	{
		char	   *name = dbkit_object_name(NameStr(object->schema), NameStr(object->name));

		fixed = list_concat(fixed, drop_unjudged(dbkit_subtract_entries(dbkit_baseline_of(name), find_present(object))));
	}
	return fixed;
}

/* Take out of the baseline what this transaction has fixed. */
static void
prune_baseline(void)
{
	List	   *fixed = find_fixed();
	Jsonb	   *own;

	if (fixed == NIL)
		return;
	dbkit_lock_agreement();
	own = dbkit_agreement()->own;
	dbkit_rewrite_agreement(own == NULL ? NULL :
							dbkit_replace_baseline(own, dbkit_subtract_entries(dbkit_read_baseline(own), fixed)));
}

/* Do so just before the transaction commits, when it is known what it leaves. */
static void
at_transaction_event(XactEvent event, void *arg pg_attribute_unused())
{
	Oid			owner;
	Oid			namespace;

	if ((event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE) && touched != NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(TopTransactionContext);

		PushActiveSnapshot(GetTransactionSnapshot());
		dbkit_refresh_agreement();
		if (dbkit_find_extension(&owner, &namespace))
			prune_baseline();
		PopActiveSnapshot();
		MemoryContextSwitchTo(caller);
		touched = NULL;
	}
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		touched = NULL;
}

/* Watch transactions end. */
void
dbkit_agreed_names_init(void)
{
	RegisterXactCallback(at_transaction_event, NULL);
}
