/*-------------------------------------------------------------------------
 *
 * confine.c
 *		What would let a role out of its tenant: dbkit.confine_sql().
 *
 * Row level security binds a role no more closely than its other rights.  What is
 * granted to PUBLIC everybody has, and REVOKE ... FROM the role does not take it
 * away.  So it is revoked from PUBLIC, and first granted to those who would lose it.
 *
 * Everything is read from the catalogs, and nothing is locked: the statements are
 * for somebody to look at.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_auth_members.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "catalog/pg_default_acl.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_init_privs.h"
#include "catalog/pg_language.h"
#include "catalog/pg_largeobject.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_parameter_acl.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_shdepend.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "cluster.h"
#include "common.h"
#include "context/confine.h"
#include "context/revoke.h"

/* Those that have an owner's code or another tenant's rows within reach, or that policies do not bind */
#define TABLE_PRIVILEGES	(ACL_TRUNCATE | ACL_REFERENCES | ACL_TRIGGER | ACL_MAINTAIN)

/* The kinds below: is this one that a role may get out by? */

static bool
is_this_database(const Confinement *confinement pg_attribute_unused(), HeapTuple row)
{
	return ((Form_pg_database) GETSTRUCT(row))->oid == MyDatabaseId;
}

static bool
is_lasting_schema(const Confinement *confinement pg_attribute_unused(), HeapTuple row)
{
	return !isAnyTempNamespace(((Form_pg_namespace) GETSTRUCT(row))->oid);
}

static bool
is_lasting_relation(const Confinement *confinement pg_attribute_unused(), HeapTuple row)
{
	static const char relkinds[] = {
		RELKIND_RELATION, RELKIND_PARTITIONED_TABLE, RELKIND_VIEW, RELKIND_MATVIEW, RELKIND_FOREIGN_TABLE, '\0'
	};
	Form_pg_class form = (Form_pg_class) GETSTRUCT(row);

	return form->relpersistence != RELPERSISTENCE_TEMP && strchr(relkinds, form->relkind) != NULL;
}

/* A language may keep what one request leaves for the next one of the same role; SQL and PL/pgSQL do not. */
static bool
is_remembering_language(const Confinement *confinement pg_attribute_unused(), HeapTuple row)
{
	Form_pg_language form = (Form_pg_language) GETSTRUCT(row);

	return form->lanispl && form->lanpltrusted && strcmp(NameStr(form->lanname), "plpgsql") != 0;
}

/* Large objects have no row level security, and those of all tenants have one owner. */
static bool
is_for_large_objects(Form_pg_proc form)
{
	static const char *const names[] = {
		"lo_creat", "lo_create", "lo_export", "lo_from_bytea", "lo_get", "lo_import", "lo_open", "lo_put", "lo_unlink"
	};

	for (size_t i = 0; form->pronamespace == PG_CATALOG_NAMESPACE && i < lengthof(names); i++)
	{
		if (strcmp(NameStr(form->proname), names[i]) == 0)
			return true;
	}
	return false;
}

/* Does the function belong to an extension whose functions open other sessions? */
static bool
opens_sessions(Oid function)
{
	static const char *const extensions[] = {"dblink", "pg_background", "pg_cron"};
	Oid			extension = function >= FirstNormalObjectId ? getExtensionOfObject(ProcedureRelationId, function) : InvalidOid;
	const char *name = OidIsValid(extension) ? get_extension_name(extension) : NULL;

	for (size_t i = 0; name != NULL && i < lengthof(extensions); i++)
	{
		if (strcmp(name, extensions[i]) == 0)
			return true;
	}
	return false;
}

/* Does row level security bind a role everywhere? */
static bool
is_bound(const Confinement *confinement, Oid role)
{
	HeapTuple	row = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
	bool		result = row != NULL && !((Form_pg_authid) GETSTRUCT(row))->rolsuper &&
	!((Form_pg_authid) GETSTRUCT(row))->rolbypassrls;
	ListCell   *lc;

	if (row != NULL)
		ReleaseSysCache(row);
	foreach(lc, confinement->unbound_owners)
		result = result && !has_privs_of_role(role, lfirst_oid(lc));
	return result;
}

