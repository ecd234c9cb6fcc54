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
	KIND_TABLE = 1 << 0,
	KIND_ENUM_TABLE = 1 << 1,	/* a table named *_enum */
	KIND_VIEW = 1 << 2,
	KIND_ENUM_TYPE = 1 << 3
} ObjectKind;

typedef struct ColumnFacts
{
	AttrNumber	attnum;
	char	   *name;
	Oid			type;			/* as declared */
	Oid			base_type;		/* the type below all domains */
	Oid			collation;
	bool		not_null;		/* by the column or its domain */
	bool		inherited;		/* its type is the parent's to change */
	Node	   *default_expr;	/* the column's or its domain's, or NULL */
	List	   *domain_checks;	/* Node *, CHECKs of its domains */
	Oid			sequence;		/* owned by the column, or InvalidOid */
} ColumnFacts;

typedef struct CheckFacts
{
	char	   *name;
	Node	   *expr;
} CheckFacts;

typedef struct Facts
{
	Oid			classid;
	Oid			objid;
	ObjectKind	kind;
	char	   *schema;
	char	   *name;
	bool		partitioned;
	bool		typed;			/* CREATE TABLE ... OF type */
	bool		security_invoker;
	List	   *columns;		/* ColumnFacts *, without dropped ones */
	List	   *checks;			/* CheckFacts * */
	List	   *key;			/* attribute numbers of the primary key */

	/* The prefix of its ids, and where it is said; NULL for none */
	char	   *prefix;
	char	   *default_prefix;
	List	   *check_prefixes; /* char *, parallel to check_names */
	List	   *check_names;	/* char *, NULL for a domain's CHECK */
} Facts;

extern Facts *dbkit_facts(Oid classid, Oid objid);
extern const ColumnFacts *dbkit_facts_column(const Facts *facts, const char *name);
extern const char *dbkit_facts_identity(const Facts *facts);
extern bool dbkit_ends_with(const char *name, const char *suffix);
extern const char *dbkit_kind_name(ObjectKind kind);

#endif							/* DBKIT_FACTS_H */
