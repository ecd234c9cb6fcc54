/*-------------------------------------------------------------------------
 *
 * shape.h
 *		What a new row of a table has to look like.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_SHAPE_H
#define DBKIT_SHAPE_H

#include "access/attnum.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/* Where the value of a column comes from */
typedef enum Filling
{
	FILL_NOTHING,				/* null, unless something asks for a value */
	FILL_NULL,					/* null, because something asks for it */
	FILL_DEFAULT,				/* its default, or it is computed */
	FILL_VALUE,					/* a value that is made up, or a parent's key */
	FILL_GIVEN					/* it is known */
} Filling;

/* Longer texts are not made */
#define LONGEST_TEXT	1000000

/* What CHECKs, domains, lengths and partitions ask of a value */
typedef struct Limits
{
	bool		listed;			/* only these are allowed: */
	bool		chosen;			/* others would be, if a CHECK was met in
								 * another way */
	List	   *allowed;		/* char * */
	List	   *refused;		/* char * */
	double		low;			/* of numbers, and of times in microseconds
								 * since 2000 */
	double		high;
	bool		low_open;		/* and not that itself */
	bool		high_open;
	double		min_length;		/* of texts in characters, of arrays in
								 * elements */
	double		max_length;
	const char *like;			/* a pattern, or NULL */
	const char *regex;			/* a regular expression, or NULL */
	const char *id_prefix;		/* of ids as generate_id() makes them, or NULL */
	const char *json_type;		/* as jsonb_typeof() says it, or NULL */
	bool		upper;			/* in capital letters */
	int			rank;			/* greater than that of columns that are to be
								 * less */
} Limits;

/* A column in a new row */
typedef struct Slot
{
	AttrNumber	attnum;			/* 0 for one that was dropped */
	char	   *name;
	Oid			type;
	int32		typmod;
	Oid			base_type;		/* below all domains */
	int32		base_typmod;
	bool		not_null;
	bool		computed;		/* generated, or an identity */
	bool		identity;
	char	   *stored_default; /* as stored, or NULL */
	char	   *constant_default;	/* its value, or NULL where it is none */
	bool		volatile_default;	/* another one each time */
	Filling		filling;
	bool		overridden;		/* given by the caller */
	bool		distinct;		/* has to differ from row to row */
	AttrNumber	same_as;		/* the column that it has to equal, or 0 */
	Limits		limits;

	/* The values, once they are known: one for all rows, or one for each */
	JsonbValue *constant;
	char	  **values;
} Slot;

/* A CHECK, with what it says of which columns */
typedef struct Check
{
	char	   *name;
	Node	   *tree;			/* NULL where it cannot be read */
	AttrNumber	value_of;		/* the column of whose domain it is, or 0 */
	bool		read;			/* is every part of it understood? */
	bool		met;			/* can it be? */
} Check;

/* A unique index or exclusion constraint */
typedef struct UniqueKey
{
	char	   *name;
	Bitmapset  *columns;		/* with those that its expressions name */
	bool		nulls_count;	/* NULLS NOT DISTINCT */
	bool		expressions;
	bool		total;			/* says of every row that these columns differ */
	bool		single;			/* says that there is one row */
} UniqueKey;

typedef struct Reference
{
	char	   *name;
	Oid			schema;
	int			count;
	AttrNumber *columns;
	Oid			parent;
	AttrNumber *keys;			/* of the parent, parallel to columns */
	bool		full;			/* MATCH FULL */
	bool		deferrable;
	bool		deferred;
	bool		distinct;		/* each row needs a parent of its own */
	bool		made;			/* and that was made in this call */
	bool		base;			/* leads to the table of which this one is a
								 * subtype */
} Reference;

/* One of the ways in which a row can be made where CHECKs and keys leave several */
typedef struct Variant
{
	int			turn;			/* with which arm of an OR, or value of a
								 * list, to begin */
	bool		eager;			/* what is compared with something gets a
								 * value */
	bool		generous;		/* every column gets a value */
	bool		trusting;		/* triggers insert the row of the base */
	bool		linked;			/* every foreign key gets a value, also those
								 * of parents */
	int			specific;		/* parents that are bases are made by their
								 * n-th subtype, for 1 and more */
	Bitmapset  *wanted;			/* columns that get a value because an error
								 * names them */
} Variant;

typedef struct Shape
{
	Oid			relid;
	char	   *name;			/* qualified and quoted */
	char	   *bare_name;
	int			count;			/* of slots, which attnum - 1 counts */
	Slot	   *slots;
	List	   *checks;			/* Check * */
	List	   *uniques;		/* UniqueKey * */
	List	   *references;		/* Reference *, those with most columns first */
	bool		has_triggers;	/* of INSERT */
	List	   *deferred_triggers;	/* char *, of these those that wait for
									 * the end of the transaction */
	bool		is_subtype;		/* its key is also the one of a base */
	bool		has_unread;		/* a CHECK that is not understood */
	const struct Variant *variant;	/* which of several possible rows to make */
	int			choices;		/* how many there are, as far as is known */
} Shape;

#define dbkit_slot(shape, attnum)	(&(shape)->slots[(attnum) - 1])

extern Shape *dbkit_read_shape(Oid relid);
extern List *dbkit_enum_labels(Oid type);
extern Slot *dbkit_find_slot(const Shape *shape, const char *name);
extern void dbkit_limit_to_partition(Shape *shape);
extern void dbkit_meet_checks(Shape *shape);
extern Bitmapset *dbkit_columns_of_check(const Check *check);
extern List *dbkit_allowed_values(const Slot *slot);
extern char *dbkit_make_value(const Slot *slot, uint64 number);
extern char *dbkit_text_like(const char *like, const Limits *limits, uint64 number);
extern char *dbkit_text_matching(const char *regex, const Limits *limits, uint64 number);

#endif							/* DBKIT_SHAPE_H */
