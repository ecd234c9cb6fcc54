/*-------------------------------------------------------------------------
 *
 * ratchet.h
 *		Findings that were there before the transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_RATCHET_H
#define DBKIT_RATCHET_H

#include "convention/facts/catalogs.h"
#include "convention/judge.h"

typedef struct Ratchet
{
	Catalogs	before;			/* open once a finding has asked for it */
	Oid			model;			/* the partitioned table that the object was
								 * made LIKE, or InvalidOid */
} Ratchet;

extern List *dbkit_drop_known(Ratchet *ratchet, List *findings, int from, JudgeScope scope, bool *existed);
extern void dbkit_close_ratchet(Ratchet *ratchet);

#endif							/* DBKIT_RATCHET_H */
