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
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
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
#include "leak_test/strangers.h"
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

/* Values for columns that are unique but may be null */
static const struct
{
	Oid			type;
	const char *values[SIDES];
}			unique_values[] =

{
	{TEXTOID, {"leak1@example.com", "leak2@example.com"}},
	{VARCHAROID, {"leak1@example.com", "leak2@example.com"}},
	{INT2OID, {"32001", "32002"}},
	{INT4OID, {"2147483001", "2147483002"}},
	{INT8OID, {"9007199254740001", "9007199254740002"}},
	{NUMERICOID, {"32001", "32002"}},
};

/* A row that is to be made */
typedef struct Filling
{
	const Table *table;
	const Tenant *tenant;
	const char *values;			/* a JSON object of what is known of it */
	Row		   *row;			/* NULL until it is there */
} Filling;

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
		const AclItem *item = &ACL_DAT(acl)[i];

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
begin_filling(const Filling *filling)
{
	const Oid	owner = filling->table->owner;

	if (filling->tenant != NULL)
		dbkit_context_push(filling->tenant->user, filling->tenant->organization);
	dbkit_begin_as_role(owner, SECURITY_NOFORCE_RLS, dbkit_trusted_path(owner));
}

/* Run a statement that tells where a row is. */
static void
place_by_sql(Filling *filling, const char *sql)
{
	Row		   *row = palloc0(sizeof(Row));
	bool		isnull;

	begin_filling(filling);
	SPI_connect();
	(void) SPI_execute(sql, false, 1);
	if (SPI_processed == 1)
	{
		HeapTuple	tuple = SPI_tuptable->vals[0];
		TupleDesc	desc = SPI_tuptable->tupdesc;

		row->relid = DatumGetObjectId(SPI_getbinval(tuple, desc, 1, &isnull));
		row->tid = *(ItemPointer) DatumGetPointer(SPI_getbinval(tuple, desc, 2, &isnull));
		filling->row = row;
	}
	SPI_finish();
}

/* Find a row that is there already; an attempt. */
static void
find_row(void *arg)
{
	Filling    *filling = arg;

	place_by_sql(filling, psprintf("SELECT s.tableoid, s.ctid FROM %s AS s LIMIT 1", filling->table->name));
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
referenced_value(const Table *table, Form_pg_attribute attribute, Side side, const char **value)
{
	ListCell   *cell;
	bool		known = false;

	foreach(cell, table->references)
	{
		const Reference *reference = lfirst(cell);
		const Row  *row = reference->target->rows[side];

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

/* Is there a table of all organizations, or users, that a key of this table leads to? */
static bool
references_tenant(const Table *table, const char *column)
{
	ListCell   *cell;

	foreach(cell, table->references)
	{
		const Reference *reference = lfirst(cell);

		for (int i = 0; i < reference->ncolumns; i++)
		{
			if (strcmp(reference->columns[i], column) == 0)
				return true;
		}
	}
	return false;
}

/*
 * Tell the value that the tenant gives a column, if it does.  One that no table has is made up,
 * but not where the table of tenants is to come yet.
 */
static bool
tenant_value(const Table *table, Form_pg_attribute attribute, Side side, Tenant *tenant,
			 const char **value)
{
	const char *name = NameStr(attribute->attname);
	const char **id = dbkit_is_organization_column(name) ? &tenant->organization :
	dbkit_is_user_column(name) ? &tenant->user : NULL;

	if (id == NULL || table->is_organizations || (*id == NULL && references_tenant(table, name)))
		return false;
	if (*id == NULL)
		*id = invent_id(attribute->atttypid, side);
	*value = *id;
	return true;
}

/* Tell the value that the partition gives a column, if it does. */
static bool
bound_value(const Bounds *bounds, const char *column, const char **value)
{
	ListCell   *cell;

	foreach(cell, bounds->values)
	{
		const BoundValue *bound = lfirst(cell);

		*value = bound->value;
		if (strcmp(bound->column, column) == 0)
			return true;
	}
	return false;
}

/* Is a column part of a unique key? */
static bool
is_in_unique_key(Relation relation, AttrNumber attnum)
{
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(relation))
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(cell)));
		bool		found = false;

		if (!HeapTupleIsValid(tuple))
			continue;
		if (((Form_pg_index) GETSTRUCT(tuple))->indisunique)
			found = bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, dbkit_index_columns(tuple));
		ReleaseSysCache(tuple);
		if (found)
			return true;
	}
	return false;
}

