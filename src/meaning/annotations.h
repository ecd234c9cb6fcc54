/*-------------------------------------------------------------------------
 *
 * annotations.h
 *		The comments on tables and columns as data.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_ANNOTATIONS_H
#define DBKIT_ANNOTATIONS_H

/* What stands in place of a column's name for the comment on the table; no column has it */
#define ON_RELATION ""

#endif							/* DBKIT_ANNOTATIONS_H */
