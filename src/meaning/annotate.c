/*-------------------------------------------------------------------------
 *
 * annotate.c
 *		Set comments from data: dbkit.annotate().
 *
 * All names are looked up and all rights checked first, so that one error tells everything.  Then each
 * comment that is another one now is set by COMMENT ON, as the caller, so that event triggers and
 * dbkit's own rules see it as they see any.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/comment.h"
#include "executor/spi.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

#include "common.h"
#include "convention/agreement_json.h"
#include "meaning/annotations.h"
#include "meaning/documented.h"
#include "relation_name.h"
#include "sql.h"

#define NAMED_IN_MESSAGE	3

/* Why a name of the annotations cannot be used; the first kind of which there is one is the error */
typedef enum ProblemKind
{
	PROBLEM_UNKNOWN,
	PROBLEM_AMBIGUOUS,
	PROBLEM_UNFIT,
	PROBLEM_NOT_OWNED
} ProblemKind;

static const struct
{
	int			code;
	const char *message;
	const char *hint;
}			problem_kinds[] = {

	[PROBLEM_UNKNOWN] = {ERRCODE_UNDEFINED_OBJECT, "the annotations name what does not exist",
	"Tables are named as in SQL, with double quotes around capitals and dots; columns are named as they are."},
	[PROBLEM_AMBIGUOUS] = {ERRCODE_AMBIGUOUS_ALIAS, "the annotations name tables ambiguously",
	"Name each table once, with its schema if it is not in \"" UNQUALIFIED_SCHEMA "\"."},
	[PROBLEM_UNFIT] = {ERRCODE_WRONG_OBJECT_TYPE, "the annotations name what cannot be annotated",
	"Tables and views have annotations, but partitions only those of their root."},
	[PROBLEM_NOT_OWNED] = {ERRCODE_INSUFFICIENT_PRIVILEGE, "the annotations name what is not yours",
	"Only the owner of a table can comment on it."},
};

/* How COMMENT ON calls relations of a kind */
static const struct
{
	char		relkind;
	const char *word;
}			relation_words[] = {
	{RELKIND_RELATION, "TABLE"},
	{RELKIND_PARTITIONED_TABLE, "TABLE"},
	{RELKIND_VIEW, "VIEW"},
	{RELKIND_MATVIEW, "MATERIALIZED VIEW"},
	{RELKIND_FOREIGN_TABLE, "FOREIGN TABLE"},
};

typedef struct CommentChange
{
	char	   *object;			/* as COMMENT ON names it */
	const char *comment;		/* NULL for none */
} CommentChange;

/* What there is to do */
typedef struct Annotations
{
	List	   *relations;		/* OIDs of those that were named */
	List	   *changes;		/* CommentChange * */
	List	   *problems[lengthof(problem_kinds)];	/* char * */
} Annotations;

/* A relation that was named */
typedef struct Annotated
{
	const char *key;			/* how the annotations name it */
	Oid			relid;
	const char *word;			/* TABLE ... */
	char	   *name;			/* qualified and quoted */
} Annotated;

static void
add_problem(Annotations *annotations, ProblemKind kind, char *problem)
{
	annotations->problems[kind] = lappend(annotations->problems[kind], problem);
}

/* Return the first of them with commas, for a message, or all, a line for each. */
static char *
join_problems(const List *problems, bool for_message)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, problems)
	{
		int			n = foreach_current_index(lc);

		if (for_message && n == NAMED_IN_MESSAGE)
		{
			appendStringInfo(&text, " and %d more", list_length(problems) - n);
			break;
		}
		if (n > 0)
			appendStringInfoString(&text, for_message ? ", " : "\n");
		appendStringInfoString(&text, lfirst(lc));
	}
	return text.data;
}

static void
report_problems(const Annotations *annotations)
{
	for (size_t i = 0; i < lengthof(problem_kinds); i++)
	{
		const List *problems = annotations->problems[i];

		if (problems == NIL)
			continue;
		ereport(ERROR,
				(errcode(problem_kinds[i].code),
				 errmsg("%s: %s", problem_kinds[i].message, join_problems(problems, true)),
				 list_length(problems) > NAMED_IN_MESSAGE ? errdetail_internal("%s", join_problems(problems, false)) : 0,
				 errhint("%s", problem_kinds[i].hint)));
	}
}

/* Find a relation by its name alone, in the search_path, but not among temporary ones. */
static Oid
find_in_search_path(const char *name)
{
	ListCell   *lc;

	foreach(lc, fetch_search_path(false))
	{
		Oid			relid = get_relname_relid(name, lfirst_oid(lc));

		if (OidIsValid(relid))
			return relid;
	}
	return InvalidOid;
}

/*
 * Find the relation that a name without a schema stands for.  dbkit.annotations() writes none for
 * "public": in a session with another search_path it must not mean another table unnoticed.
 */
static Oid
find_unqualified(Annotations *annotations, const char *key, const char *name)
{
	Oid			visible = find_in_search_path(name);
	Oid			schema = get_namespace_oid(UNQUALIFIED_SCHEMA, true);
	Oid			usual = OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;

	if (OidIsValid(visible) && OidIsValid(usual) && visible != usual)
		add_problem(annotations, PROBLEM_AMBIGUOUS,
					psprintf("\"%s\" is %s and %s", key, dbkit_relation_name(visible), dbkit_relation_name(usual)));
	return OidIsValid(visible) ? visible : usual;
}

/* Find the relation that a key names, as regclass would; InvalidOid where there is none. */
static Oid
find_relation(Annotations *annotations, const char *key)
{
	List	   *names;
	Oid			schema;

	if (!SplitIdentifierString(pstrdup(key), '.', &names) || names == NIL || list_length(names) > 2)
		return InvalidOid;
	if (list_length(names) == 1)
		return find_unqualified(annotations, key, linitial(names));
	schema = get_namespace_oid(linitial(names), true);
	return OidIsValid(schema) ? get_relname_relid(lsecond(names), schema) : InvalidOid;
}

