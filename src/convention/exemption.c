/*-------------------------------------------------------------------------
 *
 * exemption.c
 *		Findings that somebody has a reason for.
 *
 * An exemption covers the findings of a rule, or of all for "*", on the object of a name,
 * schema.name, or on all whose names are LIKE a pattern.  Those of the agreement are kept
 * as it is read; exact names, which may be thousands, in their order.
 * Exemptions are looked at only once there is a finding.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "common.h"
#include "convention/agreement_json.h"
#include "convention/baseline.h"
#include "convention/exemption.h"
#include "convention/levels.h"
#include "convention/rules/rules.h"

#define BUILTIN(object, reason)	{(object), "*", (reason), false, 0, true}

/* The ledgers and job tables of other people's tools */
static const Exemption builtin[] = {
	BUILTIN("%.\\_yoyo\\_%", "ledger of yoyo"),
	BUILTIN("%.yoyo\\_lock%", "ledger of yoyo"),
	BUILTIN("%.yoyo\\_tmp\\_%", "ledger of yoyo"),
	BUILTIN("%.alembic\\_version", "ledger of alembic"),
	BUILTIN("%.schema\\_migrations", "ledger of dbmate, Rails and golang-migrate"),
	BUILTIN("%.ar\\_internal\\_metadata", "ledger of Rails"),
	BUILTIN("sqitch.%", "ledger of sqitch"),
	BUILTIN("%.flyway\\_schema\\_history", "ledger of Flyway"),
	BUILTIN("%.databasechangelog", "ledger of Liquibase"),
	BUILTIN("%.databasechangeloglock", "ledger of Liquibase"),
	BUILTIN("%.\\_prisma\\_migrations", "ledger of Prisma"),
	BUILTIN("%.\\_\\_drizzle\\_migrations", "ledger of Drizzle"),
	BUILTIN("%.knex\\_migrations", "ledger of Knex"),
	BUILTIN("%.knex\\_migrations\\_lock", "ledger of Knex"),
	BUILTIN("%.pgmigrations", "ledger of node-pg-migrate"),
	BUILTIN("%.gorp\\_migrations", "ledger of sql-migrate"),
	BUILTIN("%.goose\\_db\\_version", "ledger of goose"),
	BUILTIN("%.schema\\_version", "ledger of pgmigrate"),
	BUILTIN("%.schema\\_version\\_type", "ledger of pgmigrate"),
	BUILTIN("pgroll.%", "ledger of pgroll"),
	BUILTIN("%.django\\_migrations", "ledger of Django"),
	BUILTIN("%.migrations", "ledger of TypeORM"),
	BUILTIN("%.typeorm\\_metadata", "ledger of TypeORM"),
	BUILTIN("%.SequelizeMeta", "ledger of Sequelize"),
	BUILTIN("%.SequelizeData", "ledger of Sequelize"),
	BUILTIN("%.\\_\\_diesel\\_schema\\_migrations", "ledger of Diesel"),
	BUILTIN("%.\\_sqlx\\_migrations", "ledger of sqlx"),
	BUILTIN("%.seaql\\_migrations", "ledger of SeaORM"),
	BUILTIN("%.refinery\\_schema\\_history", "ledger of refinery"),
	BUILTIN("%.\\_\\_EFMigrationsHistory", "ledger of EF Core"),
	BUILTIN("%.kysely\\_migration", "ledger of Kysely"),
	BUILTIN("%.kysely\\_migration\\_lock", "ledger of Kysely"),
	BUILTIN("%.doctrine\\_migration\\_versions", "ledger of Doctrine"),
	BUILTIN("%.migration\\_versions", "ledger of Doctrine"),
	BUILTIN("%.atlas\\_schema\\_revisions", "ledger of Atlas"),
	BUILTIN("%.mikro\\_orm\\_migrations", "ledger of MikroORM"),
	BUILTIN("repack.%", "work tables of pg_repack"),
	BUILTIN("partman.%", "templates of pg_partman"),
	BUILTIN("pgboss.%", "jobs of pg-boss"),
	BUILTIN("%.oban\\_jobs", "jobs of Oban"),
	BUILTIN("%.oban\\_job\\_state", "jobs of Oban"),
	BUILTIN("%.oban\\_peers", "jobs of Oban"),
	BUILTIN("%.oban\\_producers", "jobs of Oban"),
	BUILTIN("%.river\\_client", "jobs of River"),
	BUILTIN("%.river\\_client\\_queue", "jobs of River"),
	BUILTIN("%.river\\_job", "jobs of River"),
	BUILTIN("%.river\\_job\\_state", "jobs of River"),
	BUILTIN("%.river\\_leader", "jobs of River"),
	BUILTIN("%.river\\_migration", "ledger of River"),
	BUILTIN("%.river\\_queue", "jobs of River"),
	BUILTIN("graphile\\_worker.%", "jobs of Graphile Worker"),
	BUILTIN("%.solid\\_queue\\_%", "jobs of Solid Queue"),
	BUILTIN("%.good\\_jobs", "jobs of Good Job"),
	BUILTIN("%.good\\_job\\_%", "jobs of Good Job"),
};