/* A trigger's function cannot be called, and PostgreSQL asks for no EXECUTE when the trigger fires. */
static bool
is_definer(Form_pg_proc form)
{
	return form->prosecdef && form->prorettype != TRIGGEROID && form->prorettype != EVENT_TRIGGEROID;
}

/* Is the function such that no tenant is to have it, whoever granted it? */
static bool
is_for_no_tenant(const Confinement *confinement, Form_pg_proc form)
{
	return is_for_large_objects(form) || list_member_oid(confinement->withheld, form->oid) ||
		opens_sessions(form->oid) || dbkit_runs_elsewhere(form->oid) || dbkit_shows_plans(form->oid);
}

static bool
is_way_past_policies(const Confinement *confinement, HeapTuple row)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(row);

	return is_for_no_tenant(confinement, form) || (is_definer(form) && !is_bound(confinement, form->proowner));
}

/* Has the function a search_path of its own? */
static bool
has_search_path(Relation catalog, HeapTuple row)
{
	static const char prefix[] = "search_path=";
	bool		isnull;
	Datum		config = heap_getattr(row, Anum_pg_proc_proconfig, RelationGetDescr(catalog), &isnull);
	Datum	   *settings;
	int			count = 0;

	if (!isnull)
		deconstruct_array(DatumGetArrayTypeP(config), TEXTOID, -1, false, TYPALIGN_INT, &settings, NULL, &count);
	for (int i = 0; i < count; i++)
	{
		if (strncmp(TextDatumGetCString(settings[i]), prefix, strlen(prefix)) == 0)
			return true;
	}
	return false;
}

/*
 * Is it a SECURITY DEFINER function that somebody made for those whom he grants it to, such as one
 * that signs up?  One without a search_path does what its caller's schemas say.
 */
static bool
is_door(const Confinement *confinement, Relation catalog, HeapTuple row)
{
	return !is_for_no_tenant(confinement, (Form_pg_proc) GETSTRUCT(row)) && has_search_path(catalog, row);
}

/* What has privileges, where they stand, and which of them let a role out */
static const struct Kind
{
	Oid			catalog;		/* whose first column is "oid" */
	ObjectType	type;
	const char *keyword;
	AttrNumber	name;
	AttrNumber	namespace;		/* 0: it is in no schema */
	AttrNumber	owner;			/* 0: the bootstrap superuser */
	AttrNumber	acl;
	AclMode		privileges;
	bool		(*is_way_out) (const Confinement *confinement, HeapTuple row);	/* NULL: each of them */
}			kinds[] = {

	{DatabaseRelationId, OBJECT_DATABASE, "DATABASE", Anum_pg_database_datname, 0, Anum_pg_database_datdba,
	Anum_pg_database_datacl, ACL_CREATE | ACL_CREATE_TEMP, is_this_database},
	{NamespaceRelationId, OBJECT_SCHEMA, "SCHEMA", Anum_pg_namespace_nspname, 0, Anum_pg_namespace_nspowner,
	Anum_pg_namespace_nspacl, ACL_CREATE, is_lasting_schema},
	{RelationRelationId, OBJECT_TABLE, "TABLE", Anum_pg_class_relname, Anum_pg_class_relnamespace, Anum_pg_class_relowner,
	Anum_pg_class_relacl, TABLE_PRIVILEGES, is_lasting_relation},
	{ProcedureRelationId, OBJECT_FUNCTION, "ROUTINE", Anum_pg_proc_proname, Anum_pg_proc_pronamespace, Anum_pg_proc_proowner,
	Anum_pg_proc_proacl, ACL_EXECUTE, is_way_past_policies},
	{LanguageRelationId, OBJECT_LANGUAGE, "LANGUAGE", Anum_pg_language_lanname, 0, Anum_pg_language_lanowner,
	Anum_pg_language_lanacl, ACL_USAGE, is_remembering_language},
	{ForeignDataWrapperRelationId, OBJECT_FDW, "FOREIGN DATA WRAPPER", Anum_pg_foreign_data_wrapper_fdwname, 0,
	Anum_pg_foreign_data_wrapper_fdwowner, Anum_pg_foreign_data_wrapper_fdwacl, ACL_USAGE, NULL},
	{ForeignServerRelationId, OBJECT_FOREIGN_SERVER, "FOREIGN SERVER", Anum_pg_foreign_server_srvname, 0,
	Anum_pg_foreign_server_srvowner, Anum_pg_foreign_server_srvacl, ACL_USAGE, NULL},
	{ParameterAclRelationId, OBJECT_PARAMETER_ACL, "PARAMETER", Anum_pg_parameter_acl_parname, 0, 0,
	Anum_pg_parameter_acl_paracl, ACL_SET | ACL_ALTER_SYSTEM, NULL},
};

