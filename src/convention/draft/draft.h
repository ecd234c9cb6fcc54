/*-------------------------------------------------------------------------
 *
 * draft.h
 *		A table as it should be: read from the catalog, revised, written as SQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_DRAFT_H
#define DBKIT_DRAFT_H

#include "lib/stringinfo.h"

#include "context/tenant_columns.h"
#include "convention/facts/catalogs.h"
#include "convention/findings.h"

typedef struct DraftColumn
{
	AttrNumber	attnum;			/* 0 where the catalog has no such column */
	const char *name;
	const char *later_name;		/* the name that a statement of "additions"
								 * gives it, or NULL */
	const char *catalog_name;	/* the name that the catalog has, or NULL */
	const char *type;			/* with its collation; of an added column all
								 * that follows its name */
	Oid			base_type;		/* InvalidOid of an added column */
	Oid			catalog_type;	/* what that is in the catalog */
	const char *value;			/* the clause DEFAULT or GENERATED, or NULL */
	Oid			value_type;		/* of a default, or InvalidOid */
	Node	   *expression;		/* that it is generated from, or NULL */
	const char *instant;		/* the default, where it is a time without
								 * time zone that was made from one with */
	bool		generated;
	bool		identity;
	bool		serial;
	bool		not_null;
	bool		inherited;		/* the parent says what it is */
	bool		retyped;
	bool		revised;
	List	   *settings;		/* char *, actions of ALTER COLUMN */
} DraftColumn;

typedef struct DraftConstraint
{
	Oid			oid;			/* InvalidOid where the catalog has none */
	const char *name;			/* as in the catalog, or NULL */
	bool		chosen;			/* PostgreSQL would choose that name */
	char		type;			/* as in pg_constraint */
	List	   *columns;		/* DraftColumn *, NULL for an expression */
	Oid			referenced;
	List	   *referenced_attnums;
	const char *definition;
	List	   *expressions;	/* Node *, of a CHECK or an index */
	const char *comment;
	bool		dropped;
} DraftConstraint;

/* A statement of the catalog that comes after the table */
typedef struct DraftStatement
{
	char	   *sql;
	AttrNumber	leading;		/* the first column of an index, or 0 */
	List	   *expressions;	/* Node *, of an index and its condition */
	List	   *own_classes;	/* attribute numbers of the columns with an
								 * operator class that is not the default one */
} DraftStatement;

typedef struct Draft
{
	const Facts *facts;
	List	   *columns;		/* DraftColumn * */
	List	   *constraints;	/* DraftConstraint * */
	const char *persistence;	/* "UNLOGGED " or "" */
	const char *clauses;		/* all that follows the columns */
	List	   *partition_key;	/* attribute numbers, 0 for an expression or
								 * where it compares in a way of its own */
	Bitmapset  *mentioned;		/* the columns that "clauses" and "statements"
								 * name, as pull_varattnos() has them */
	bool		renamable;		/* all that names columns is known */
	List	   *prerequisites;	/* char *, statements before it */
	List	   *statements;		/* DraftStatement * */
	List	   *additions;		/* char *, statements after those */
	List	   *left_out;		/* char *, what there is no place for */
	const char *obstacle;		/* why it cannot be written, or NULL */
} Draft;

extern Draft *dbkit_draft_of_catalog(const Facts *facts);
extern void dbkit_revise_draft(Draft *draft, const List *findings);
extern char *dbkit_chosen_name(const Facts *table, const DraftConstraint *constraint);
extern DraftColumn *dbkit_draft_column(const Draft *draft, const char *name);
extern DraftColumn *dbkit_draft_column_at(const Draft *draft, AttrNumber attnum);
extern DraftColumn *dbkit_draft_own_column(Draft *draft, const char *name);
extern void dbkit_draft_note_obstacle(Draft *draft, char *reason);
extern void dbkit_draft_leave_out(Draft *draft, const char *what, const char *why);
extern void dbkit_draft_add_after(Draft *draft, const char *statement);
extern char *dbkit_draft_list_columns(const List *columns);
extern const DraftColumn *dbkit_draft_find_tenant_column(const Draft *draft, TenantKind kind);
extern char *dbkit_draft_write_index(const Draft *draft, const char *columns);
extern void dbkit_draft_drop_index(Draft *draft, const char *columns);
extern void dbkit_draft_add_referenced_key(Draft *draft, const Action *action);
extern void dbkit_draft_replace_key(Draft *draft, const Action *action);
extern void dbkit_draft_set_type(Draft *draft, const Action *action);
extern bool dbkit_is_similar_type(Oid type, Oid other);
extern const char *dbkit_draft_tenant_column(const Draft *draft, TenantKind kind);
extern bool dbkit_draft_isolates(const Draft *draft);
extern char *dbkit_policy_text(const Draft *draft);
extern List *dbkit_draft_additions(const Draft *draft, const Catalogs *before, const List *findings);
extern List *dbkit_draft_catalog_columns(const Draft *draft);
extern void dbkit_note_query(const Node *statement);
extern char *dbkit_write_rows(const Node *statement, Draft *draft);
extern char *dbkit_other_view_options(Oid view);
extern void dbkit_write_draft(StringInfo sql, const Draft *draft, const char *rows);
extern void dbkit_write_foreign_keys(StringInfo sql, const Draft *draft);
extern void dbkit_write_additions(StringInfo sql, const Draft *draft, const Catalogs *before);

#endif							/* DBKIT_DRAFT_H */
