/*-------------------------------------------------------------------------
 *
 * agree.h
 *		Change the agreement.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_AGREE_H
#define DBKIT_AGREE_H

#include "convention/agreement.h"

extern List *dbkit_find_agreement_problems(const Agreement *agreement);
extern Jsonb *dbkit_begin_agreement_change(void);
extern void dbkit_end_agreement_change(Jsonb *agreement);
extern void dbkit_lock_agreement(void);
extern void dbkit_rewrite_agreement(Jsonb *agreement);

#endif							/* DBKIT_AGREE_H */
