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

/* What kind of object is judged; a rule names the kinds it applies to. */
typedef enum ObjectKind
{
	KIND_TABLE = 1 << 0,		/* but those of the next kind */
	KIND_ENUM_TABLE = 1 << 1,	/* a table named *_enum */
	KIND_VIEW = 1 << 2,
	KIND_ENUM_TYPE = 1 << 3,
	KIND_DEFINER = 1 << 4,		/* a SECURITY DEFINER function */
	KIND_FUNCTION = 1 << 5,		/* any other function, or procedure */
	KIND_PARTITION = 1 << 6,	/* as such; of what else it is, its root
								 * answers.  Also a foreign table that is a
								 * child */
	KIND_MATERIALIZED_VIEW = 1 << 7,
	KIND_ROLE = 1 << 8			/* the agreement's customer_role; for
								 * dbkit.check() alone, as no event trigger
								 * fires for roles */
} ObjectKind;

/* What rules of the team can be about */
#define KIND_ANY	(~KIND_ROLE)

/*
 * What there is to know about an object.  The row of a rule names what the rule reads.
 * From these rows follows what is read of an object, and by which commands a rule can
 * be broken.
 */
typedef uint32 FactSet;

#define FACT_OBJECT			(1 << 0)	/* what need not be asked for: name,
										 * kind, options */
#define FACT_COLUMNS		(1 << 1)	/* with their defaults and domains */
#define FACT_KEY			(1 << 2)
#define FACT_CHECKS			(1 << 3)	/* those of the column "id" */
#define FACT_FOREIGN_KEYS	(1 << 4)
#define FACT_UNVALIDATED	(1 << 5)
#define FACT_INDEXES		(1 << 6)
#define FACT_TRIGGERS		(1 << 7)
#define FACT_POLICIES		(1 << 8)
#define FACT_ROW_SECURITY	(1 << 9)
#define FACT_COMMENTS		(1 << 10)	/* on the table and its columns */
#define FACT_PARENTS		(1 << 11)	/* what it is a partition or child of,
										 * and their row level security */
#define FACT_GRANTS			(1 << 12)	/* who may use it */
#define FACT_SOURCES		(1 << 13)	/* what a view reads, and the row
										 * level security of that */
#define FACT_ALL			((1 << 14) - 1)

/* What can be read of a partition, and of views of both kinds */
#define FACTS_OF_PARTITION	(FACT_OBJECT | FACT_ROW_SECURITY | FACT_POLICIES | FACT_PARENTS | FACT_GRANTS)
#define FACTS_OF_VIEW		(FACT_OBJECT | FACT_GRANTS | FACT_SOURCES)

/* The prefix of the ids comes from both */
#define FACT_PREFIX			(FACT_COLUMNS | FACT_CHECKS)

/* What happened to an object */
typedef struct Change
{
	FactSet		added;			/* something of the kind is new, and all else
								 * as it was */
	FactSet		changed;		/* anything else */
} Change;

#define ADDED(facts)		((Change) {(facts), 0})
#define CHANGED(facts)		((Change) {0, (facts)})
#define CHANGE_ALL			CHANGED(FACT_ALL)

typedef struct ColumnFacts
{
	AttrNumber	attnum;
	char	   *name;
	Oid			type;			/* as declared */
	int32		typmod;
	Oid			base_type;		/* the type below all domains */
	Oid			collation;
	bool		not_null;		/* by the column or its domain, and validated */
	bool		refuses_null;	/* likewise, or NOT VALID: in new rows only */
	bool		generated;		/* GENERATED ALWAYS AS (expression) */
	bool		identity;
	bool		inherited;		/* from a parent, which alone can rename it */
	char	   *expression;		/* of its default or that generates it, or
								 * NULL */
	List	   *domain_checks;	/* Node *, CHECKs of its domains */
	char	   *domain_default; /* of its type, a domain, as stored, or NULL */
} ColumnFacts;

typedef struct CheckFacts
{
	char	   *name;
	char	   *expression;
	bool		inherited;
} CheckFacts;

typedef struct ConstraintFacts
{
	char	   *name;
	List	   *columns;		/* attribute numbers */
} ConstraintFacts;

typedef struct IndexFacts
{
	Oid			oid;
	List	   *columns;		/* attribute numbers of the key, 0 for an
								 * expression */
	Oid			access_method;
	List	   *operator_classes;	/* OIDs, parallel to columns */
	List	   *collations;		/* OIDs, parallel to columns */
	List	   *options;		/* INDOPTION_* bits, parallel to columns */
	List	   *included;		/* attribute numbers of INCLUDE */
	bool		unique;
	bool		immediate;		/* uniqueness is not deferrable */
	bool		nulls_not_distinct;
	bool		constraint;		/* backs a constraint, or is the replica
								 * identity, or what CLUSTER goes by */
	bool		valid;
	bool		usable;			/* valid, and of all rows */
	List	   *not_null;		/* valid, and of all rows but those where one
								 * of these columns is null, or NIL */
} IndexFacts;

