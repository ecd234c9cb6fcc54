/*-------------------------------------------------------------------------
 *
 * definition.c
 *		A schema that is described as JSON.
 *
 * Names are quoted.  Types, defaults and what follows REFERENCES are SQL; each has to be one such
 * thing, since what is written with them is parsed again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "common.h"
#include "convention/agreement_json.h"
#include "convention/create_table.h"
#include "ledger/definition.h"
#include "ledger/script.h"

/* What a key can have as its value */
typedef enum ValueKind
{
	VALUE_ARRAY,
	VALUE_BOOLEAN,
	VALUE_EXPRESSION,			/* SQL in a string, a number or a boolean */
	VALUE_NUMBER,
	VALUE_STRING
} ValueKind;

static const char *const kind_names[] = {"an array", "a boolean", "an SQL expression, a number or a boolean", "a number", "a string"};

typedef struct Key
{
	const char *name;
	ValueKind	kind;
	bool		required;
} Key;

/* The keys of one kind of objects; the last one has no name */
static const Key schema_keys[] = {
	{"version", VALUE_NUMBER, false}, {"tables", VALUE_ARRAY, true}, {"migrations", VALUE_ARRAY, false}, {0}
};
static const Key table_keys[] = {
	{"name", VALUE_STRING, true}, {"columns", VALUE_ARRAY, true}, {"primary_key", VALUE_ARRAY, false},
	{"foreign_keys", VALUE_ARRAY, false}, {"indexes", VALUE_ARRAY, false}, {0}
};
static const Key column_keys[] = {
	{"name", VALUE_STRING, true}, {"type", VALUE_STRING, true}, {"primary_key", VALUE_BOOLEAN, false},
	{"unique", VALUE_BOOLEAN, false}, {"nullable", VALUE_BOOLEAN, false}, {"default", VALUE_EXPRESSION, false}, {0}
};
static const Key foreign_key_keys[] = {
	{"columns", VALUE_ARRAY, true}, {"references", VALUE_STRING, true}, {0}
};
static const Key index_keys[] = {
	{"name", VALUE_STRING, false}, {"columns", VALUE_ARRAY, true}, {"unique", VALUE_BOOLEAN, false}, {0}
};

/* Say what is wrong with the definition, and where. */
static void
refuse(const char *where, const char *problem)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s %s", where, problem)));
}

static bool
is_of_kind(const JsonbValue *value, ValueKind kind)
{
	bool		is_array = value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);

	switch (kind)
	{
		case VALUE_ARRAY:
			return is_array;
		case VALUE_BOOLEAN:
			return value->type == jbvBool;
		case VALUE_EXPRESSION:
			return value->type == jbvString || value->type == jbvNumeric || value->type == jbvBool;
		case VALUE_NUMBER:
			return value->type == jbvNumeric;
		case VALUE_STRING:
			return value->type == jbvString;
	}
	return false;
}

/* Get the value of a key; JSON's null is none. */
static bool
get_value(Jsonb *object, const char *key, JsonbValue *value)
{
	return dbkit_json_value(object, key, value) && value->type != jbvNull;
}

/* Find a key by its name, or say that there is none. */
static const Key *
find_key(const Key *keys, const JsonbValue *name, const char *where)
{
	char	   *string = pnstrdup(name->val.string.val, name->val.string.len);

	for (; keys->name != NULL; keys++)
	{
		if (strcmp(keys->name, string) == 0)
			return keys;
	}
	refuse(where, psprintf("has an unknown key \"%s\"", string));
	return NULL;				/* not reached */
}

/* Ensure that an object has the keys that it needs, and no others. */
static void
check_object(Jsonb *object, const Key *keys, const char *where)
{
	JsonbIterator *iterator = JsonbIteratorInit(&object->root);
	JsonbIteratorToken token;
	const Key  *key = NULL;
	JsonbValue	value;

	if (!JB_ROOT_IS_OBJECT(object))
		refuse(where, "is not an object");
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = find_key(keys, &value, where);
		else if (token == WJB_VALUE && value.type != jbvNull && !is_of_kind(&value, key->kind))
			refuse(where, psprintf("has a \"%s\" that is not %s", key->name, kind_names[key->kind]));
	}
	for (key = keys; key->name != NULL; key++)
	{
		if (key->required && !get_value(object, key->name, &value))
			refuse(where, psprintf("has no \"%s\"", key->name));
	}
}

