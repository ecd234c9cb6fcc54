/*-------------------------------------------------------------------------
 *
 * description.h
 *		What there is to say of tables and views.
 *
 * Expressions are as PostgreSQL writes them.  What is missing is NULL or NIL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_DESCRIPTION_H
#define DBKIT_DESCRIPTION_H

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

typedef struct ColumnText
{
	char	   *name;
	char	   *type;
	bool		not_null;
	bool		identity;
	char	   *default_expression; /* without a cast to that type */
	char	   *generation;		/* of GENERATED ALWAYS AS (expression) */
	char	   *comment;
} ColumnText;

/* What the letters of pg_constraint mean, and one for an index that is no constraint */
#define KEY_CHECK		'c'
#define KEY_FOREIGN		'f'
#define KEY_PRIMARY		'p'
#define KEY_UNIQUE		'u'
#define KEY_EXCLUSION	'x'
#define KEY_INDEX		'i'

/* A constraint, or a unique index */
typedef struct KeyText
{
	char		type;			/* KEY_... */
	List	   *columns;		/* char *, without those in expressions */
	char	   *definition;		/* of a check, exclusion constraint or index */
	char	   *referenced;		/* of a foreign key: the name of the table */
	List	   *referenced_columns; /* char * */
	const char *on_delete;
} KeyText;

typedef struct PolicyText
{
	char	   *name;
	const char *command;
	bool		permissive;
	char	   *roles;
	char	   *using;
	char	   *with_check;
} PolicyText;

typedef struct Description
{
	char	   *name;			/* as annotations have it */
	char		relkind;
	char	   *comment;
	char	   *prefix;			/* of its ids */
	char	   *partition_key;
	char	   *partitions;		/* how many */
	bool		row_security;
	bool		forced;
	List	   *columns;		/* ColumnText * */
	List	   *keys;			/* KeyText * */
	List	   *policies;		/* PolicyText * */
	List	   *values;			/* char *, of an enum table */
	bool		more_values;
} Description;

/* A type that is an enum */
typedef struct EnumType
{
	char	   *name;
	List	   *values;			/* char * */
	char	   *comment;
} EnumType;

typedef struct Descriptions
{
	List	   *relations;		/* Description * */
	List	   *types;			/* EnumType * */
} Descriptions;

extern Descriptions *dbkit_read_descriptions(const Oid *schema);
extern const KeyText *dbkit_find_key(const Description *relation, char type, const List *columns);
extern void dbkit_write_markdown(StringInfo out, const Descriptions *descriptions);
extern void dbkit_write_mermaid(StringInfo out, const Descriptions *descriptions);

#endif							/* DBKIT_DESCRIPTION_H */