/* Return a value of a row that is never NULL. */
static Datum
get_value(Relation catalog, HeapTuple row, AttrNumber attnum)
{
	bool		isnull;

	return heap_getattr(row, attnum, RelationGetDescr(catalog), &isnull);
}

/* Return the name by which GRANT knows an object, or NULL where a part of that is gone. */
static char *
find_identity(const struct Kind *kind, Relation catalog, HeapTuple row)
{
	Datum		value = get_value(catalog, row, kind->name);
	const char *name = TupleDescAttr(RelationGetDescr(catalog), kind->name - 1)->atttypid == TEXTOID ?
	TextDatumGetCString(value) : NameStr(*DatumGetName(value));
	const char *schema;

	if (kind->type == OBJECT_FUNCTION)
		return format_procedure_extended(DatumGetObjectId(get_value(catalog, row, 1)),
										 FORMAT_PROC_FORCE_QUALIFY | FORMAT_PROC_INVALID_AS_NULL);
	if (kind->namespace == 0)
		return pstrdup(quote_identifier(name));
	schema = get_namespace_name(DatumGetObjectId(get_value(catalog, row, kind->namespace)));
	return schema != NULL ? quote_qualified_identifier(schema, name) : NULL;
}

/* Confine the role where an object of some kind is a way out. */
static void
confine_row(Confinement *confinement, const struct Kind *kind, Relation catalog, HeapTuple row)
{
	bool		isnull;
	Datum		acl = heap_getattr(row, kind->acl, RelationGetDescr(catalog), &isnull);
	Object		object = {.keyword = kind->keyword,.privileges = kind->privileges};

	if (kind->is_way_out != NULL && !kind->is_way_out(confinement, row))
		return;
	object.owner = kind->owner != 0 ? DatumGetObjectId(get_value(catalog, row, kind->owner)) : BOOTSTRAP_SUPERUSERID;
	object.acl = isnull ? acldefault(kind->type, object.owner) : DatumGetAclP(acl);
	object.identity = find_identity(kind, catalog, row);
	object.door = kind->type == OBJECT_FUNCTION && is_door(confinement, catalog, row);
	if (object.identity != NULL)
		dbkit_confine_object(confinement, &object);
}

/* Is told of a row of a catalog */
typedef void (*RowCallback) (Confinement *confinement, const struct Kind *kind, Relation catalog, HeapTuple row);

