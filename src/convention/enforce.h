/*-------------------------------------------------------------------------
 *
 * enforce.h
 *		Reject DDL that breaks the conventions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_ENFORCE_H
#define DBKIT_ENFORCE_H

extern bool dbkit_enforcement_is_disabled(void);
extern bool dbkit_changes_are_disabled(void);

#endif							/* DBKIT_ENFORCE_H */
