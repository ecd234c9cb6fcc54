/*-------------------------------------------------------------------------
 *
 * formats.c
 *		What is found, in the formats that CI and other programs read: dbkit.report().
 *
 * A format is a row of the table "formats".  Names of tables and columns may have any
 * characters, so every value goes through the format's way of escaping.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "common.h"
#include "convention/check.h"
#include "convention/collect.h"
#include "convention/explain.h"
#include "convention/judge.h"
#include "convention/levels.h"
#include "convention/rules/rules.h"

/* Escaping ------------------------------------------------------------------ */

/* What stands for the characters that cannot stand for themselves */
typedef struct Escaping
{
	bool		json;			/* a quoted string, or null */
	const char *control;		/* for other control characters, or NULL */
	struct
	{
		char		character;
		const char *text;
	}			escapes[16];	/* up to the character 0 */
} Escaping;

/* A value is part of one line, and says nothing to a terminal */
static const Escaping as_text = {.control = "?",.escapes = {{'\n', "\\n"}, {'\r', "\\r"}, {'\t', "\\t"}}};

static const Escaping as_json = {.json = true};

/*
 * For text and attributes, where line breaks and tabs would become blanks; escape_xml() knows
 * text only.  XML 1.0 has no way to write the other control characters.
 */
static const Escaping as_xml = {.control = "?",.escapes = {
		{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"},
		{'\n', "&#10;"}, {'\r', "&#13;"}, {'\t', "&#9;"}
}};

/* As the toolkit of GitHub's actions does */
static const Escaping as_github_message = {.escapes = {{'%', "%25"}, {'\r', "%0D"}, {'\n', "%0A"}}};
static const Escaping as_github_property = {.escapes = {
		{'%', "%25"}, {'\r', "%0D"}, {'\n', "%0A"}, {':', "%3A"}, {',', "%2C"}
}};

/* In a cell of a table */
static const Escaping as_markdown = {.control = "?",.escapes = {
		{'\\', "\\\\"}, {'`', "\\`"}, {'*', "\\*"}, {'_', "\\_"}, {'[', "\\["}, {']', "\\]"}, {'|', "\\|"},
		{'~', "\\~"}, {'$', "\\$"},
		{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'\n', "<br>"}, {'\r', "&#13;"}, {'\t', "&#9;"}
}};

/* In messages of SARIF, where {0} is the place of a value */
static const Escaping as_sarif_message = {.escapes = {{'{', "{{"}, {'}', "}}"}}};

/* Return what stands for a character, or NULL where it stands for itself. */
static const char *
escape(const Escaping *escaping, char character)
{
	for (size_t i = 0; i < lengthof(escaping->escapes) && escaping->escapes[i].character != '\0'; i++)
	{
		if (escaping->escapes[i].character == character)
			return escaping->escapes[i].text;
	}
	return (unsigned char) character < ' ' ? escaping->control : NULL;
}

/* Does a value begin with U+FFFE or U+FFFF, which XML 1.0 does not allow either? */
static bool
is_noncharacter(const char *value)
{
	return GetDatabaseEncoding() == PG_UTF8 &&
		(strncmp(value, "\xEF\xBF\xBE", 3) == 0 || strncmp(value, "\xEF\xBF\xBF", 3) == 0);
}

/* Append a value.  Byte by byte: in no encoding of a server is ASCII a part of another character. */
static void
append_value(StringInfo out, const Escaping *escaping, const char *value)
{
	if (escaping->json && value == NULL)
		appendStringInfoString(out, "null");
	else if (escaping->json)
		escape_json(out, value);
	for (; !escaping->json && *value != '\0'; value++)
	{
		const char *substitute = escape(escaping, *value);

		if (escaping == &as_xml && is_noncharacter(value))
		{
			substitute = escaping->control;
			value += 2;
		}
		if (substitute != NULL)
			appendStringInfoString(out, substitute);
		else
			appendStringInfoChar(out, *value);
	}
}

static void append_values(StringInfo out, const Escaping *escaping, const char *template,...) pg_attribute_printf(3, 4);

/* Append a template, in which values take the places of %s. */
static void
append_values(StringInfo out, const Escaping *escaping, const char *template,...)
{
	va_list		values;
	const char *place;

	va_start(values, template);
	while ((place = strstr(template, "%s")) != NULL)
	{
		appendBinaryStringInfo(out, template, place - template);
		append_value(out, escaping, va_arg(values, const char *));
		template = place + strlen("%s");
	}
	va_end(values);
	appendStringInfoString(out, template);
}

static char *
escaped(const Escaping *escaping, const char *value)
{
	StringInfoData out;

	initStringInfo(&out);
	append_value(&out, escaping, value);
	return out.data;
}

/* Formats ------------------------------------------------------------------- */

typedef struct Report
{
	CheckedCounts counts;
	int			tests;			/* for junit: of a rule and an object */
	int			failures;
	int			skipped;
	StringInfoData body;		/* what was written of objects and findings */
} Report;

typedef struct Format
{
	const char *name;
	const char *separator;		/* between two findings */
	/* Write of a finding, or else of an object with all its findings */
	void		(*finding) (StringInfo body, const Finding *finding);
	void		(*object) (Report *report, const CheckedObject *object);
	/* Write the body, and what belongs around it */
	void		(*frame) (StringInfo out, const Report *report);
} Format;

/* Level fix is an error to who reads a report: it was not fixed. */
static const char *
severity(RuleLevel level)
{
	return dbkit_level_name(level == LEVEL_FIX ? LEVEL_ERROR : level);
}

/* Return what a finding is about and what is wrong: table public.widgets: column ... */
static char *
sentence(const Finding *finding)
{
	return psprintf("%s %s: %s", dbkit_kind_name(finding->facts->kind),
					dbkit_facts_identity(finding->facts), finding->problem);
}

static char *
summary(const Report *report)
{
	return psprintf("errors: %d, warnings: %d, tables: %d", report->counts.errors,
					report->counts.warnings, report->counts.tables);
}

static void
write_text(StringInfo body, const Finding *finding)
{
	append_values(body, &as_text, "%s: %s: %s\n", severity(finding->level), finding->rule->id,
				  sentence(finding));
}

static void
frame_text(StringInfo out, const Report *report)
{
	appendStringInfo(out, "%s%s", report->body.data, summary(report));
}

static void
write_json(StringInfo body, const Finding *finding)
{
	const char *values[N_CHECK_COLUMNS];

	dbkit_check_values(finding, values);
	for (int i = 0; i < N_CHECK_COLUMNS; i++)
		append_values(body, &as_json, i == 0 ? "    {%s: %s" : ", %s: %s", dbkit_check_columns[i], values[i]);
	appendStringInfoChar(body, '}');
}

static void
frame_json(StringInfo out, const Report *report)
{
	appendStringInfo(out, "{\n  \"errors\": %d,\n  \"warnings\": %d,\n  \"tables\": %d,\n  \"findings\": [\n%s\n  ]\n}",
					 report->counts.errors, report->counts.warnings, report->counts.tables, report->body.data);
}

static void
write_github(StringInfo body, const Finding *finding)
{
	appendStringInfo(body, "::%s", severity(finding->level));
	append_values(body, &as_github_property, " title=%s",
				  psprintf("%s: %s", finding->rule->id, dbkit_facts_identity(finding->facts)));
	append_values(body, &as_github_message, "::%s", sentence(finding));
}

static void
frame_github(StringInfo out, const Report *report)
{
	appendStringInfoString(out, report->body.data);
}

static void
write_markdown(StringInfo body, const Finding *finding)
{
	append_values(body, &as_markdown, "| %s | %s | %s %s | %s |", severity(finding->level), finding->rule->id,
				  dbkit_kind_name(finding->facts->kind), dbkit_facts_identity(finding->facts), finding->problem);
}

static void
frame_markdown(StringInfo out, const Report *report)
{
	appendStringInfo(out, "**dbkit**: %s", summary(report));
	if (report->body.len > 0)
		appendStringInfo(out, "\n\n| level | rule | object | problem |\n|---|---|---|---|\n%s", report->body.data);
}

/* Return the problems that one rule found, a line for each. */
static char *
problems_of_rule(const List *findings, const Rule *rule)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, findings)
	{
		const Finding *finding = lfirst(lc);

		if (finding->rule == rule)
			dbkit_append_line(&text, finding->problem);
	}
	return text.data;
}

