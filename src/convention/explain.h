/*-------------------------------------------------------------------------
 *
 * explain.h
 *		Why a rule exists.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_EXPLAIN_H
#define DBKIT_EXPLAIN_H

extern char *dbkit_explain_why(const char *rule);

#endif							/* DBKIT_EXPLAIN_H */