/* The exemptions of the agreement, and of which they are, 0 for none */
static struct
{
	uint64		agreement;
	MemoryContext context;
	List	   *all;			/* Exemption *, in the order of the agreement */
	List	   *exact;			/* those of one name, in the order of the
								 * names */
	List	   *patterns;		/* the others */
}			current;

/* Does it stand for many objects? */
bool
dbkit_is_pattern(const char *object)
{
	return strchr(object, '%') != NULL;
}

bool
dbkit_is_like(const char *name, const char *pattern)
{
	return DatumGetBool(DirectFunctionCall2Coll(textlike, C_COLLATION_OID,
												CStringGetTextDatum(name),
												CStringGetTextDatum(pattern)));
}

/* Add a part of a name: quoted only where the dot or the quotes would mislead. */
static void
append_name(StringInfo text, const char *name)
{
	if (strpbrk(name, ".\"") == NULL)
	{
		appendStringInfoString(text, name);
		return;
	}
	appendStringInfoChar(text, '"');
	for (; *name != '\0'; name++)
	{
		if (*name == '"')
			appendStringInfoChar(text, '"');
		appendStringInfoChar(text, *name);
	}
	appendStringInfoChar(text, '"');
}

/* Return the name by which the agreement knows an object: public.userRoles, "a.b".c, or customer, a role. */
char *
dbkit_object_name(const char *schema, const char *name)
{
	StringInfoData text;

	initStringInfo(&text);
	if (schema[0] != '\0')
	{
		append_name(&text, schema);
		appendStringInfoChar(&text, '.');
	}
	append_name(&text, name);
	return text.data;
}

/* Is it a pattern with nothing behind its last backslash?  LIKE itself complains only when it gets that far. */
bool
dbkit_is_malformed_pattern(const char *object)
{
	for (const char *c = object; dbkit_is_pattern(object) && *c != '\0'; c++)
	{
		if (*c == '\\' && *++c == '\0')
			return true;
	}
	return false;
}

/* Return a string of an exemption, or NULL. */
static char *
string_of(Jsonb *exemption, const char *key)
{
	JsonbValue	value;

	if (!dbkit_json_value(exemption, key, &value) || value.type != jbvString)
		return NULL;
	return dbkit_json_string(&value);
}

/* Read when an exemption ends; false where that is not a time. */
static bool
read_end(Exemption *result, Jsonb *exemption)
{
	MemoryContext context = CurrentMemoryContext;
	JsonbValue	value;
	volatile bool read = true;

	if (!dbkit_json_value(exemption, "expires_at", &value))
		return true;
	if (value.type != jbvString)
		return false;
	PG_TRY();
	{
		result->expires_at = DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in,
																	 CStringGetDatum(dbkit_json_string(&value)),
																	 ObjectIdGetDatum(InvalidOid),
																	 Int32GetDatum(-1)));
		result->expires = true;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		FlushErrorState();
		read = false;
	}
	PG_END_TRY();
	return read;
}