/* Write whether an object keeps a rule; a rule at level warning fails no pipeline. */
static void
write_test_case(Report *report, const CheckedObject *object, const Rule *rule)
{
	const char *identity = dbkit_facts_identity(object->facts);
	const char *problems = problems_of_rule(object->findings, rule);

	report->tests++;
	append_values(&report->body, &as_xml, "    <testcase classname=\"%s\" name=\"%s: %s\"", identity, identity, rule->id);
	if (problems[0] == '\0')
		appendStringInfoString(&report->body, "/>\n");
	else if (dbkit_rule_level(rule, object->facts->schema, LEVEL_TO_CHECK) == LEVEL_WARNING)
	{
		report->skipped++;
		append_values(&report->body, &as_xml, "><skipped>%s</skipped></testcase>\n", problems);
	}
	else
	{
		report->failures++;
		append_values(&report->body, &as_xml, "><failure type=\"%s\" message=\"%s\">%s\n%s</failure></testcase>\n",
					  rule->id, problems, problems, dbkit_explain_why(rule));
	}
}

/* A test for each rule, so that CI knows which are new, and which are fixed. */
static void
write_test_cases(Report *report, const CheckedObject *object)
{
	for (int i = 0; i < dbkit_n_rules; i++)
	{
		if (dbkit_is_checked(object->facts, dbkit_all_rules[i]))
			write_test_case(report, object, dbkit_all_rules[i]);
	}
}

