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

#endif							/* DBKIT_H */
