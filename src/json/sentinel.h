/*-------------------------------------------------------------------------
 *
 * sentinel.h
 *		The objects that stand for what JSON has no form for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_SENTINEL_H
#define DBKIT_SENTINEL_H

#include "datatype/timestamp.h"
#include "utils/date.h"
#include "utils/jsonb.h"

/* The keys of such an object */
#define SENTINEL_KEY		"__sentinel"
#define VALUE_KEY			"value"
#define LOWER_BOUNDS_KEY	"lower_bounds"

/* What the first has in the log of changes, where a value is not to be known */
#define MASKED_NAME			"masked"

typedef enum Sentinel
{
	SENTINEL_NONE,				/* the value stands for itself */
	SENTINEL_TIMESTAMP,
	SENTINEL_DATE,
	SENTINEL_OBJECT,			/* JSON of the user that could be mistaken */
	SENTINEL_ARRAY				/* an array whose subscripts do not begin at 1 */
} Sentinel;

extern const char *dbkit_sentinel_name(Sentinel sentinel);
extern Sentinel dbkit_read_sentinel(const JsonbValue *json, JsonbValue *value);
extern bool dbkit_is_object(const JsonbValue *json);
extern bool dbkit_is_array(const JsonbValue *json);
extern bool dbkit_has_key(const JsonbValue *json, const char *key);
extern void dbkit_read_root(Jsonb *json, JsonbValue *value);
extern TimestampTz dbkit_read_timestamp(const JsonbValue *text);
extern DateADT dbkit_read_date(const JsonbValue *text);

#endif							/* DBKIT_SENTINEL_H */
