/*-------------------------------------------------------------------------
 *
 * commit.h
 *		Judge what a transaction changed before it commits.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_COMMIT_H
#define DBKIT_COMMIT_H

extern bool dbkit_is_fixing(void);
extern void dbkit_commit_init(void);

#endif							/* DBKIT_COMMIT_H */
