/*-------------------------------------------------------------------------
 *
 * facts.h
 *		What the rules may know about one relation or type.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_FACTS_H
#define DBKIT_FACTS_H

#include "access/attnum.h"
#include "nodes/nodes.h"
#include "nodes/pg_list.h"

#include "rows.h"

/* What kind of object is judged; a rule names the kinds it applies to. */
typedef enum ObjectKind
{
	KIND_TABLE = 1 << 0,
	KIND_ENUM_TABLE = 1 << 1,	/* a table named *_enum */
	KIND_VIEW = 1 << 2,
	KIND_ENUM_TYPE = 1 << 3,
	KIND_INDEX = 1 << 4,		/* a table, of which one index matters */
	KIND_FUNCTION = 1 << 5		/* only SECURITY DEFINER ones */
} ObjectKind;

/* How much to read: what statement rules look at, or what any rule does */
typedef enum FactsExtent
{
	FACTS_STATEMENT,
	FACTS_ALL
} FactsExtent;

typedef struct ColumnFacts
{
	AttrNumber	attnum;
	char	   *name;
	Oid			type;			/* as declared */
	Oid			base_type;		/* the type below all domains */
	Oid			collation;
	bool		not_null;		/* by the column or its domain, and validated */
	bool		refuses_null;	/* likewise, or NOT VALID: in new rows only */
	bool		generated;		/* GENERATED ALWAYS AS (expression) */
	bool		identity;
	bool		inherited;		/* from a parent, which alone can rename it */
	char	   *expression;		/* of its default or that generates it, or NULL */
	List	   *domain_checks;	/* Node *, CHECKs of its domains */
	char	   *domain_default; /* of its type, a domain, as stored, or NULL */
} ColumnFacts;

typedef struct CheckFacts
{
	char	   *name;
	char	   *expression;
	bool		inherited;
} CheckFacts;

typedef struct IndexFacts
{
	Oid			oid;
	List	   *columns;		/* attribute numbers of the key, 0 for an expression */
	Oid			access_method;
	List	   *operator_classes;	/* OIDs, parallel to columns */
	List	   *collations;		/* OIDs, parallel to columns */
	List	   *options;		/* INDOPTION_* bits, parallel to columns */
	List	   *included;		/* attribute numbers of INCLUDE */
	bool		unique;
	bool		immediate;		/* uniqueness is not deferrable */
	bool		nulls_not_distinct;
	bool		constraint;		/* backs a constraint, or is the replica identity */
	bool		usable;			/* valid, and of all rows */
} IndexFacts;

typedef struct ForeignKeyFacts
{
	Oid			oid;
	char	   *name;
	List	   *columns;		/* attribute numbers */
	Oid			referenced;
	char		match_type;		/* as in pg_constraint */
	char		update_action;
	char		delete_action;
	bool		deferrable;
	bool		deferred;
	bool		period;			/* of a temporal table */
} ForeignKeyFacts;

typedef struct TriggerFacts
{
	char	   *name;
	Oid			function;
	int16		type;			/* TRIGGER_TYPE_* bits */
	bool		some_columns;	/* UPDATE OF ... */
	char	   *condition;		/* WHEN (...) as stored, or NULL */
	char	   *argument;		/* the first one, or NULL */
	bool		enabled;
} TriggerFacts;

typedef struct PolicyFacts
{
	char	   *name;
	char		command;		/* '*', 'r', 'a', 'w' or 'd' */
	bool		permissive;
	bool		for_all_roles;	/* TO PUBLIC */
	char	   *using;			/* the expressions as stored, or NULL */
	char	   *with_check;
} PolicyFacts;

typedef struct Facts
{
	Oid			classid;
	Oid			objid;
	ObjectKind	kind;
	Oid			owner;
	char	   *schema;
	char	   *name;
	Oid			index;			/* the one that matters, for KIND_INDEX */
	char	   *signature;		/* of a function: its qualified name with arguments */
	char	   *search_path;	/* of a function, or NULL */
	bool		detached;		/* a partition until this statement */
	bool		partitioned;
	bool		typed;			/* CREATE TABLE ... OF type */
	bool		security_invoker;
	List	   *columns;		/* ColumnFacts *, without dropped ones */
	List	   *checks;			/* CheckFacts *, enforced ones of the column "id" */
	List	   *key;			/* attribute numbers of the primary key */
	List	   *indexes;		/* IndexFacts * */
	bool		rls_enabled;
	bool		rls_forced;
	List	   *foreign_keys;	/* ForeignKeyFacts *, enforced ones */
	List	   *unvalidated;	/* char *, constraints that are NOT VALID */

	/* Only with FACTS_ALL */
	List	   *triggers;		/* TriggerFacts *; see dbkit_all_triggers() */
	List	   *policies;		/* PolicyFacts * */

	/* The prefix of its ids, and where it is said; NULL for none */
	char	   *prefix;
	char	   *default_prefix;
	List	   *check_prefixes; /* char *, parallel to check_names */
	List	   *check_names;	/* char *, NULL where DROP CONSTRAINT will not do */
} Facts;

/* Does a name end with that suffix? */
static inline bool
dbkit_ends_with(const char *name, const char *suffix)
{
	size_t		length = strlen(name);
	size_t		suffix_length = strlen(suffix);

	return length >= suffix_length &&
		memcmp(name + length - suffix_length, suffix, suffix_length) == 0;
}

extern Facts *dbkit_facts(Oid classid, Oid objid, FactsExtent extent);
extern Facts *dbkit_read_facts(RowReader *reader, Oid classid, Oid objid, FactsExtent extent);
extern const ColumnFacts *dbkit_facts_column(const Facts *facts, const char *name);
extern const ColumnFacts *dbkit_facts_column_at(const Facts *facts, AttrNumber attnum);
extern char *dbkit_facts_column_names(const Facts *facts, const List *attnums);
extern const char *dbkit_facts_identity(const Facts *facts);
extern const char *dbkit_identity_of(Oid relid);
extern char *dbkit_name_of(Oid relid);
extern bool dbkit_is_index(Oid relid);
extern const char *dbkit_kind_name(ObjectKind kind);

/* facts_table.c */
extern void dbkit_read_table(Facts *facts, RowReader *reader, FactsExtent extent);
extern bool dbkit_column_has_default(const ColumnFacts *column);
extern Node *dbkit_column_default(const ColumnFacts *column);
extern bool dbkit_column_type_is_fixed(const Facts *facts, const ColumnFacts *column);
extern List *dbkit_all_triggers(Oid relid);
extern Oid	dbkit_column_sequence(const Facts *facts, const ColumnFacts *column);

#endif							/* DBKIT_FACTS_H */