/* Give the elements of an array, as JsonbValue *; none where the key is missing. */
static List *
elements_of(Jsonb *object, const char *key)
{
	JsonbValue	array;
	List	   *elements = NIL;

	if (!get_value(object, key, &array))
		return NIL;
	for (uint32 i = 0; i < JsonContainerSize(array.val.binary.data); i++)
		elements = lappend(elements, getIthJsonbValueFromContainer(array.val.binary.data, i));
	return elements;
}

/* Give a string, or NULL. */
static char *
string_of(Jsonb *object, const char *key)
{
	JsonbValue	value;

	return get_value(object, key, &value) ? dbkit_json_string(&value) : NULL;
}

static bool
boolean_of(Jsonb *object, const char *key, bool otherwise)
{
	JsonbValue	value;

	return get_value(object, key, &value) ? value.val.boolean : otherwise;
}

/* Give the names in an array as SQL, with commas between them, or NULL. */
static char *
names_of(Jsonb *object, const char *key, const char *where)
{
	StringInfoData names;
	ListCell   *lc;

	initStringInfo(&names);
	foreach(lc, elements_of(object, key))
	{
		const JsonbValue *name = lfirst(lc);

		if (name->type != jbvString)
			refuse(where, psprintf("has a name in \"%s\" that is not a string", key));
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", quote_identifier(dbkit_json_string(name)));
	}
	return names.len > 0 ? names.data : NULL;
}

/* Give the names in an array that must not be empty. */
static char *
required_names_of(Jsonb *object, const char *key, const char *where)
{
	char	   *names = names_of(object, key, where);

	if (names == NULL)
		refuse(where, psprintf("has no names in \"%s\"", key));
	return names;
}

/* Give the default of a column as SQL, or NULL. */
static char *
default_of(Jsonb *column)
{
	JsonbValue	value;

	if (!get_value(column, "default", &value))
		return NULL;
	switch (value.type)
	{
		case jbvString:
			return dbkit_json_string(&value);
		case jbvBool:
			return value.val.boolean ? pstrdup("true") : pstrdup("false");
		default:
			return numeric_normalize(value.val.numeric);
	}
}

/* Return how many elements the only statement of that text, a CREATE TABLE, has. */
static int
count_elements(const char *sql, const char *where)
{
	List	   *statements = dbkit_parse_script(sql, where).statements;
	const Node *statement = list_length(statements) == 1 ? linitial_node(RawStmt, statements)->stmt : NULL;

	if (statement == NULL || !IsA(statement, CreateStmt))
		refuse(where, psprintf("makes something else than a table: %s", sql));
	return list_length(((const CreateStmt *) statement)->tableElts);
}

/* Return a column as CREATE TABLE has it. */
static char *
write_column(Jsonb *column, const char *table)
{
	const char *where = psprintf("a column of %s", table);
	StringInfoData sql;
	char	   *value;

	check_object(column, column_keys, where);
	where = psprintf("column \"%s\" of %s", string_of(column, "name"), table);
	initStringInfo(&sql);
	appendStringInfo(&sql, "%s %s", quote_identifier(string_of(column, "name")), string_of(column, "type"));
	if (count_elements(psprintf("CREATE TABLE t (%s)", sql.data), where) != 1)
		refuse(where, "has a \"type\" that is not one");
	if (!boolean_of(column, "nullable", true))
		appendStringInfoString(&sql, " NOT NULL");
	value = default_of(column);
	if (value != NULL)
	{
		appendStringInfo(&sql, " DEFAULT (%s)", value);
		if (count_elements(psprintf("CREATE TABLE t (%s)", sql.data), where) != 1)
			refuse(where, "has a \"default\" that is not one");
	}
	if (boolean_of(column, "primary_key", false))
		appendStringInfoString(&sql, " PRIMARY KEY");
	if (boolean_of(column, "unique", false))
		appendStringInfoString(&sql, " UNIQUE");
	return sql.data;
}

