/*-------------------------------------------------------------------------
 *
 * to_typed.h
 *		Write typed JSON value by value.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_TO_TYPED_H
#define DBKIT_TO_TYPED_H

#include "utils/jsonb.h"

#include "json/typed_type.h"

/* The JSON that is being written */
typedef struct TypedWriter
{
	JsonbParseState *state;
	JsonbValue *result;			/* of what was written last */
	const char *column;			/* that is being written, for errors */
	bool		any_time;		/* write a time that typed JSON does not have
								 * as the text that it has in SQL */
} TypedWriter;

extern void dbkit_begin_typed(TypedWriter *writer, JsonbIteratorToken token);
extern void dbkit_write_typed(TypedWriter *writer, const char *key, TypedType *type, Datum value, bool isnull);
extern void dbkit_write_masked(TypedWriter *writer, const char *key);
extern Jsonb *dbkit_end_typed(TypedWriter *writer, JsonbIteratorToken token);

#endif							/* DBKIT_TO_TYPED_H */