/* Has the object other keys than an exemption? */
static bool
has_other_keys(Jsonb *exemption)
{
	uint32		keys = 3;
	JsonbValue	value;

	if (dbkit_json_value(exemption, "expires_at", &value))
		keys++;
	return JB_ROOT_COUNT(exemption) != keys;
}

/* Read one exemption of the agreement; return what is wrong with it, or NULL. */
static char *
read_exemption(Exemption *result, Jsonb *exemption)
{
	result->object = string_of(exemption, "object");
	result->rule = string_of(exemption, "rule");
	result->reason = string_of(exemption, "reason");
	if (result->object == NULL || result->rule == NULL || result->reason == NULL ||
		has_other_keys(exemption))
		return "An exemption has the keys \"object\", \"rule\" and \"reason\", and perhaps \"expires_at\".";
	if (dbkit_is_malformed_pattern(result->object))
		return psprintf("The exemption of \"%s\" must not end with a single backslash.", result->object);
	if (strcmp(result->rule, "*") != 0 && dbkit_find_rule(result->rule) == NULL)
		return psprintf("There is no rule \"%s\", from which \"%s\" is exempt.", result->rule, result->object);
	if (strspn(result->reason, " \t\r\n") == strlen(result->reason))
		return psprintf("The exemption of \"%s\" has no reason.", result->object);
	if (!read_end(result, exemption))
		return psprintf("The exemption of \"%s\" expires at what is not a time.", result->object);
	return NULL;
}

/* Read the exemptions of an agreement; add what is wrong with them to the problems. */
static List *
read_exemptions(const Agreement *agreement, List **problems)
{
	List	   *result = NIL;
	JsonbValue	value;
	JsonbIterator *it;

	if (!dbkit_agreed_value(agreement, "exemptions", &value) ||
		value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data))
		return NIL;
	it = JsonbIteratorInit(value.val.binary.data);
	for (JsonbIteratorToken token = JsonbIteratorNext(&it, &value, true);
		 token != WJB_DONE; token = JsonbIteratorNext(&it, &value, true))
	{
		Exemption  *exemption;
		char	   *problem = "An exemption has to be an object.";

		if (token != WJB_ELEM)
			continue;
		exemption = palloc0(sizeof(Exemption));
		if (value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data))
			problem = read_exemption(exemption, JsonbValueToJsonb(&value));
		if (problem != NULL)
			*problems = lappend(*problems, problem);
		else
			result = lappend(result, exemption);
	}
	return result;
}

/* Return what is wrong with the exemptions of an agreement, as sentences. */
List *
dbkit_find_exemption_problems(const Agreement *agreement)
{
	List	   *problems = NIL;

	(void) read_exemptions(agreement, &problems);
	return problems;
}

static int
compare_objects(const ListCell *a, const ListCell *b)
{
	return strcmp(((const Exemption *) lfirst(a))->object, ((const Exemption *) lfirst(b))->object);
}

/* Sort the exemptions of the agreement into those of one name and patterns. */
static void
sort_exemptions(void)
{
	ListCell   *lc;

	current.exact = NIL;
	current.patterns = NIL;
	foreach(lc, current.all)
	{
		if (dbkit_is_pattern(((Exemption *) lfirst(lc))->object))
			current.patterns = lappend(current.patterns, lfirst(lc));
		else
			current.exact = lappend(current.exact, lfirst(lc));
	}
	list_sort(current.exact, compare_objects);
}

/* Let the exemptions be those of the agreement as it is now. */
static void
refresh_exemptions(void)
{
	const Agreement *agreement = dbkit_agreement();
	List	   *problems = NIL;
	MemoryContext caller;

	if (current.agreement == agreement->number)
		return;
	if (current.context == NULL)
		current.context = AllocSetContextCreate(TopMemoryContext, "dbkit exemptions", ALLOCSET_SMALL_SIZES);
	current.agreement = 0;
	MemoryContextReset(current.context);
	caller = MemoryContextSwitchTo(current.context);
	current.all = read_exemptions(agreement, &problems);
	sort_exemptions();
	MemoryContextSwitchTo(caller);
	current.agreement = agreement->number;
}