/*
 * Make up a value for a column that may be null but has to be unique: dbkit.make() would leave it
 * null, with which nothing collides.
 */
static bool
unique_value(Relation relation, Form_pg_attribute attribute, Side side, const char **value)
{
	if (attribute->attnotnull || attribute->atthasdef || attribute->attidentity != '\0' ||
		!is_in_unique_key(relation, attribute->attnum))
		return false;
	for (size_t i = 0; i < lengthof(unique_values); i++)
	{
		if (unique_values[i].type != getBaseType(attribute->atttypid))
			continue;
		*value = unique_values[i].values[side];
		return true;
	}
	return false;
}

/* Write what is known of a row: where and whose it is, what it references, and what is unique. */
static char *
write_values(const Table *table, Side side, Tenant *tenant, const Bounds *bounds, bool with_unique)
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
			referenced_value(table, attribute, side, &value) ||
			(with_unique && unique_value(relation, attribute, side, &value)))
			add_value(&json, NameStr(attribute->attname), value);
	}
	appendStringInfoChar(&json, '}');
	table_close(relation, NoLock);
	return json.data;
}

/* Attempt to place a row, and keep it; returns the error's message, or NULL. */
static const char *
attempt_row(void (*action) (void *arg), Filling *filling)
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
take_tenant(const Table *table, const Row *row, Tenant *tenant)
{
	bool		found;

	if (table->is_organizations)
		tenant->organization = dbkit_made_value(row, "id", &found);
	else if (table->is_users)
		tenant->user = dbkit_made_value(row, "id", &found);
}

/* Is there enough of a tenant to push? */
static bool
is_somebody(const Tenant *tenant)
{
	return tenant->organization != NULL || tenant->user != NULL;
}

/* Take a row of a table that is everybody's, or make one; returns why that failed, or NULL. */
static const char *
fill_shared(Table *table, Side side, const Bounds *bounds)
{
	Tenant		nobody = {NULL, NULL};
	Filling		filling = {.table = table,.values = write_values(table, side, &nobody, bounds, false)};

	const char *problem = NULL;

	if (side == MINE && attempt_row(find_row, &filling) != NULL)
		problem = attempt_row(make_row, &filling);
	table->rows[side] = side == MINE ? filling.row : table->rows[MINE];
	return problem;
}

/* Make a row of a tenant's; returns why that failed, or NULL. */
static const char *
fill_for(Table *table, Side side, Tenant *tenant, const Bounds *bounds)
{
	Filling		filling = {.table = table,.tenant = is_somebody(tenant) ? tenant : NULL};
	const char *problem;

	filling.values = write_values(table, side, tenant, bounds, true);
	problem = attempt_row(make_row, &filling);
	if (problem != NULL)
	{
		filling.values = write_values(table, side, tenant, bounds, false);
		problem = attempt_row(make_row, &filling);
	}
	table->rows[side] = filling.row;
	return problem;
}

/* Make another organization, of that id if it is given, where there is a table of them. */
static void
make_stranger(const List *tables, Tenant *stranger)
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

		if (made.is_organizations && !made.is_partition && made.problem == NULL &&
			fill_for(&made, OTHERS, &nobody, &bounds) == NULL)
			take_tenant(&made, made.rows[OTHERS], stranger);
	}
}

/*
 * Fill a partition to which only some organizations belong: with a row of one of these.  That
 * the organization which looks has none there is no problem.
 */
static const char *
fill_for_stranger(const List *tables, Table *table, Side side, const Tenant *tenant, const Bounds *bounds,
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

/* Can a column take any number, as nothing else depends on its value? */
static bool
takes_numbers(const Table *table, const char *column)
{
	Oid			type = getBaseType(get_atttype(table->relid, get_attnum(table->relid, column)));

	return (type == INT2OID || type == INT4OID || type == INT8OID || type == NUMERICOID || type == TEXTOID || type == VARCHAROID) &&
		!references_tenant(table, column) && !dbkit_is_organization_column(column) && !dbkit_is_user_column(column);
}

/* Give another number to the columns whose hash decides, where the table would have the same value each time. */
static const Bounds *
vary_hashed(const Table *table, const Bounds *bounds, int number)
{
	Bounds	   *result = palloc(sizeof(Bounds));
	ListCell   *cell;

	*result = *bounds;
	result->values = list_copy(bounds->values);
	foreach(cell, bounds->hashed)
	{
		BoundValue *value;

		if (!takes_numbers(table, lfirst(cell)))
			continue;
		value = palloc(sizeof(BoundValue));
		value->column = lfirst(cell);
		value->value = psprintf("%d", number);
		result->values = lappend(result->values, value);
	}
	return result;
}

/* Fill a partition, again and again where a hash decides. */
static const char *
fill_partition(const List *tables, Table *table, Side side, Tenant *tenant, const Bounds *bounds)
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
			fill_for(table, side, tenant, tries % 2 == 0 ? vary_hashed(table, bounds, tries) : bounds);
	return problem;
}

