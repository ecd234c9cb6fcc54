/*-------------------------------------------------------------------------
 *
 * fill.c
 *		Make a row in every table, for one organization after the other.
 *
 * Rows are made as their table's owner, whose triggers, defaults and CHECKs run with it, in a
 * security-restricted operation, as PostgreSQL does where it builds an index or refreshes a
 * materialized view: a superuser who tests must lend strangers' code no rights.  Forced row
 * level security does not bind the owner meanwhile, as for a foreign key's checks; the context
 * is that of the organization, for defaults and triggers that read it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "common.h"
#include "attempt.h"
#include "context/context.h"
#include "convention/agreement_json.h"
#include "leak_test/bounds.h"
#include "leak_test/fill.h"
#include "test_data/make.h"

/* So often a row is made until a hash puts it into the partition that is meant */
#define MOST_TRIES	1000

/* Ids of organizations and users that no table has */
static const struct
{
	Oid			type;
	const char *ids[SIDES];
}			invented[] =

{
	{INT2OID, {"32001", "32002"}},
	{INT4OID, {"2147483001", "2147483002"}},
	{INT8OID, {"9007199254740001", "9007199254740002"}},
	{NUMERICOID, {"9007199254740001", "9007199254740002"}},
	{UUIDOID, {"018f0000-0000-7000-8000-00000000000a", "018f0000-0000-7000-8000-00000000000b"}},
	{InvalidOid, {"leak_01hw0000000000000000000001", "leak_01hw0000000000000000000002"}},
};

/* A row that is to be made */
typedef struct Filling
{
	const		Table *table;
	const		Tenant *tenant;
	const char *values;			/* a JSON object of what is known of it */
	Row		   *row;			/* NULL until it is there */
}			Filling;

static Oid
owner_of_database(void)
{
	HeapTuple	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	Oid			owner = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		owner = ((Form_pg_database) GETSTRUCT(tuple))->datdba;
		ReleaseSysCache(tuple);
	}
	return owner;
}

/* May a role do anyway what the owner may? */
static bool
is_trusted(Oid role, Oid owner)
{
	if (role == ROLE_PG_DATABASE_OWNER)
		role = owner_of_database();
	return OidIsValid(role) && (role == owner || superuser_arg(role));
}

/* Can nobody but the owner put something into the schema? */
static bool
only_owner_creates(HeapTuple schema, Oid owner)
{
	bool		isnull;
	Datum		stored = SysCacheGetAttr(NAMESPACEOID, schema, Anum_pg_namespace_nspacl, &isnull);
	Acl		   *acl;

	if (!is_trusted(((Form_pg_namespace) GETSTRUCT(schema))->nspowner, owner))
		return false;
	if (isnull)
		return true;
	acl = DatumGetAclP(stored);
	for (int i = 0; i < ACL_NUM(acl); i++)
	{
		const		AclItem *item = &ACL_DAT(acl)[i];

		if ((ACLITEM_GET_PRIVS(*item) & ACL_CREATE) != 0 && !is_trusted(item->ai_grantee, owner))
			return false;
	}
	return true;
}

/*
 * Write a search path for code of this owner: the schemas of the session's in which nobody
 * else can put something in its way.
 */
char *
dbkit_trusted_path(Oid owner)
{
	StringInfoData path;
	ListCell   *cell;

	initStringInfo(&path);
	appendStringInfoString(&path, "pg_catalog");
	foreach(cell, fetch_search_path(false))
	{
		HeapTuple	schema = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(lfirst_oid(cell)));

		if (!HeapTupleIsValid(schema))
			continue;
		if (only_owner_creates(schema, owner))
			appendStringInfo(&path, ", %s",
							 quote_identifier(NameStr(((Form_pg_namespace) GETSTRUCT(schema))->nspname)));
		ReleaseSysCache(schema);
	}
	appendStringInfoString(&path, ", pg_temp");
	return path.data;
}

/* Act as the owner of the table, in the context of the tenant. */
static void
begin_filling(const Filling * filling)
{
	const Oid	owner = filling->table->owner;

	if (filling->tenant != NULL)
		dbkit_context_push(filling->tenant->user, filling->tenant->organization);
	dbkit_begin_as_role(owner, SECURITY_NOFORCE_RLS, dbkit_trusted_path(owner));
}

