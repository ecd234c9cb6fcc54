/*-------------------------------------------------------------------------
 *
 * description.c
 *		Read what there is to say of tables and views.
 *
 * Catalogs show it to everybody; the values of an enum table are rows, and only for who may read them.
 * A relation is locked while it is read, so that what PostgreSQL writes of it fits together.  Its functions
 * read the catalogs as they are now, so we do, too: at REPEATABLE READ, the transaction's snapshot still has
 * what others have dropped since.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "common.h"
#include "catalog_text.h"
#include "enum/table.h"
#include "meaning/description.h"
#include "meaning/documented.h"

/* Of an enum table with more values, the rest is left out */
#define MAX_VALUES	100

#define COLUMN_NAMES(relation, numbers) \
	"ARRAY(SELECT a.attname::pg_catalog.text FROM pg_catalog.unnest(" numbers ") WITH ORDINALITY AS s(number, place) " \
	"JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) " relation " AND a.attnum OPERATOR(pg_catalog.=) s.number " \
	"ORDER BY s.place)"

static const char relations_sql[] =
"SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace "
"WHERE " IS_DOCUMENTED_RELATION " ORDER BY " BY_SCHEMA ", c.relname";

static const char relation_sql[] =
"SELECT n.nspname, c.relname, c.relkind, pg_catalog.obj_description(c.oid, 'pg_class'::pg_catalog.name), "
"(SELECT p.prefix FROM dbkit.id_prefix p WHERE p.relation OPERATOR(pg_catalog.=) c.oid), "
"c.relrowsecurity, c.relforcerowsecurity, pg_catalog.pg_get_partkeydef(c.oid), "
"(SELECT pg_catalog.count(*) FROM pg_catalog.pg_inherits i WHERE i.inhparent OPERATOR(pg_catalog.=) c.oid) "
"FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace "
"WHERE c.oid OPERATOR(pg_catalog.=) $1";

static const char columns_sql[] =
"SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, "
"a.attidentity OPERATOR(pg_catalog.<>) ''::pg_catalog.\"char\", "
"CASE WHEN a.attgenerated OPERATOR(pg_catalog.=) ''::pg_catalog.\"char\" THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) END, "
"CASE WHEN a.attgenerated OPERATOR(pg_catalog.<>) ''::pg_catalog.\"char\" THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) END, "
"pg_catalog.col_description(a.attrelid, a.attnum) "
"FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid OPERATOR(pg_catalog.=) a.attrelid AND d.adnum OPERATOR(pg_catalog.=) a.attnum "
"WHERE a.attrelid OPERATOR(pg_catalog.=) $1 AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped ORDER BY a.attnum";

/* Foreign keys to a partitioned table have a row for each partition, too, which has a parent */
static const char keys_sql[] =
"SELECT k.contype, " COLUMN_NAMES("k.conrelid", "k.conkey") ", "
"CASE WHEN k.contype OPERATOR(pg_catalog.=) ANY ('{c,x}'::pg_catalog.\"char\"[]) THEN pg_catalog.pg_get_constraintdef(k.oid, true) END, "
"n.nspname, r.relname, " COLUMN_NAMES("k.confrelid", "k.confkey") ", k.confdeltype "
"FROM pg_catalog.pg_constraint k LEFT JOIN pg_catalog.pg_class r ON r.oid OPERATOR(pg_catalog.=) k.confrelid "
"LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) r.relnamespace "
"WHERE k.conrelid OPERATOR(pg_catalog.=) $1 AND k.contype OPERATOR(pg_catalog.=) ANY ('{c,f,p,u,x}'::pg_catalog.\"char\"[]) "
"AND (k.conparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid OR k.contype OPERATOR(pg_catalog.<>) 'f'::pg_catalog.\"char\") "
"UNION ALL SELECT 'i'::pg_catalog.\"char\", '{}'::pg_catalog.text[], "
"(SELECT pg_catalog.string_agg(pg_catalog.pg_get_indexdef(i.indexrelid, s.place, true), ', '::pg_catalog.text ORDER BY s.place) "
"FROM pg_catalog.generate_series(1, i.indnkeyatts) AS s(place)) "
"OPERATOR(pg_catalog.||) COALESCE(' WHERE '::pg_catalog.text OPERATOR(pg_catalog.||) pg_catalog.pg_get_expr(i.indpred, i.indrelid, true), ''::pg_catalog.text), "
"NULL, NULL, NULL, NULL "
"FROM pg_catalog.pg_index i WHERE i.indrelid OPERATOR(pg_catalog.=) $1 AND i.indisunique "
"AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid OPERATOR(pg_catalog.=) i.indexrelid AND k.conrelid OPERATOR(pg_catalog.=) i.indrelid) "
"ORDER BY 1, 2, 3, 4, 5";