static void
frame_junit(StringInfo out, const Report *report)
{
	appendStringInfo(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
					 "<testsuites name=\"dbkit\" tests=\"%d\" failures=\"%d\" errors=\"0\">\n"
					 "  <testsuite name=\"dbkit\" tests=\"%d\" failures=\"%d\" errors=\"0\" skipped=\"%d\">\n"
					 "%s  </testsuite>\n</testsuites>",
					 report->tests, report->failures, report->tests, report->failures, report->skipped, report->body.data);
}

/* A table is not a place in a file: there is no physicalLocation. */
static void
write_sarif(StringInfo body, const Finding *finding)
{
	const char *identity = dbkit_facts_identity(finding->facts);
	const char *name = finding->facts->name;
	const char *kind = dbkit_kind_name(finding->facts->kind);

	if (finding->column != NULL)
	{
		name = finding->column;
		identity = psprintf("%s.%s", identity, quote_identifier(name));
		kind = "column";
	}
	append_values(body, &as_json, "      {\"ruleId\": %s, \"level\": %s, \"message\": {\"text\": %s}, ",
				  finding->rule->id, severity(finding->level), escaped(&as_sarif_message, sentence(finding)));
	append_values(body, &as_json, "\"locations\": [{\"logicalLocations\": [{\"name\": %s, \"fullyQualifiedName\": %s, \"kind\": %s}]}]}",
				  name, identity, kind);
}

static void
write_sarif_rules(StringInfo out)
{
	for (int i = 0; i < dbkit_n_rules; i++)
	{
		const Rule *rule = dbkit_all_rules[i];

		append_values(out, &as_json, "        {\"id\": %s, \"shortDescription\": {\"text\": %s}, \"fullDescription\": {\"text\": %s}}",
					  rule->id, escaped(&as_sarif_message, rule->description), escaped(&as_sarif_message, dbkit_explain_why(rule)));
		appendStringInfoString(out, i < dbkit_n_rules - 1 ? ",\n" : "\n");
	}
}

static void
frame_sarif(StringInfo out, const Report *report)
{
	append_values(out, &as_json,
				  "{\n  \"$schema\": \"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json\",\n"
				  "  \"version\": \"2.1.0\",\n  \"runs\": [{\n"
				  "    \"tool\": {\"driver\": {\"name\": \"dbkit\", \"version\": %s, \"rules\": [\n", DBKIT_VERSION);
	write_sarif_rules(out);
	appendStringInfo(out, "    ]}},\n    \"results\": [\n%s\n    ]\n  }]\n}", report->body.data);
}

static const Format formats[] = {
	{"text", "", write_text, NULL, frame_text},
	{"json", ",\n", write_json, NULL, frame_json},
	{"junit", "", NULL, write_test_cases, frame_junit},
	{"github", "\n", write_github, NULL, frame_github},
	{"markdown", "\n", write_markdown, NULL, frame_markdown},
	{"sarif", ",\n", write_sarif, NULL, frame_sarif},
};

/* Return the format of that name.  Errors: invalid_parameter_value. */
static const Format *
find_format(const char *name)
{
	StringInfoData names;

	initStringInfo(&names);
	for (size_t i = 0; i < lengthof(formats); i++)
	{
		if (name != NULL && strcmp(formats[i].name, name) == 0)
			return &formats[i];
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", formats[i].name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 name != NULL ? errmsg("unrecognized format: \"%s\"", name) : errmsg("the format must not be null"),
			 errhint("The formats are %s.", names.data)));
}

/* Write what there is to say of the objects one after the other. */
static void
write_body(Report *report, const Format *format, const List *objects)
{
	MemoryContext per_object = AllocSetContextCreate(CurrentMemoryContext, "dbkit report",
													 ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(per_object);
	ListCell   *lc;

	foreach(lc, objects)
	{
		const CheckedObject *object = lfirst(lc);
		ListCell   *finding;

		CHECK_FOR_INTERRUPTS();
		if (format->object != NULL)
			format->object(report, object);
		foreach(finding, format->finding != NULL ? object->findings : NIL)
		{
			if (report->body.len > 0)
				appendStringInfoString(&report->body, format->separator);
			format->finding(&report->body, lfirst(finding));
		}
		MemoryContextReset(per_object);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(per_object);
}

PG_FUNCTION_INFO_V1(dbkit_report_in_format);

/*
 * dbkit.report(format text, schema regnamespace DEFAULT NULL) returns text
 *
 * What dbkit.check() finds in the database or in one schema, in one of the formats.  Errors:
 * invalid_parameter_value for another format or none, invalid_schema_name.
 */
Datum
dbkit_report_in_format(PG_FUNCTION_ARGS)
{
	const Format *format = find_format(PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0)));
	Oid			namespace = InvalidOid;
	Report		report = {0};
	StringInfoData out;
	List	   *objects;

	if (!PG_ARGISNULL(1))
	{
		namespace = PG_GETARG_OID(1);
		dbkit_require_schema(namespace);
	}
	objects = dbkit_collect_checked(namespace, SCOPE_CHECK);
	report.counts = dbkit_count_checked(objects);
	initStringInfo(&report.body);
	initStringInfo(&out);
	write_body(&report, format, objects);
	format->frame(&out, &report);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
