/*-------------------------------------------------------------------------
 *
 * id.h
 *		What the rest of dbkit uses of ids.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_ID_H
#define DBKIT_ID_H

#include "fmgr.h"

#define DBKIT_PREFIX_MAX_LEN	63	/* of an id (TypeID v0.3) */

extern Datum dbkit_generate_id(PG_FUNCTION_ARGS);
extern Datum dbkit_id_prefix(PG_FUNCTION_ARGS);
extern uint64 dbkit_random_bits(void);
extern bool dbkit_is_prefix(const char *prefix);
extern bool dbkit_is_prefixed_id(text *value);

#endif							/* DBKIT_ID_H */
