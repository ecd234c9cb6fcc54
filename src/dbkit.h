/*-------------------------------------------------------------------------
 *
 * dbkit.h
 *		What the modules of dbkit share with each other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_H
#define DBKIT_H

#include "compat.h"

extern void dbkit_lock_init(void);

#endif							/* DBKIT_H */