/* Find a row that is there already; an attempt. */
static void
find_row(void *arg)
{
	Filling    *filling = arg;
	Row		   *row = palloc0(sizeof(Row));
	bool		isnull;

	begin_filling(filling);
	SPI_connect();
	(void) SPI_execute(psprintf("SELECT s.tableoid, s.ctid FROM %s AS s LIMIT 1", filling->table->name), true, 1);
	if (SPI_processed == 1)
	{
		row->relid = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
		row->tid = *(ItemPointer) DatumGetPointer(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
		filling->row = row;
	}
	SPI_finish();
}

/* Make a row; an attempt. */
static void
make_row(void *arg)
{
	Filling    *filling = arg;
	Row		   *row = palloc0(sizeof(Row));

	begin_filling(filling);
	dbkit_place_row(filling->table->relid, dbkit_make_json(filling->values), &row->relid, &row->tid);
	filling->row = row;
}

/* Choose the id of an organization or user that is in no table. */
static const char *
invent_id(Oid type, Side side)
{
	int			i = 0;

	while (OidIsValid(invented[i].type) && invented[i].type != getBaseType(type))
		i++;
	return invented[i].ids[side];
}

static void
add_value(StringInfo json, const char *column, const char *value)
{
	appendStringInfoString(json, json->len > 1 ? ", " : "");
	escape_json(json, column);
	appendStringInfoString(json, ": ");
	if (value != NULL)
		escape_json(json, value);
	else
		appendStringInfoString(json, "null");
}

/*
 * Tell the value that a foreign key gives a column, if one does.  A table that has no row yet
 * is part of a circle: where null is possible, that opens it.
 */
static bool
referenced_value(const Table * table, Form_pg_attribute attribute, Side side, const char **value)
{
	ListCell   *cell;
	bool		known = false;

	foreach(cell, table->references)
	{
		const Reference *reference = lfirst(cell);
		const		Row *row = reference->target->rows[side];

		for (int i = 0; i < reference->ncolumns; i++)
		{
			if (strcmp(reference->columns[i], NameStr(attribute->attname)) != 0)
				continue;
			if (row != NULL)
			{
				*value = dbkit_made_value(row, reference->target_columns[i], &known);
				return known;
			}
			*value = NULL;
			known = !attribute->attnotnull;
		}
	}
	return known;
}

/* Tell the value that the tenant gives a column, if it does. */
static bool
tenant_value(const Table * table, Form_pg_attribute attribute, Side side, Tenant * tenant,
			 const char **value)
{
	const char *name = NameStr(attribute->attname);
	const char **id = dbkit_is_organization_column(name) ? &tenant->organization :
	dbkit_is_user_column(name) ? &tenant->user : NULL;

	if (id == NULL || table->is_organizations)
		return false;
	if (*id == NULL)
		*id = invent_id(attribute->atttypid, side);
	*value = *id;
	return true;
}

/* Tell the value that the partition gives a column, if it does. */
static bool
bound_value(const Bounds * bounds, const char *column, const char **value)
{
	ListCell   *cell;

	foreach(cell, bounds->values)
	{
		const		BoundValue *bound = lfirst(cell);

		*value = bound->value;
		if (strcmp(bound->column, column) == 0)
			return true;
	}
	return false;
}

/* Write what is known of a row: where and whose it is, and what it references. */
static char *
write_values(const Table * table, Side side, Tenant * tenant, const Bounds * bounds)
{
	Relation	relation = table_open(table->relid, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(relation);
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		const char *value = NULL;

		if (attribute->attisdropped || attribute->attgenerated != '\0')
			continue;
		if (bound_value(bounds, NameStr(attribute->attname), &value) ||
			tenant_value(table, attribute, side, tenant, &value) ||
			referenced_value(table, attribute, side, &value))
			add_value(&json, NameStr(attribute->attname), value);
	}
	appendStringInfoChar(&json, '}');
	table_close(relation, NoLock);
	return json.data;
}

/* Attempt to place a row, and keep it; returns the error's message, or NULL. */
static const char *
attempt_row(void (*action) (void *arg), Filling * filling)
{
	ErrorData  *error = dbkit_attempt(action, filling, ATTEMPT_KEPT);

	if (error != NULL)
		return error->message;
	if (filling->row != NULL && !dbkit_fetch_row(filling->row, true))
		filling->row = NULL;
	return filling->row == NULL ? "no row is there afterwards" : NULL;
}

/* The tables of organizations and users say who they are from now on. */
static void
take_tenant(const Table * table, const Row * row, Tenant * tenant)
{
	bool		found;

	if (table->is_organizations)
		tenant->organization = dbkit_made_value(row, "id", &found);
	else if (table->is_users)
		tenant->user = dbkit_made_value(row, "id", &found);
}

/* Is there enough of a tenant to push? */
static bool
is_somebody(const Tenant * tenant)
{
	return tenant->organization != NULL || tenant->user != NULL;
}

/* Take a row of a table that is everybody's, or make one; returns why that failed, or NULL. */
static const char *
fill_shared(Table * table, Side side, const Bounds * bounds)
{
	Tenant		nobody = {NULL, NULL};
	Filling		filling = {.table = table,.values = write_values(table, side, &nobody, bounds)};

	const char *problem = NULL;

	if (side == MINE && attempt_row(find_row, &filling) != NULL)
		problem = attempt_row(make_row, &filling);
	table->rows[side] = side == MINE ? filling.row : table->rows[MINE];
	return problem;
}

/* Make a row of a tenant's; returns why that failed, or NULL. */
static const char *
fill_for(Table * table, Side side, Tenant * tenant, const Bounds * bounds)
{
	Filling		filling = {
		.table = table,
		.tenant = is_somebody(tenant) ? tenant : NULL,
		.values = write_values(table, side, tenant, bounds)
	};
	const char *problem = attempt_row(make_row, &filling);

	table->rows[side] = filling.row;
	return problem;
}

/* Make another organization, of that id if it is given, where there is a table of them. */
static void
make_stranger(const List *tables, Tenant * stranger)
{
	Tenant		nobody = {NULL, NULL};
	Bounds		bounds = {.modulus = 1};
	BoundValue	id = {"id", stranger->organization};
	const ListCell *cell;

	if (stranger->organization != NULL)
		bounds.values = list_make1(&id);
	foreach(cell, tables)
	{
		Table		made = *(Table *) lfirst(cell);

		if (made.is_organizations && !made.is_partition &&
			fill_for(&made, OTHERS, &nobody, &bounds) == NULL)
			take_tenant(&made, made.rows[OTHERS], stranger);
	}
}

/*
 * Fill a partition to which only some organizations belong: with a row of one of these.  That
 * the organization which looks has none there is no problem.
 */
static const char *
fill_for_stranger(const List *tables, Table * table, Side side, const Tenant * tenant, const Bounds * bounds,
				  const char *organization)
{
	Tenant		stranger = {organization, tenant->user};

	if (side == MINE)
		return NULL;
	make_stranger(tables, &stranger);
	return fill_for(table, side, &stranger, bounds);
}

static bool
is_listed(const List *names, const char *name)
{
	const ListCell *cell;

	foreach(cell, names)
	{
		if (name != NULL && strcmp(lfirst(cell), name) == 0)
			return true;
	}
	return false;
}

/* Fill a partition, again and again where a hash decides. */
static const char *
fill_partition(const List *tables, Table * table, Side side, Tenant * tenant, const Bounds * bounds)
{
	const char *column = table->tenant_column;
	const char *organization = NULL;
	const char *problem;
	int			tries = bounds->modulus > 1 ? Min(bounds->modulus * 16, MOST_TRIES) : 0;

	if (column != NULL && bound_value(bounds, column, &organization))
		return fill_for_stranger(tables, table, side, tenant, bounds, organization);
	problem = fill_for(table, side, tenant, bounds);
	for (; problem != NULL && tries > 0; tries--)
		problem = is_listed(bounds->hashed, column) ?
			fill_for_stranger(tables, table, side, tenant, bounds, NULL) :
			fill_for(table, side, tenant, bounds);
	return problem;
}

static void
fill_table(const List *tables, Table * table, Side side, Tenant * tenant)
{
	Bounds		bounds;

	for (DefaultChoice choice = GREATEST_VALUE; choice <= ANY_VALUE; choice++)
	{
		dbkit_read_bounds(table->relid, choice, &bounds);
		table->problem = table->of_tenants ? fill_partition(tables, table, side, tenant, &bounds)
			: fill_shared(table, side, &bounds);
		if (table->problem == NULL || !bounds.is_default)
			break;
	}
	if (table->of_tenants && table->rows[side] != NULL && !table->is_partition)
		take_tenant(table, table->rows[side], tenant);
}

/*
 * Make a row in every table, each after those that it references.  A table of no tenant is
 * filled once, and only if it is empty.  What cannot be filled has its problem noted.
 */
void
dbkit_fill_tables(const List *tables, Side side, Tenant * tenant)
{
	const ListCell *cell;

	foreach(cell, tables)
	{
		Table	   *table = lfirst(cell);

		if (table->wanted && table->problem == NULL)
			fill_table(tables, table, side, tenant);
	}
}
