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

/* context.c */
extern void dbkit_context_init(void);

#endif							/* DBKIT_H */