/* Return where the exemptions of a name begin among those of one name. */
static int
find_exact(const char *name)
{
	int			low = 0;
	int			high = list_length(current.exact);

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (strcmp(((const Exemption *) list_nth(current.exact, middle))->object, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Return the exemptions on an object, whatever their rule. */
List *
dbkit_exemptions_on(const Facts *facts)
{
	char	   *name = dbkit_object_name(facts->schema, facts->name);
	List	   *result = NIL;
	ListCell   *lc;

	refresh_exemptions();
	for (int i = find_exact(name); i < list_length(current.exact); i++)
	{
		Exemption  *exemption = list_nth(current.exact, i);

		if (strcmp(exemption->object, name) != 0)
			break;
		result = lappend(result, exemption);
	}
	foreach(lc, current.patterns)
	{
		if (dbkit_is_like(name, ((Exemption *) lfirst(lc))->object))
			result = lappend(result, lfirst(lc));
	}
	for (size_t i = 0; i < lengthof(builtin); i++)
	{
		if (dbkit_is_like(name, builtin[i].object))
			result = lappend(result, unconstify(Exemption *, &builtin[i]));
	}
	return result;
}

/* Return all exemptions, those of the agreement first. */
List *
dbkit_all_exemptions(void)
{
	List	   *result;

	refresh_exemptions();
	result = list_copy(current.all);
	for (size_t i = 0; i < lengthof(builtin); i++)
		result = lappend(result, unconstify(Exemption *, &builtin[i]));
	return result;
}

/* Does that exemption come with dbkit? */
bool
dbkit_is_builtin_exemption(const char *object, const char *rule)
{
	for (size_t i = 0; i < lengthof(builtin); i++)
	{
		if (strcmp(builtin[i].object, object) == 0 && strcmp(builtin[i].rule, rule) == 0)
			return true;
	}
	return false;
}

/* Is it over? */
bool
dbkit_exemption_is_expired(const Exemption *exemption)
{
	return exemption->expires && exemption->expires_at <= GetCurrentTransactionStartTimestamp();
}

/* Is it about that rule, or about all? */
bool
dbkit_exemption_covers(const Exemption *exemption, const Rule *rule)
{
	return strcmp(exemption->rule, "*") == 0 || strcmp(exemption->rule, rule->id) == 0;
}

/* Is the finding one of those that are covered? */
static bool
is_covered(const Finding *finding, const List *exemptions)
{
	ListCell   *lc;

	foreach(lc, exemptions)
	{
		if (!dbkit_exemption_is_expired(lfirst(lc)) && dbkit_exemption_covers(lfirst(lc), finding->rule))
			return true;
	}
	return false;
}

/* Excuse a finding; return whether it still counts, as what the server's configuration demands does. */
static bool
excuse(Finding *finding)
{
	finding->level = dbkit_rule_level(finding->rule, finding->facts->schema, LEVEL_REQUIRED);
	return finding->level != LEVEL_OFF;
}

/*
 * Take out of a list the findings that are exempt.  Those before "from" stay; the others
 * are all on one object.
 */
List *
dbkit_drop_exempt(List *findings, int from)
{
	List	   *exemptions;
	List	   *result;

	if (list_length(findings) == from)
		return findings;
	exemptions = dbkit_exemptions_on(((Finding *) llast(findings))->facts);
	if (exemptions == NIL)
		return findings;
	result = list_truncate(list_copy(findings), from);
	for (int i = from; i < list_length(findings); i++)
	{
		Finding    *finding = list_nth(findings, i);

		if (!is_covered(finding, exemptions) || excuse(finding))
			result = lappend(result, finding);
	}
	return result;
}

/* The same for those that are in the baseline. */
List *
dbkit_drop_baseline(List *findings, int from)
{
	List	   *result = list_truncate(list_copy(findings), from);

	for (int i = from; i < list_length(findings); i++)
	{
		Finding    *finding = list_nth(findings, i);

		if (!dbkit_is_in_baseline(finding) || excuse(finding))
			result = lappend(result, finding);
	}
	return result;
}
