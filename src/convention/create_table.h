/*-------------------------------------------------------------------------
 *
 * create_table.h
 *		Make a table as the agreement wants it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_CREATE_TABLE_H
#define DBKIT_CREATE_TABLE_H

extern bool dbkit_is_trying(void);

#endif							/* DBKIT_CREATE_TABLE_H */
