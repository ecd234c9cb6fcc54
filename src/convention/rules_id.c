/*-------------------------------------------------------------------------
 *
 * rules_id.c
 *		Rules about ids: the key, its default and CHECK, the prefix, references.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "dbkit.h"
#include "expression.h"
#include "own.h"
#include "registry.h"
#include "rules.h"
#include "types.h"

typedef enum IdStyle
{
	ID_PREFIXED,
	ID_UUID
} IdStyle;

static int	id_style = ID_PREFIXED;

static const struct config_enum_entry id_style_options[] = {
	{"prefixed", ID_PREFIXED, false},
	{"uuid", ID_UUID, false},
	{NULL, 0, false}
};

/* Is it a column that holds an id: id itself, *_id or *_extid? */
static bool
is_id_name(const char *name)
{
	return strcmp(name, "id") == 0 ||
		dbkit_ends_with(name, "_id") || dbkit_ends_with(name, "_extid");
}

/* Return the type that a column of that name is to have, or NULL for any. */
const char *
dbkit_id_type(const char *column)
{
	if (!is_id_name(column))
		return NULL;
	return id_style == ID_UUID && strcmp(column, "id") == 0 ? "uuid" : ID_TYPE;
}

/* Return the type of a column that references an id. */
const char *
dbkit_reference_type(void)
{
	return id_style == ID_UUID ? "uuid" : ID_TYPE;
}

static bool
is_c_text(const ColumnFacts *column)
{
	return column->base_type == TEXTOID && column->collation == C_COLLATION_OID;
}

/* Would generate_id() take it?  A LIKE pattern of anything else can mean more. */
static bool
is_possible_prefix(const char *prefix)
{
	size_t		length = strlen(prefix);

	return length > 0 && strspn(prefix, "abcdefghijklmnopqrstuvwxyz_") == length;
}

static bool
is_convention_prefix(const char *prefix)
{
	size_t		length = strlen(prefix);

	return (length == 2 || length == 3) &&
		strspn(prefix, "abcdefghijklmnopqrstuvwxyz") == length;
}

/*
 * Suggest a prefix that no table has: three letters of the table's name in
 * order, beginning with the first.  NULL when all of them are taken.
 */
static char *
suggest_prefix(Judgement *judgement)
{
	char		letters[NAMEDATALEN + 3];
	int			length = 0;

	for (const char *c = judgement->facts->name; *c; c++)
	{
		char		lower = (*c >= 'A' && *c <= 'Z') ? *c - 'A' + 'a' : *c;

		if (lower >= 'a' && lower <= 'z')
			letters[length++] = lower;
	}
	while (length < 3)
		letters[length++] = 'x';

	for (int second = 1; second < length - 1; second++)
	{
		for (int third = second + 1; third < length; third++)
		{
			char	   *prefix = psprintf("%c%c%c", letters[0], letters[second],
										  letters[third]);

			if (!OidIsValid(dbkit_registry_holder(prefix)) &&
				!dbkit_list_has_string(judgement->suggested, prefix))
				return prefix;
		}
	}
	return NULL;
}

/* Judge that id is there and is the primary key, of the right type. */
void
dbkit_judge_primary_key(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const ColumnFacts *id = dbkit_facts_column(facts, "id");
	const char *wanted = id_style == ID_UUID ?
		"uuid PRIMARY KEY DEFAULT gen_random_uuid()" : ID_TYPE " PRIMARY KEY";
	StringInfoData wrong = {0};

	if (id == NULL)
	{
		char	   *prefix = id_style == ID_PREFIXED ? suggest_prefix(judgement) : NULL;

		if (prefix != NULL)
			judgement->suggested = lappend(judgement->suggested, prefix);
		dbkit_add_finding(judgement, NULL, "there is no column \"id\"; use id %s%s", wanted,
						  prefix == NULL ? "" :
						  psprintf(" DEFAULT %s('%s') CHECK (id LIKE '%s_%%')",
								   dbkit_function_name("generate_id"), prefix, prefix));
		return;
	}

	dbkit_check_type(&wrong, id, id_style == ID_UUID ? UUIDOID : TEXTOID);
	if (id_style == ID_PREFIXED && id->base_type == TEXTOID &&
		id->collation != C_COLLATION_OID)
		dbkit_add_wrong(&wrong, "has collation \"%s\"", get_collation_name(id->collation));
	dbkit_check_key(&wrong, facts, id);
	if (id_style == ID_UUID && id->base_type == UUIDOID &&
		!dbkit_generates_uuid(dbkit_column_default(id)))
		dbkit_add_wrong(&wrong, "has no default that generates a uuid");
	if (wrong.len > 0)
		dbkit_add_finding(judgement, "id", "column \"id\" %s; use id %s", wrong.data, wanted);
}

/*
 * Return the prefix that a fix of the default or the CHECK is to use: what the
 * other of the two says, or a suggestion.
 */
static char *
prefix_for_fix(Judgement *judgement)
{
	ListCell   *lc;

	if (judgement->facts->prefix != NULL)
		return judgement->facts->prefix;
	foreach(lc, judgement->findings)
	{
		Finding    *finding = lfirst(lc);

		/* The default's finding has suggested one; the CHECK agrees with it */
		if (finding->facts == judgement->facts &&
			strcmp(finding->rule->id, "id_default") == 0)
			return judgement->suggested ? llast(judgement->suggested) : NULL;
	}
	return suggest_prefix(judgement);
}

