/*-------------------------------------------------------------------------
 *
 * agreement_json.h
 *		Read and build the JSON of the agreement.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_AGREEMENT_JSON_H
#define DBKIT_AGREEMENT_JSON_H

#include "utils/jsonb.h"

extern Jsonb *dbkit_make_json(const char *text);
extern Jsonb *dbkit_merge_json(Jsonb *target, Jsonb *patch);
extern bool dbkit_json_value(Jsonb *object, const char *key, JsonbValue *value);
extern Jsonb *dbkit_json_object(Jsonb *object, const char *key);
extern char *dbkit_json_string(const JsonbValue *value);
extern void dbkit_push_string(JsonbParseState **state, JsonbIteratorToken token, const char *string);

#endif							/* DBKIT_AGREEMENT_JSON_H */
