/*-------------------------------------------------------------------------
 *
 * exemption.h
 *		Findings that somebody has a reason for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_EXEMPTION_H
#define DBKIT_EXEMPTION_H

#include "nodes/pg_list.h"

extern List *dbkit_drop_exempt(List *findings, int from);

#endif							/* DBKIT_EXEMPTION_H */