typedef struct ForeignKeyFacts
{
	Oid			oid;
	char	   *name;
	List	   *columns;		/* attribute numbers */
	Oid			referenced;
	List	   *referenced_columns; /* parallel to columns */
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
	List	   *roles;			/* OIDs, ACL_ID_PUBLIC alone for all */
	char	   *using;			/* the expressions as stored, or NULL */
	char	   *with_check;
} PolicyFacts;

/* What is read as the rules ask for it; see the functions below */
typedef struct FactsRead
{
	List	   *columns;		/* ColumnFacts *, without dropped ones */
	List	   *key;			/* attribute numbers of the primary key */
	List	   *checks;			/* CheckFacts *, enforced ones of the column
								 * "id" */
	List	   *foreign_keys;	/* ForeignKeyFacts *, enforced ones */
	List	   *unvalidated;	/* ConstraintFacts *, those that are NOT VALID */
	List	   *indexes;		/* IndexFacts * */
	List	   *triggers;		/* TriggerFacts *, as RowReader gives them */
	bool		triggers_complete;
	List	   *policies;		/* PolicyFacts * */
	List	   *parents;		/* OIDs */
	bool		rls_enabled;
	bool		rls_forced;

	/* The prefix of its ids, and where it is said; NULL for none */
	char	   *prefix;
	char	   *default_prefix;
	List	   *check_prefixes; /* char *, parallel to check_names */
	List	   *check_names;	/* char *, NULL where DROP CONSTRAINT will not
								 * do */

	/*
	 * OIDs of the table and all below it, and a RowTypeUse, once somebody
	 * asked
	 */
	List	   *members;
	int			row_type_use;
	bool		row_type_use_known;
} FactsRead;

struct Catalogs;

typedef struct Facts
{
	const struct Catalogs *catalogs;	/* of which state they are */
	Oid			classid;
	Oid			objid;
	ObjectKind	kind;
	Oid			owner;
	char	   *schema;			/* empty for a role, which is in none */
	char	   *name;
	Oid			index;			/* the only one that changed, if nothing else
								 * did */
	char	   *signature;		/* of a function: its qualified name with
								 * arguments */
	char	   *search_path;	/* of a function, or NULL */
	bool		procedure;		/* of a function: it is one that can COMMIT */
	bool		late_names;		/* of a function: it looks names up when it
								 * runs */
	bool		detached;		/* a partition until this statement */
	bool		partition;		/* is it one, or was it before the transaction */
	bool		partitioned;
	bool		foreign_table;	/* one that is a partition or child */
	bool		typed;			/* CREATE TABLE ... OF type */
	bool		security_invoker;
	FactSet		visible;		/* read, and named by the rule that judges */
	FactsRead	read;
} Facts;

pg_noreturn extern void dbkit_refuse_facts(const Facts *facts, FactSet wanted);

/*
 * Ensure that what is asked for has been read, and that the row of the rule which
 * asks names it: a command that changes only that would not have the rule judged.
 */
static inline void
dbkit_require_facts(const Facts *facts, FactSet wanted)
{
	if (unlikely((facts->visible & wanted) != wanted))
		dbkit_refuse_facts(facts, wanted);
}

#define DEFINE_FACTS(type, name, set) \
static inline type \
dbkit_facts_##name(const Facts *facts) \
{ \
	dbkit_require_facts(facts, set); \
	return facts->read.name; \
}

DEFINE_FACTS(List *, columns, FACT_COLUMNS)
DEFINE_FACTS(List *, key, FACT_KEY)
DEFINE_FACTS(List *, foreign_keys, FACT_FOREIGN_KEYS)
DEFINE_FACTS(List *, unvalidated, FACT_UNVALIDATED)
DEFINE_FACTS(List *, indexes, FACT_INDEXES)
DEFINE_FACTS(List *, policies, FACT_POLICIES)
DEFINE_FACTS(List *, parents, FACT_PARENTS)
DEFINE_FACTS(bool, rls_enabled, FACT_ROW_SECURITY)
DEFINE_FACTS(bool, rls_forced, FACT_ROW_SECURITY)
DEFINE_FACTS(char *, prefix, FACT_PREFIX)
DEFINE_FACTS(char *, default_prefix, FACT_PREFIX)
DEFINE_FACTS(List *, check_prefixes, FACT_PREFIX)
DEFINE_FACTS(List *, check_names, FACT_PREFIX)

extern const ColumnFacts *dbkit_facts_column(const Facts *facts, const char *name);
extern const ColumnFacts *dbkit_facts_listed_column(const Facts *facts, const List *names);
extern const ColumnFacts *dbkit_facts_column_at(const Facts *facts, AttrNumber attnum);
extern char *dbkit_facts_column_names(const Facts *facts, const List *attnums);
extern const char *dbkit_facts_identity(const Facts *facts);
extern const char *dbkit_kind_name(ObjectKind kind);
extern int	dbkit_find_kind(const char *name);
extern char *dbkit_list_kinds(int some);

#endif							/* DBKIT_FACTS_H */