static const char policies_sql[] =
"SELECT p.polname, p.polcmd, p.polpermissive, "
"(SELECT pg_catalog.string_agg(CASE WHEN r.role OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'public'::pg_catalog.text "
"ELSE pg_catalog.pg_get_userbyid(r.role)::pg_catalog.text END, ', '::pg_catalog.text ORDER BY pg_catalog.pg_get_userbyid(r.role)) "
"FROM pg_catalog.unnest(p.polroles) AS r(role)), "
"pg_catalog.pg_get_expr(p.polqual, p.polrelid, true), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid, true) "
"FROM pg_catalog.pg_policy p WHERE p.polrelid OPERATOR(pg_catalog.=) $1 ORDER BY p.polname";

static const char types_sql[] =
"SELECT n.nspname, t.typname, ARRAY(SELECT e.enumlabel::pg_catalog.text FROM pg_catalog.pg_enum e "
"WHERE e.enumtypid OPERATOR(pg_catalog.=) t.oid ORDER BY e.enumsortorder), "
"pg_catalog.obj_description(t.oid, 'pg_type'::pg_catalog.name) "
"FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace "
"WHERE t.typtype OPERATOR(pg_catalog.=) 'e'::pg_catalog.\"char\" AND " IS_DOCUMENTED("pg_type", "t.oid")
" ORDER BY " BY_SCHEMA ", t.typname";

/* Types whose name in the standard is long: what it begins with, and what may follow a precision */
static const struct
{
	const char *name;
	const char *addition;
	const char *shorter;
}			short_types[] = {
	{"timestamp", " with time zone", "timestamptz"},
	{"timestamp", " without time zone", "timestamp"},
	{"time", " with time zone", "timetz"},
	{"time", " without time zone", "time"},
	{"character varying", "", "varchar"},
};

/* What a letter in a catalog stands for */
typedef struct LetterWord
{
	char		letter;
	const char *word;			/* NULL for the end of a list */
} LetterWord;

static const LetterWord delete_actions[] = {
	{FKCONSTR_ACTION_CASCADE, "cascade"},
	{FKCONSTR_ACTION_RESTRICT, "restrict"},
	{FKCONSTR_ACTION_SETNULL, "set null"},
	{FKCONSTR_ACTION_SETDEFAULT, "set default"},
	{0}
};

static const LetterWord policy_commands[] = {
	{'*', "all"},
	{ACL_SELECT_CHR, "select"},
	{ACL_INSERT_CHR, "insert"},
	{ACL_UPDATE_CHR, "update"},
	{ACL_DELETE_CHR, "delete"},
	{0}
};

/* What is asked of the catalogs; $1 is a schema, or a relation */
typedef enum CatalogQuery
{
	QUERY_RELATIONS,
	QUERY_RELATION,
	QUERY_COLUMNS,
	QUERY_KEYS,
	QUERY_POLICIES,
	QUERY_TYPES
} CatalogQuery;

static const char *const queries[] = {
	[QUERY_RELATIONS] = relations_sql,
	[QUERY_RELATION] = relation_sql,
	[QUERY_COLUMNS] = columns_sql,
	[QUERY_KEYS] = keys_sql,
	[QUERY_POLICIES] = policies_sql,
	[QUERY_TYPES] = types_sql
};

/* Their plans, made when they are first needed: planning takes longer than they do */
typedef struct Reader
{
	SPIPlanPtr	plans[lengthof(queries)];
} Reader;

typedef struct Rows
{
	SPITupleTable *table;
	uint64		count;
} Rows;

