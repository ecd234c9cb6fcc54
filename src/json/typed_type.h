/*-------------------------------------------------------------------------
 *
 * typed_type.h
 *		What a type looks like as typed JSON.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_TYPED_TYPE_H
#define DBKIT_TYPED_TYPE_H

#include "access/tupdesc.h"
#include "fmgr.h"

typedef enum TypedKind
{
	TYPED_TEXT,					/* a string: what the type's output function
								 * writes */
	TYPED_BOOLEAN,
	TYPED_NUMBER,
	TYPED_TIMESTAMP,			/* timestamptz */
	TYPED_DATE,
	TYPED_JSON,					/* json and jsonb: as it is */
	TYPED_ARRAY,
	TYPED_COMPOSITE				/* an object with its columns */
} TypedKind;

typedef struct TypedType
{
	Oid			type;			/* below all domains */
	int32		typmod;			/* that the domains give it, or -1 */
	Oid			domain;			/* InvalidOid if it is none */
	TypedKind	kind;
	MemoryContext context;		/* where it is kept */

	/* For what is no array and no composite type */
	bool		names_object;	/* regclass and its like, whose text depends
								 * on the search path */
	FmgrInfo	output;
	FmgrInfo	input;			/* looked up when it is first used */
	Oid			input_parameter;
	void	   *domain_check;	/* of domain_check() */

	/* For TYPED_ARRAY */
	struct TypedType *element;
	int16		length;
	bool		by_value;
	char		alignment;

	/* For TYPED_COMPOSITE */
	MemoryContext columns_context;
	uint64		version;		/* of the columns */
	TupleDesc	columns;
	struct TypedType **column_types;	/* NULL for dropped columns */
} TypedType;

extern TypedType *dbkit_typed_type(Oid type, MemoryContext context);
extern void dbkit_load_columns(TypedType *type, Oid row_type, int32 row_typmod);
extern TypedType *dbkit_typed_argument(FunctionCallInfo fcinfo, int argument);
extern int	dbkit_use_fixed_settings(void);
extern char *dbkit_output_text(TypedType *type, Datum value);

#endif							/* DBKIT_TYPED_TYPE_H */