/* Return what COMMENT ON calls a relation, or NULL if it has no comments of its own. */
static const char *
relation_word(Oid relid)
{
	char		relkind = get_rel_relkind(relid);

	for (size_t i = 0; i < lengthof(relation_words) && !get_rel_relispartition(relid); i++)
	{
		if (relation_words[i].relkind == relkind)
			return relation_words[i].word;
	}
	return NULL;
}

/* Find the relation of a key, and note whatever is in the way. */
static bool
find_annotated(Annotations *annotations, const char *key, Annotated *annotated)
{
	Oid			relid = find_relation(annotations, key);

	annotated->key = key;
	annotated->relid = relid;
	annotated->name = OidIsValid(relid) ? dbkit_find_relation_name(relid) : NULL;
	if (annotated->name == NULL)
	{
		add_problem(annotations, PROBLEM_UNKNOWN, psprintf("table \"%s\"", key));
		return false;
	}
	if (list_member_oid(annotations->relations, relid))
		add_problem(annotations, PROBLEM_AMBIGUOUS, psprintf("\"%s\" again", key));
	annotations->relations = lappend_oid(annotations->relations, relid);
	annotated->word = relation_word(relid);
	if (annotated->word == NULL)
		add_problem(annotations, PROBLEM_UNFIT, psprintf("\"%s\"", key));
	else if (!dbkit_owns_table(relid, GetUserId()))
		add_problem(annotations, PROBLEM_NOT_OWNED, psprintf("table \"%s\"", key));
	return annotated->word != NULL;
}

/* Refuse a value of another type. */
static void
refuse_value(const char *problem)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", problem),
			 errhint("Annotations are like {\"users\": {\"\": \"Who can sign in\", \"status\": \"active or suspended\"}}; null removes one.")));
}

/* Return the comment that a value stands for, NULL for none; as for COMMENT ON, the empty string is none. */
static const char *
comment_of(const Annotated *annotated, const char *column, const JsonbValue *value)
{
	if (value->type != jbvString && value->type != jbvNull)
		refuse_value(psprintf("the annotation of column \"%s\" of table \"%s\" is neither a string nor null", column, annotated->key));
	return value->type == jbvString && value->val.string.len > 0 ? dbkit_json_string(value) : NULL;
}

/* Note one comment that is to be set, if it is not what is there. */
static void
add_change(Annotations *annotations, const Annotated *annotated, const char *column, const char *comment)
{
	bool		on_relation = strcmp(column, ON_RELATION) == 0;
	AttrNumber	attnum = on_relation ? 0 : get_attnum(annotated->relid, column);
	const char *now;
	CommentChange *change;

	if (!on_relation && attnum <= 0)
	{
		add_problem(annotations, PROBLEM_UNKNOWN, psprintf("column \"%s\" of table \"%s\"", column, annotated->key));
		return;
	}
	now = GetComment(annotated->relid, RelationRelationId, attnum);
	if (now == comment || (now != NULL && comment != NULL && strcmp(now, comment) == 0))
		return;
	change = palloc(sizeof(CommentChange));
	change->comment = comment;
	change->object = on_relation ? psprintf("%s %s", annotated->word, annotated->name) :
		psprintf("COLUMN %s.%s", annotated->name, quote_identifier(column));
	annotations->changes = lappend(annotations->changes, change);
}

/* Read the annotations of one relation. */
static void
read_relation(Annotations *annotations, const char *key, const JsonbValue *columns)
{
	Annotated	annotated;
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	name;
	JsonbValue	value;

	if (columns->type != jbvBinary || !JsonContainerIsObject(columns->val.binary.data))
		refuse_value(psprintf("the annotations of table \"%s\" are not an object", key));
	if (!find_annotated(annotations, key, &annotated))
		return;
	it = JsonbIteratorInit(columns->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &name, true)) != WJB_DONE)
	{
		const char *column;

		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&it, &value, true);
		column = dbkit_json_string(&name);
		add_change(annotations, &annotated, column, comment_of(&annotated, column, &value));
	}
}

/* Read all annotations, and refuse those that cannot be set. */
static void
read_annotations(Annotations *annotations, Jsonb *json)
{
	JsonbIterator *it = JsonbIteratorInit(&json->root);
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	if (!JB_ROOT_IS_OBJECT(json))
		refuse_value("the annotations are not an object");
	while ((token = JsonbIteratorNext(&it, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&it, &value, true);
		read_relation(annotations, dbkit_json_string(&key), &value);
	}
	report_problems(annotations);
}

PG_FUNCTION_INFO_V1(dbkit_annotate);

/*
 * dbkit.annotate(annotations jsonb) returns bigint
 *
 * Sets the comments on tables and columns, all or none, and returns how many were another before.
 * Errors: undefined_object, ambiguous_alias, wrong_object_type, insufficient_privilege,
 * invalid_parameter_value, null_value_not_allowed.
 */
Datum
dbkit_annotate(PG_FUNCTION_ARGS)
{
	Annotations annotations = {0};
	ListCell   *lc;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("annotations must not be null")));
	read_annotations(&annotations, PG_GETARG_JSONB_P(0));
	SPI_connect();
	foreach(lc, annotations.changes)
	{
		const CommentChange *change = lfirst(lc);

		dbkit_run_utility(psprintf("COMMENT ON %s IS %s", change->object,
								   change->comment != NULL ? quote_literal_cstr(change->comment) : "NULL"));
	}
	SPI_finish();
	PG_RETURN_INT64(list_length(annotations.changes));
}