/* Run a query; the argument is NULL for all schemas. */
static Rows
read_rows(Reader *reader, CatalogQuery query, const Oid *argument)
{
	Oid			types[] = {OIDOID};
	Datum		values[] = {argument != NULL ? ObjectIdGetDatum(*argument) : (Datum) 0};
	SPIPlanPtr *plan = &reader->plans[query];

	if (*plan == NULL)
		*plan = SPI_prepare(queries[query], 1, types);
	if (*plan == NULL ||
		SPI_execute_snapshot(*plan, values, argument != NULL ? NULL : "n", GetLatestSnapshot(), InvalidSnapshot, true, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "the catalogs cannot be read: %s", SPI_result_code_string(SPI_result));
	return (Rows)
	{
		SPI_tuptable, SPI_processed
	};
}

/* Return a column as text, or NULL. */
static char *
get_text(const Rows *rows, uint64 row, int column)
{
	return SPI_getvalue(rows->table->vals[row], rows->table->tupdesc, column);
}

/* The rest of them: NULL is the letter 0, no word, false, or no names. */
static char
get_letter(const Rows *rows, uint64 row, int column)
{
	const char *text = get_text(rows, row, column);

	return text != NULL ? text[0] : '\0';
}

static const char *
get_word(const Rows *rows, uint64 row, int column, const LetterWord *words)
{
	char		letter = get_letter(rows, row, column);

	while (words->word != NULL && words->letter != letter)
		words++;
	return words->word;
}

static bool
get_boolean(const Rows *rows, uint64 row, int column)
{
	return get_letter(rows, row, column) == 't';
}

static List *
get_names(const Rows *rows, uint64 row, int column)
{
	bool		isnull;
	Datum		array = SPI_getbinval(rows->table->vals[row], rows->table->tupdesc, column, &isnull);
	List	   *names = NIL;
	Datum	   *elements;
	int			count;

	if (isnull)
		return NIL;
	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, &count);
	for (int i = 0; i < count; i++)
		names = lappend(names, TextDatumGetCString(elements[i]));
	return names;
}

/* Return the name of what has its schema in this column and its name in the next. */
static char *
get_documented_name(const Rows *rows, uint64 row, int column)
{
	char	   *schema = get_text(rows, row, column);
	char	   *name = get_text(rows, row, column + 1);

	return schema != NULL && name != NULL ? dbkit_documented_name(schema, name) : NULL;
}

/* Return the name of a type as most people write it. */
static char *
short_type(char *type)
{
	for (size_t i = 0; i < lengthof(short_types); i++)
	{
		const char *rest = type + strlen(short_types[i].name);
		const char *addition = strstr(type, short_types[i].addition);

		if (strncmp(type, short_types[i].name, rest - type) != 0 || addition == NULL)
			continue;
		if (short_types[i].addition[0] == '\0')
			addition = rest;
		return psprintf("%s%.*s%s", short_types[i].shorter, (int) (addition - rest), rest, addition + strlen(short_types[i].addition));
	}
	return type;
}

/* Return a default; the cast of a constant to the column's own type, whatever its length, says nothing. */
static char *
without_cast(char *expression, const char *type)
{
	const char *cast = psprintf("'::%.*s", (int) strcspn(type, "("), type);

	if (expression == NULL || expression[0] != '\'' || !dbkit_ends_with(expression, cast))
		return expression;
	return pnstrdup(expression, strlen(expression) - strlen(cast) + 1);
}

static List *
read_columns(Reader *reader, Oid relid)
{
	Rows		rows = read_rows(reader, QUERY_COLUMNS, &relid);
	List	   *columns = NIL;

	for (uint64 i = 0; i < rows.count; i++)
	{
		ColumnText *column = palloc0(sizeof(ColumnText));
		char	   *type = get_text(&rows, i, 2);

		column->name = get_text(&rows, i, 1);
		column->type = short_type(type);
		column->not_null = get_boolean(&rows, i, 3);
		column->identity = get_boolean(&rows, i, 4);
		column->default_expression = without_cast(get_text(&rows, i, 5), type);
		column->generation = get_text(&rows, i, 6);
		column->comment = get_text(&rows, i, 7);
		columns = lappend(columns, column);
	}
	SPI_freetuptable(rows.table);
	return columns;
}

static List *
read_keys(Reader *reader, Oid relid)
{
	Rows		rows = read_rows(reader, QUERY_KEYS, &relid);
	List	   *keys = NIL;

	for (uint64 i = 0; i < rows.count; i++)
	{
		KeyText    *key = palloc0(sizeof(KeyText));

		key->type = get_letter(&rows, i, 1);
		key->columns = get_names(&rows, i, 2);
		key->definition = get_text(&rows, i, 3);
		key->referenced = get_documented_name(&rows, i, 4);
		key->referenced_columns = get_names(&rows, i, 6);
		key->on_delete = get_word(&rows, i, 7, delete_actions);
		keys = lappend(keys, key);
	}
	SPI_freetuptable(rows.table);
	return keys;
}