void
dbkit_judge_id_default(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const ColumnFacts *id = dbkit_facts_column(facts, "id");
	char	   *prefix;
	char	   *wanted;
	Finding    *finding;

	if (id_style == ID_UUID || id == NULL || facts->default_prefix != NULL)
		return;

	prefix = prefix_for_fix(judgement);
	wanted = psprintf("DEFAULT %s(%s)", dbkit_function_name("generate_id"),
					  quote_literal_cstr(prefix ? prefix : "..."));
	if (!dbkit_column_has_default(id))
		finding = dbkit_add_finding(judgement, "id", "column \"id\" %s; use %s",
							  id->generated ? "is a generated column" : "has no default",
							  wanted);
	else
		finding = dbkit_add_finding(judgement, "id",
							  "the default of column \"id\" is not dbkit's generate_id() with a constant prefix; use %s",
							  wanted);
	if (prefix == NULL)
		return;
	if (!dbkit_list_has_string(judgement->suggested, prefix))
		judgement->suggested = lappend(judgement->suggested, prefix);
	if (id->base_type == TEXTOID && !id->generated)
		dbkit_add_alter(finding, psprintf("ALTER COLUMN id SET %s", wanted));
}

void
dbkit_judge_id_check(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const ColumnFacts *id = dbkit_facts_column(facts, "id");
	char	   *prefix;
	char	   *wanted;
	Finding    *finding;
	ListCell   *lc;

	if (id_style == ID_UUID || id == NULL)
		return;
	if (facts->check_prefixes != NIL &&
		(facts->default_prefix == NULL ||
		 dbkit_list_has_string(facts->check_prefixes, facts->default_prefix)))
		return;

	prefix = prefix_for_fix(judgement);
	wanted = psprintf("CHECK (id LIKE %s)",
					  quote_literal_cstr(psprintf("%s_%%", prefix ? prefix : "...")));
	if (facts->check_prefixes == NIL)
		finding = dbkit_add_finding(judgement, "id",
							  "no CHECK pins the prefix of column \"id\"; use %s", wanted);
	else
		finding = dbkit_add_finding(judgement, "id",
							  "the CHECK on column \"id\" pins the prefix \"%s\", its default makes \"%s\"; use %s",
							  (char *) linitial(facts->check_prefixes),
							  facts->default_prefix, wanted);
	if (prefix == NULL || !is_possible_prefix(prefix) || id->base_type != TEXTOID)
		return;
	if (list_member_ptr(facts->check_names, NULL))
		return;
	foreach(lc, facts->check_names)
		dbkit_add_alter(finding, psprintf("DROP CONSTRAINT %s", quote_identifier(lfirst(lc))));
	dbkit_add_alter(finding, psprintf("ADD %s", wanted));
}

void
dbkit_judge_id_prefix(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	Oid			holder;

	if (id_style == ID_UUID || facts->prefix == NULL)
		return;
	if (!is_convention_prefix(facts->prefix))
		dbkit_add_finding(judgement, "id", "prefix \"%s\" is not 2 or 3 lower-case letters; use one that is",
					facts->prefix);
	if (strlen(facts->prefix) > DBKIT_PREFIX_MAX_LEN)
		return;					/* the registry has none */
	if (judgement->prefixes != NULL &&
		dbkit_registry_has(judgement->prefixes, facts->prefix, facts->objid))
		return;

	holder = dbkit_registry_holder(facts->prefix);
	if (!OidIsValid(holder))
	{
		Finding    *finding = dbkit_add_finding(judgement, "id",
												"prefix \"%s\" is not in the registry, so that another table could have it; use dbkit.register_prefix()",
												facts->prefix);

		finding->statement = psprintf("SELECT dbkit.register_prefix(%s);",
									  quote_literal_cstr(dbkit_facts_identity(facts)));
	}
	else if (holder != facts->objid && !facts->detached)
	{
		/* The ids of a detached partition go on with the prefix of the table it was part of */
		char	   *suggestion = suggest_prefix(judgement);
		char	   *name = dbkit_name_of(holder);

		dbkit_add_finding(judgement, "id", "prefix \"%s\" belongs to table \"%s\"; use another%s",
					facts->prefix, name != NULL ? name : "(dropped meanwhile)",
					suggestion ? psprintf(", such as \"%s\"", suggestion) : "");
	}
}

void
dbkit_judge_text_id(Judgement *judgement)
{
	ListCell   *lc;

	foreach(lc, judgement->facts->columns)
	{
		ColumnFacts *column = lfirst(lc);
		Finding    *finding;

		if (!is_id_name(column->name) || strcmp(column->name, "id") == 0 || is_c_text(column))
			continue;
		if (id_style == ID_UUID &&
			(column->base_type == UUIDOID || column->base_type == TEXTOID))
			continue;

		if (id_style == ID_UUID)
			finding = dbkit_add_finding(judgement, column->name,
								  "column \"%s\" is %s; use uuid or text",
								  column->name, dbkit_type_name(column->type));
		else if (column->base_type == TEXTOID)
			finding = dbkit_add_finding(judgement, column->name,
								  "column \"%s\" has collation \"%s\"; use " ID_TYPE,
								  column->name, get_collation_name(column->collation));
		else
			finding = dbkit_add_finding(judgement, column->name,
								  "column \"%s\" is %s; use " ID_TYPE,
								  column->name, dbkit_type_name(column->type));
		dbkit_add_retype(finding, column, TEXTOID, ID_TYPE);
	}
}

/* Define the settings of this module. */
void
dbkit_rules_id_init(void)
{
	/* For teams that have UUID keys and want everything else. */
	DefineCustomEnumVariable("dbkit.id_style",
							 "Whether ids are prefixed text or UUIDs.",
							 NULL,
							 &id_style,
							 ID_PREFIXED,
							 id_style_options,
							 PGC_SUSET,
							 DBKIT_SETTING,
							 NULL, NULL, NULL);
}
