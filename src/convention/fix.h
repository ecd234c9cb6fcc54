/*-------------------------------------------------------------------------
 *
 * fix.h
 *		Fix what is at level "fix".
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_FIX_H
#define DBKIT_FIX_H

#include "nodes/pg_list.h"

extern bool dbkit_run_fixes(List **findings, bool *failed);

#endif							/* DBKIT_FIX_H */