/* Tell of all rows of a catalog, or of those for a key of one of its indexes. */
static void
visit_rows(Confinement *confinement, const struct Kind *kind, Oid catalogid, Oid index, int nkeys, ScanKey keys, RowCallback callback)
{
	Relation	catalog = table_open(catalogid, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, index, OidIsValid(index), NULL, nkeys, keys);
	HeapTuple	row;

	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		CHECK_FOR_INTERRUPTS();
		callback(confinement, kind, catalog, row);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

/* Confine the role where a column that somebody granted a privilege on is a way out. */
static void
confine_column(Confinement *confinement, const struct Kind *kind, Relation catalog, HeapTuple row)
{
	Form_pg_attribute form = (Form_pg_attribute) GETSTRUCT(row);
	bool		isnull;
	Datum		acl = heap_getattr(row, Anum_pg_attribute_attacl, RelationGetDescr(catalog), &isnull);
	HeapTuple	table = isnull || form->attisdropped ? NULL : SearchSysCache1(RELOID, ObjectIdGetDatum(form->attrelid));
	const char *schema;

	if (!HeapTupleIsValid(table))
		return;
	schema = get_namespace_name(((Form_pg_class) GETSTRUCT(table))->relnamespace);
	if (is_lasting_relation(confinement, table) && schema != NULL)
	{
		Object		object = {.keyword = kind->keyword,.privileges = ACL_REFERENCES,.acl = DatumGetAclP(acl)};

		object.owner = ((Form_pg_class) GETSTRUCT(table))->relowner;
		object.identity = quote_qualified_identifier(schema, NameStr(((Form_pg_class) GETSTRUCT(table))->relname));
		object.column = quote_identifier(pstrdup(NameStr(form->attname)));
		dbkit_confine_object(confinement, &object);
	}
	ReleaseSysCache(table);
}

/* Note a role that is to keep what it has through PUBLIC. */
static void
note_other_role(Confinement *confinement, const struct Kind *kind pg_attribute_unused(),
				Relation catalog pg_attribute_unused(), HeapTuple row)
{
	Form_pg_authid form = (Form_pg_authid) GETSTRUCT(row);
	OtherRole  *other;

	if (form->oid == confinement->role || form->rolsuper || form->oid < FirstNormalObjectId)
		return;
	other = palloc(sizeof(OtherRole));
	other->oid = form->oid;
	other->name = quote_identifier(pstrdup(NameStr(form->rolname)));
	confinement->others = lappend(confinement->others, other);
}

/* Note the owner of a table whose row level security does not bind him. */
static void
note_unbound_owner(Confinement *confinement, const struct Kind *kind pg_attribute_unused(),
				   Relation catalog pg_attribute_unused(), HeapTuple row)
{
	Form_pg_class form = (Form_pg_class) GETSTRUCT(row);

	if (form->relrowsecurity && !form->relforcerowsecurity)
		confinement->unbound_owners = list_append_unique_oid(confinement->unbound_owners, form->relowner);
}

/* Note a function that PostgreSQL or an extension came with and did not leave to PUBLIC. */
static void
note_withheld(Confinement *confinement, const struct Kind *kind pg_attribute_unused(), Relation catalog, HeapTuple row)
{
	Form_pg_init_privs form = (Form_pg_init_privs) GETSTRUCT(row);
	Object		object = {.privileges = ACL_EXECUTE};

	if (form->classoid != ProcedureRelationId)
		return;
	object.acl = DatumGetAclP(get_value(catalog, row, Anum_pg_init_privs_initprivs));
	if (dbkit_public_privileges(&object) == 0)
		confinement->withheld = lappend_oid(confinement->withheld, form->objoid);
}

/* Take the role out of another one, whose rights and policies would be its own. */
static void
revoke_membership(Confinement *confinement, const struct Kind *kind pg_attribute_unused(),
				  Relation catalog pg_attribute_unused(), HeapTuple row)
{
	Form_pg_auth_members form = (Form_pg_auth_members) GETSTRUCT(row);
	const char *role = GetUserNameFromId(form->roleid, true);
	const char *grantor = form->grantor != BOOTSTRAP_SUPERUSERID ? GetUserNameFromId(form->grantor, true) : NULL;

	if (role != NULL)
		confinement->revokes = lappend(confinement->revokes,
									   psprintf("REVOKE %s FROM %s%s%s%s;", quote_identifier(role), confinement->name,
												grantor != NULL ? " GRANTED BY " : "",
												grantor != NULL ? quote_identifier(grantor) : "",
												form->admin_option ? " CASCADE" : ""));
}

/* Which privileges on objects that come into being let a role out */
static const struct
{
	char		type;
	const char *keyword;
	AclMode		privileges;
}			default_kinds[] = {
	{DEFACLOBJ_RELATION, "TABLES", TABLE_PRIVILEGES},
	{DEFACLOBJ_NAMESPACE, "SCHEMAS", ACL_CREATE},
};

/* Write the REVOKE of what one role grants on what it will make. */
static char *
write_default_revoke(const Confinement *confinement, Form_pg_default_acl form, const char *keyword,
					 AclMode privileges, bool of_role)
{
	const char *schema = OidIsValid(form->defaclnamespace) ? get_namespace_name(form->defaclnamespace) : NULL;

	return psprintf("ALTER DEFAULT PRIVILEGES FOR ROLE %s%s%s REVOKE %s ON %s FROM %s;",
					quote_identifier(GetUserNameFromId(form->defaclrole, false)),
					schema != NULL ? " IN SCHEMA " : "", schema != NULL ? quote_identifier(schema) : "",
					dbkit_write_privileges(privileges, NULL), keyword, of_role ? confinement->name : "PUBLIC");
}

/* Take from PUBLIC and from the role what they would get on new objects. */
static void
confine_default(Confinement *confinement, const struct Kind *kind pg_attribute_unused(), Relation catalog, HeapTuple row)
{
	Form_pg_default_acl form = (Form_pg_default_acl) GETSTRUCT(row);
	const Acl  *acl = DatumGetAclP(get_value(catalog, row, Anum_pg_default_acl_defaclacl));

	for (size_t i = 0; i < lengthof(default_kinds); i++)
	{
		for (int j = 0; default_kinds[i].type == form->defaclobjtype && j < ACL_NUM(acl); j++)
		{
			const AclItem *item = &ACL_DAT(acl)[j];
			AclMode		privileges = ACLITEM_GET_PRIVS(*item) & default_kinds[i].privileges;

			if (privileges != 0 && form->defaclrole != confinement->role &&
				(item->ai_grantee == ACL_ID_PUBLIC || item->ai_grantee == confinement->role))
				confinement->revokes = lappend(confinement->revokes,
											   write_default_revoke(confinement, form, default_kinds[i].keyword, privileges,
																	item->ai_grantee == confinement->role));
		}
	}
}

/* Write a line of comment, whatever names are in it. */
static char *
write_comment(const char *text)
{
	char	   *result = psprintf("-- %s", text);

	for (char *c = result; *c != '\0'; c++)
	{
		if (*c == '\n' || *c == '\r')
			*c = ' ';
	}
	return result;
}

/*
 * Say that the role owns something: no REVOKE helps against that.  To whom it is to go is for
 * people to decide, since what the role planted in it would run with the new owner's rights.
 */
static void
tell_of_property(Confinement *confinement, const struct Kind *kind pg_attribute_unused(),
				 Relation catalog pg_attribute_unused(), HeapTuple row)
{
	Form_pg_shdepend form = (Form_pg_shdepend) GETSTRUCT(row);
	ObjectAddress address;
	const char *type;
	const char *identity;

	if (form->deptype != SHARED_DEPENDENCY_OWNER || form->classid == LargeObjectRelationId ||
		(form->dbid != MyDatabaseId && !(form->classid == DatabaseRelationId && form->objid == MyDatabaseId)))
		return;
	ObjectAddressSubSet(address, form->classid, form->objid, form->objsubid);
	type = getObjectTypeDescription(&address, true);
	identity = getObjectIdentity(&address, true);
	if (type != NULL && identity != NULL)
		confinement->revokes = lappend(confinement->revokes,
									   write_comment(psprintf("%s owns %s %s: give it to another role with ALTER ... OWNER TO, after a look at the code in it, such as triggers, rules and defaults",
															  confinement->name, type, identity)));
}

/* Add what the role can do whatever is granted to it. */
static void
confine_attributes(Confinement *confinement)
{
	HeapTuple	row = SearchSysCache1(AUTHOID, ObjectIdGetDatum(confinement->role));
	Form_pg_authid form;

	if (!HeapTupleIsValid(row))
		return;
	form = (Form_pg_authid) GETSTRUCT(row);
	if (form->rolsuper || form->rolbypassrls || form->rolcreaterole || form->rolreplication)
		confinement->revokes = lappend(confinement->revokes,
									   psprintf("ALTER ROLE %s%s%s%s%s;", confinement->name,
												form->rolsuper ? " NOSUPERUSER" : "", form->rolbypassrls ? " NOBYPASSRLS" : "",
												form->rolcreaterole ? " NOCREATEROLE" : "", form->rolreplication ? " NOREPLICATION" : ""));
	ReleaseSysCache(row);
}

static int
compare_texts(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

static int
compare_others(const ListCell *a, const ListCell *b)
{
	return strcmp(((const OtherRole *) lfirst(a))->name, ((const OtherRole *) lfirst(b))->name);
}

/* Move statements, in their order, to the end of a list. */
static List *
take(List **statements, List *result)
{
	list_sort(*statements, compare_texts);
	result = list_concat(result, *statements);
	*statements = NIL;
	return result;
}

/* Add the statements that confine a role as to what is granted, kind by kind; those that grant come first. */
static List *
confine_grants(Confinement *confinement, List *result)
{
	const struct Kind column = {.keyword = "TABLE"};
	List	   *revokes = NIL;

	for (size_t i = 0; i < lengthof(kinds); i++)
	{
		visit_rows(confinement, &kinds[i], kinds[i].catalog, InvalidOid, 0, NULL, confine_row);
		result = take(&confinement->grants, result);
		revokes = take(&confinement->revokes, revokes);
	}
	visit_rows(confinement, &column, AttributeRelationId, InvalidOid, 0, NULL, confine_column);
	result = take(&confinement->grants, result);
	return list_concat(result, take(&confinement->revokes, revokes));
}

/* Read what the objects are held against. */
static void
read_surroundings(Confinement *confinement)
{
	visit_rows(confinement, NULL, AuthIdRelationId, InvalidOid, 0, NULL, note_other_role);
	list_sort(confinement->others, compare_others);
	visit_rows(confinement, NULL, RelationRelationId, InvalidOid, 0, NULL, note_unbound_owner);
	visit_rows(confinement, NULL, InitPrivsRelationId, InvalidOid, 0, NULL, note_withheld);
}

/* Add the statements that confine a role as to what it is and what it belongs to. */
static List *
confine_role(Confinement *confinement)
{
	List	   *result;
	ScanKeyData key;

	confine_attributes(confinement);
	result = take(&confinement->revokes, NIL);

	ScanKeyInit(&key, Anum_pg_auth_members_member, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(confinement->role));
	visit_rows(confinement, NULL, AuthMemRelationId, AuthMemMemRoleIndexId, 1, &key, revoke_membership);
	return take(&confinement->revokes, result);
}

/*
 * The same as far as it can be told at once, however many tables and functions there are: what
 * the role is and belongs to, and which objects it can make in this database.
 */
List *
dbkit_confining_statements_at_once(Oid role, const char *name)
{
	Confinement confinement = {.role = role,.name = quote_identifier(name)};
	List	   *result = confine_role(&confinement);

	for (size_t i = 0; i < lengthof(kinds); i++)
	{
		if (kinds[i].catalog == DatabaseRelationId || kinds[i].catalog == NamespaceRelationId)
			visit_rows(&confinement, &kinds[i], kinds[i].catalog, InvalidOid, 0, NULL, confine_row);
	}
	return take(&confinement.revokes, result);
}

/*
 * List the statements that confine a role, which has to exist, to the rows that policies show
 * it: none where it is confined.  What it is and belongs to comes first; then others are
 * granted what they have through PUBLIC, before that is revoked.
 */
List *
dbkit_confining_statements(Oid role)
{
	Confinement confinement = {.role = role,.name = quote_identifier(GetUserNameFromId(role, false))};
	List	   *result;
	ScanKeyData keys[2];

	read_surroundings(&confinement);
	result = confine_role(&confinement);
	result = confine_grants(&confinement, result);

	visit_rows(&confinement, NULL, DefaultAclRelationId, InvalidOid, 0, NULL, confine_default);
	result = take(&confinement.revokes, result);

	ScanKeyInit(&keys[0], Anum_pg_shdepend_refclassid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(AuthIdRelationId));
	ScanKeyInit(&keys[1], Anum_pg_shdepend_refobjid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(role));
	visit_rows(&confinement, NULL, SharedDependRelationId, SharedDependReferenceIndexId, 2, keys, tell_of_property);
	return take(&confinement.revokes, result);
}

PG_FUNCTION_INFO_V1(dbkit_confine_sql);

/*
 * dbkit.confine_sql(role name) returns setof text
 *
 * The statements that take from a role, and from PUBLIC, what would let it out of its tenant.
 * Errors: null_value_not_allowed, undefined_object.
 */
Datum
dbkit_confine_sql(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell   *lc;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the role cannot be NULL")));
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	foreach(lc, dbkit_confining_statements(get_role_oid(NameStr(*PG_GETARG_NAME(0)), false)))
	{
		Datum		value = CStringGetTextDatum(lfirst(lc));
		bool		isnull = false;

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value, &isnull);
	}
	PG_RETURN_VOID();
}
