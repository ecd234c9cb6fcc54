/*-------------------------------------------------------------------------
 *
 * causes.h
 *		One cause, one finding.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_CAUSES_H
#define DBKIT_CAUSES_H

#include "convention/findings.h"

extern List *dbkit_merge_causes(List *findings, int from);
extern List *dbkit_drop_pointless(List *findings, int from);

#endif							/* DBKIT_CAUSES_H */
