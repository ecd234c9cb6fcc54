/*-------------------------------------------------------------------------
 *
 * exemption.c
 *		Findings that somebody has a reason for.
 *
 * An exemption covers the findings of a rule, or of all for "*", on objects
 * whose name schema.name is LIKE a pattern.  Most patterns have no wildcard,
 * as those that dbkit.baseline() makes: spelled as dbkit_exact_pattern() does, they
 * are found through the primary key.  The few others have an index of their own
 * and are tried one by one.
 * Exemptions are looked at only once there is a finding.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "common.h"
#include "convention/exemption.h"
#include "convention/own_objects.h"

/* The columns of dbkit.exemption, and its indexes */
#define Anum_object		1
#define Anum_rule		2
#define Anum_reason		3
#define Anum_expires_at	4
#define Anum_builtin	6

#define KEY_INDEX		"exemption_pkey"
#define PATTERN_INDEX	"exemption_pattern_idx"

static Exemption *
read_exemption(Relation table, HeapTuple tuple)
{
	Exemption  *exemption = palloc(sizeof(Exemption));
	TupleDesc	desc = RelationGetDescr(table);
	bool		isnull;
	Datum		expires_at;

	tuple = heap_copytuple(tuple);
	exemption->object = TextDatumGetCString(heap_getattr(tuple, Anum_object, desc, &isnull));
	exemption->rule = TextDatumGetCString(heap_getattr(tuple, Anum_rule, desc, &isnull));
	exemption->reason = heap_getattr(tuple, Anum_reason, desc, &isnull);
	exemption->builtin = DatumGetBool(heap_getattr(tuple, Anum_builtin, desc, &isnull));
	expires_at = heap_getattr(tuple, Anum_expires_at, desc, &isnull);
	exemption->expires = !isnull;
	exemption->expires_at = isnull ? 0 : DatumGetTimestampTz(expires_at);
	return exemption;
}

/* Return the exemptions that a scan finds. */
static List *
scan_exemptions(Relation table, Oid index, int nkeys, ScanKey key)
{
	SysScanDesc scan = systable_beginscan(table, index, OidIsValid(index), NULL, nkeys, key);
	List	   *result = NIL;
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		result = lappend(result, read_exemption(table, tuple));
	systable_endscan(scan);
	return result;
}

/* Return the name that patterns are matched against. */
char *
dbkit_exempt_name(const Facts *facts)
{
	return psprintf("%s.%s", facts->schema, facts->name);
}

/* Return the pattern that matches that name only. */
char *
dbkit_exact_pattern(const char *name)
{
	StringInfoData pattern;

	initStringInfo(&pattern);
	for (; *name != '\0'; name++)
	{
		if (*name == '\\' || *name == '%' || *name == '_')
			appendStringInfoChar(&pattern, '\\');
		appendStringInfoChar(&pattern, *name);
	}
	return pattern.data;
}

static bool
is_like(const char *name, const char *pattern)
{
	return DatumGetBool(DirectFunctionCall2Coll(textlike, C_COLLATION_OID,
												CStringGetTextDatum(name),
												CStringGetTextDatum(pattern)));
}

/* Return the exemptions on an object, whatever their rule. */
List *
dbkit_exemptions_on(const Facts *facts)
{
	Relation	table = table_open(dbkit_own_relation("exemption"), AccessShareLock);
	char	   *name = dbkit_exempt_name(facts);
	List	   *result;
	List	   *patterns;
	ScanKeyData key;
	ListCell   *lc;

	ScanKeyInit(&key, Anum_object, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(dbkit_exact_pattern(name)));
	result = scan_exemptions(table, dbkit_own_relation(KEY_INDEX), 1, &key);
	patterns = scan_exemptions(table, dbkit_own_relation(PATTERN_INDEX), 0, NULL);
	foreach(lc, patterns)
	{
		if (is_like(name, ((Exemption *) lfirst(lc))->object))
			result = lappend(result, lfirst(lc));
	}
	table_close(table, AccessShareLock);
	return result;
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

/*
 * Take out of a list the findings that are exempt.  Those before "from" stay;
 * the others are all on one object.
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
		bool		exempt = false;
		ListCell   *lc;

		foreach(lc, exemptions)
			exempt |= !dbkit_exemption_is_expired(lfirst(lc)) && dbkit_exemption_covers(lfirst(lc), finding->rule);
		if (!exempt)
			result = lappend(result, finding);
	}
	return result;
}

/* Return all exemptions. */
List *
dbkit_all_exemptions(void)
{
	Relation	table = table_open(dbkit_own_relation("exemption"), AccessShareLock);
	List	   *result = scan_exemptions(table, InvalidOid, 0, NULL);

	table_close(table, AccessShareLock);
	return result;
}