/* Give an element of an array as an object. */
static Jsonb *
object_at(const ListCell *element, const Key *keys, const char *where)
{
	Jsonb	   *object = JsonbValueToJsonb(lfirst(element));

	check_object(object, keys, where);
	return object;
}

static char *
write_columns(Jsonb *table, const char *where)
{
	char	   *primary_key = names_of(table, "primary_key", where);
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	foreach(lc, elements_of(table, "columns"))
		appendStringInfo(&sql, "%s%s", sql.len > 0 ? ", " : "", write_column(JsonbValueToJsonb(lfirst(lc)), where));
	if (primary_key != NULL)
		appendStringInfo(&sql, "%sPRIMARY KEY (%s)", sql.len > 0 ? ", " : "", primary_key);
	return sql.data;
}

/* Return the foreign keys as what ALTER TABLE adds. */
static List *
write_foreign_keys(Jsonb *table, const char *where)
{
	const char *key_where = psprintf("a foreign key of %s", where);
	List	   *keys = NIL;
	ListCell   *lc;

	foreach(lc, elements_of(table, "foreign_keys"))
	{
		Jsonb	   *key = object_at(lc, foreign_key_keys, key_where);
		char	   *columns = required_names_of(key, "columns", key_where);
		char	   *sql = psprintf("FOREIGN KEY (%s) REFERENCES %s", columns, string_of(key, "references"));

		if (count_elements(psprintf("CREATE TABLE t (%s)", sql), key_where) != 1)
			refuse(key_where, "has \"references\" that are not those of one key");
		keys = lappend(keys, sql);
	}
	return keys;
}

/* Return the indexes as what comes before and after the name of the table. */
static List *
write_indexes(Jsonb *table, const char *where)
{
	const char *index_where = psprintf("an index of %s", where);
	List	   *indexes = NIL;
	ListCell   *lc;

	foreach(lc, elements_of(table, "indexes"))
	{
		Jsonb	   *object = object_at(lc, index_keys, index_where);
		IndexDescription *index = palloc(sizeof(IndexDescription));
		char	   *name = string_of(object, "name");

		index->is_unique = boolean_of(object, "unique", false);
		index->name = name != NULL ? quote_identifier(name) : "";
		index->columns = required_names_of(object, "columns", index_where);
		indexes = lappend(indexes, index);
	}
	return indexes;
}

/* Return a migration with the semicolon that its last statement may lack, behind the comment that it may end in. */
static char *
terminated(const char *migration)
{
	Script		script = dbkit_parse_script(migration, "a migration of the definition");

	/* The parser does not know where a statement without semicolon ends */
	if (script.statements == NIL || llast_node(RawStmt, script.statements)->stmt_len > 0)
		return unconstify(char *, script.text);
	return psprintf("%s\n;", script.text);
}

/* Read the definition of a schema, and refuse what is none. */
Definition
dbkit_read_definition(Jsonb *json)
{
	Definition	definition = {0};
	ListCell   *lc;

	check_object(json, schema_keys, "the definition");
	foreach(lc, elements_of(json, "tables"))
	{
		Jsonb	   *table = object_at(lc, table_keys, "a table of the definition");
		TableDescription *description = palloc(sizeof(TableDescription));
		char	   *where;

		description->name = string_of(table, "name");
		where = psprintf("table \"%s\"", description->name);
		description->columns = write_columns(table, where);
		description->foreign_keys = write_foreign_keys(table, where);
		description->indexes = write_indexes(table, where);
		definition.tables = lappend(definition.tables, description);
	}
	foreach(lc, elements_of(json, "migrations"))
	{
		const JsonbValue *migration = lfirst(lc);

		if (migration->type != jbvString)
			refuse("a migration of the definition", "is not a string of SQL");
		definition.migrations = lappend(definition.migrations, terminated(dbkit_json_string(migration)));
	}
	return definition;
}
