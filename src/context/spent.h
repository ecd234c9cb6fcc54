/*-------------------------------------------------------------------------
 *
 * spent.h
 *		Remember which sent contexts are over on this server.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_SPENT_H
#define DBKIT_SPENT_H

#include "datatype/timestamp.h"

extern bool dbkit_is_spent(uint64 nonce, TimestampTz sent);
extern void dbkit_spend(uint64 nonce);
extern void dbkit_spent_init(void);

#endif							/* DBKIT_SPENT_H */
