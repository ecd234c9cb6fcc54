/*-------------------------------------------------------------------------
 *
 * pairs.h
 *		Read a setting that is a list of name=value.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_PAIRS_H
#define DBKIT_PAIRS_H

extern bool dbkit_next_pair(char **rest, char **name, char **value);

#endif							/* DBKIT_PAIRS_H */