/* Does the reference have a column that cannot be null, and is not the tenant's? */
static bool
needs_parent(const Table *table, const Reference *reference)
{
	for (int i = 0; i < reference->ncolumns; i++)
	{
		HeapTuple	row = SearchSysCacheAttName(table->relid, reference->columns[i]);
		bool		needed = HeapTupleIsValid(row) && ((Form_pg_attribute) GETSTRUCT(row))->attnotnull &&
		!dbkit_is_organization_column(reference->columns[i]) && !dbkit_is_user_column(reference->columns[i]);

		if (HeapTupleIsValid(row))
			ReleaseSysCache(row);
		if (needed)
			return true;
	}
	return false;
}

/*
 * Tell why no row can be made, if there is a reason; else NULL.  dbkit.make() makes the parents that are missing as the
 * same role: the triggers of another owner's table are not to run with the rights of this one's.
 */
static const char *
find_problem(const Table *table, Side side)
{
	ListCell   *cell;

	foreach(cell, table->references)
	{
		const Reference *reference = lfirst(cell);

		if (reference->target->rows[side] == NULL && reference->target->owner != table->owner && needs_parent(table, reference))
			return psprintf("table %s, which it references, has no row", reference->target->name);
	}
	return dbkit_lent_rights(table->relid, table->owner);
}

static void
fill_table(const List *tables, Table *table, Side side, Tenant *tenant)
{
	Bounds		bounds;

	/* Nobody adds a trigger or a CHECK meanwhile */
	(void) find_all_inheritors(table->relid, RowExclusiveLock, NULL);
	table->problem = find_problem(table, side);
	if (table->problem != NULL)
		return;
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
 * Write what a row lacks that is known by now, because its table and another reference each
 * other; NULL for nothing.
 */
static char *
write_completion(const Table *table, Side side, Tenant *tenant)
{
	Relation	relation = table_open(table->relid, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(relation);
	const Row  *row = table->rows[side];
	StringInfoData sql;

	initStringInfo(&sql);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		const char *name = NameStr(attribute->attname);
		const char *value = NULL;
		bool		found;

		if (attribute->attisdropped || !references_tenant(table, name) ||
			dbkit_made_value(row, name, &found) != NULL || !found)
			continue;
		if (tenant_value(table, attribute, side, tenant, &value) && value != NULL)
			appendStringInfo(&sql, "%s%s = %s", sql.len > 0 ? ", " : "", quote_identifier(name),
							 quote_literal_cstr(value));
	}
	table_close(relation, NoLock);
	return sql.len == 0 ? NULL :
		psprintf("UPDATE %s SET %s WHERE tableoid OPERATOR(pg_catalog.=) %u AND ctid OPERATOR(pg_catalog.=) '(%u,%u)' RETURNING tableoid, ctid",
				 table->name, sql.data, row->relid,
				 ItemPointerGetBlockNumber(&row->tid), ItemPointerGetOffsetNumber(&row->tid));
}

/* Complete a row; an attempt. */
static void
complete_row(void *arg)
{
	Filling    *filling = arg;

	place_by_sql(filling, filling->values);
}

static void
complete_rows(const List *tables, Side side, Tenant *tenant)
{
	const ListCell *cell;

	foreach(cell, tables)
	{
		Table	   *table = lfirst(cell);
		Filling		filling = {.table = table,.tenant = tenant};

		if (!table->of_tenants || table->is_partition || table->rows[side] == NULL)
			continue;
		filling.values = write_completion(table, side, tenant);
		if (filling.values != NULL && attempt_row(complete_row, &filling) == NULL)
			table->rows[side] = filling.row;
	}
}

/*
 * Make a row in every table, each after those that it references.  A table of no tenant is
 * filled once, and only if it is empty.  What cannot be filled has its problem noted.
 */
void
dbkit_fill_tables(const List *tables, Side side, Tenant *tenant)
{
	const ListCell *cell;

	foreach(cell, tables)
	{
		Table	   *table = lfirst(cell);

		if (table->wanted && table->problem == NULL)
			fill_table(tables, table, side, tenant);
	}
	complete_rows(tables, side, tenant);
}
