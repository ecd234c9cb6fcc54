/*-------------------------------------------------------------------------
 *
 * enforce.h
 *		Reject DDL that breaks the conventions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_ENFORCE_H
#define DBKIT_ENFORCE_H

extern void dbkit_enforce_init(void);

#endif							/* DBKIT_ENFORCE_H */
