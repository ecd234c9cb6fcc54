/*-------------------------------------------------------------------------
 *
 * from_typed.h
 *		Read typed JSON value by value.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_FROM_TYPED_H
#define DBKIT_FROM_TYPED_H

#include "utils/jsonb.h"

#include "json/typed_type.h"

extern Datum dbkit_read_typed(TypedType *type, JsonbValue *json, int32 typmod, bool *isnull);

#endif							/* DBKIT_FROM_TYPED_H */