static List *
read_policies(Reader *reader, Oid relid)
{
	Rows		rows = read_rows(reader, QUERY_POLICIES, &relid);
	List	   *policies = NIL;

	for (uint64 i = 0; i < rows.count; i++)
	{
		PolicyText *policy = palloc0(sizeof(PolicyText));

		policy->name = get_text(&rows, i, 1);
		policy->command = get_word(&rows, i, 2, policy_commands);
		policy->permissive = get_boolean(&rows, i, 3);
		policy->roles = get_text(&rows, i, 4);
		policy->using = get_text(&rows, i, 5);
		policy->with_check = get_text(&rows, i, 6);
		policies = lappend(policies, policy);
	}
	SPI_freetuptable(rows.table);
	return policies;
}

/* Read a relation; NULL if it is gone. */
static Description *
read_relation(Reader *reader, Oid relid)
{
	Rows		rows = read_rows(reader, QUERY_RELATION, &relid);
	Description *relation;

	if (rows.count == 0)
		return NULL;
	relation = palloc0(sizeof(Description));
	relation->name = get_documented_name(&rows, 0, 1);
	relation->relkind = get_letter(&rows, 0, 3);
	relation->comment = get_text(&rows, 0, 4);
	relation->prefix = get_text(&rows, 0, 5);
	relation->row_security = get_boolean(&rows, 0, 6);
	relation->forced = get_boolean(&rows, 0, 7);
	relation->partition_key = get_text(&rows, 0, 8);
	relation->partitions = get_text(&rows, 0, 9);
	SPI_freetuptable(rows.table);
	relation->columns = read_columns(reader, relid);
	relation->keys = read_keys(reader, relid);
	relation->policies = read_policies(reader, relid);
	relation->values = dbkit_enum_values_to_show(relid, MAX_VALUES, &relation->more_values);
	return relation;
}

static List *
read_relations(Reader *reader, const Oid *schema)
{
	Rows		rows = read_rows(reader, QUERY_RELATIONS, schema);
	List	   *relations = NIL;

	for (uint64 i = 0; i < rows.count; i++)
	{
		bool		isnull;
		Oid			relid = DatumGetObjectId(SPI_getbinval(rows.table->vals[i], rows.table->tupdesc, 1, &isnull));
		Description *relation;

		CHECK_FOR_INTERRUPTS();
		LockRelationOid(relid, AccessShareLock);
		relation = read_relation(reader, relid);
		UnlockRelationOid(relid, AccessShareLock);
		if (relation != NULL)
			relations = lappend(relations, relation);
	}
	SPI_freetuptable(rows.table);
	return relations;
}

static List *
read_types(Reader *reader, const Oid *schema)
{
	Rows		rows = read_rows(reader, QUERY_TYPES, schema);
	List	   *types = NIL;

	for (uint64 i = 0; i < rows.count; i++)
	{
		EnumType   *type = palloc(sizeof(EnumType));

		type->name = get_documented_name(&rows, i, 1);
		type->values = get_names(&rows, i, 3);
		type->comment = get_text(&rows, i, 4);
		types = lappend(types, type);
	}
	SPI_freetuptable(rows.table);
	return types;
}

/*
 * Read what is documented of a schema, or of all for NULL.  The caller is connected to SPI, and has begun to
 * read catalogs as text.
 */
Descriptions *
dbkit_read_descriptions(const Oid *schema)
{
	Descriptions *descriptions = palloc(sizeof(Descriptions));
	Reader		reader = {{NULL}};

	descriptions->relations = read_relations(&reader, schema);
	descriptions->types = read_types(&reader, schema);
	return descriptions;
}

/* Return the first key of a type on exactly these columns, in any order, or NULL. */
const KeyText *
dbkit_find_key(const Description *relation, char type, const List *columns)
{
	ListCell   *lc;

	foreach(lc, relation->keys)
	{
		const KeyText *key = lfirst(lc);
		ListCell   *name;
		int			found = 0;

		foreach(name, columns)
		{
			ListCell   *other;

			foreach(other, key->columns)
				found += strcmp(lfirst(name), lfirst(other)) == 0;
		}
		if (key->type == type && found == list_length(columns) && found == list_length(key->columns))
			return key;
	}
	return NULL;
}
