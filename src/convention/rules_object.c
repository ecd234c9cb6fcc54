/*-------------------------------------------------------------------------
 *
 * rules_object.c
 *		Rules about whole objects: enum types, enum tables, views.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "dbkit.h"
#include "rules.h"

void
dbkit_judge_enum_type(Judgement *judgement)
{
	const Facts *facts = judgement->facts;

	if (facts->kind == KIND_ENUM_TYPE)
		dbkit_add_finding(judgement, NULL,
					"it is a native enum; use CREATE TABLE %s (value text PRIMARY KEY)",
					quote_qualified_identifier(facts->schema,
											   psprintf("%s_enum", facts->name)));
	else
		dbkit_judge_enum_columns(judgement);
}

void
dbkit_judge_enum_table(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const ColumnFacts *value = dbkit_facts_column(facts, "value");
	StringInfoData wrong;

	if (value == NULL)
	{
		dbkit_add_finding(judgement, NULL,
						  "there is no column \"value\"; use value text PRIMARY KEY");
		return;
	}
	initStringInfo(&wrong);
	dbkit_check_type(&wrong, value, TEXTOID);
	dbkit_check_key(&wrong, facts, value);
	if (wrong.len > 0)
		dbkit_add_finding(judgement, "value",
						  "column \"value\" %s; use value text PRIMARY KEY", wrong.data);
}

void
dbkit_judge_view_security_invoker(Judgement *judgement)
{
	Finding    *finding;

	if (judgement->facts->security_invoker)
		return;
	finding = dbkit_add_finding(judgement, NULL,
						  "it reads its tables with the rights of its owner; use WITH (security_invoker = true)");
	finding->statement = psprintf("ALTER VIEW %s SET (security_invoker = true);",
								  dbkit_facts_identity(judgement->facts));
}

