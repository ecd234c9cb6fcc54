/*-------------------------------------------------------------------------
 *
 * openness.h
 *		For which rows the condition of a policy is true.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_OPENNESS_H
#define DBKIT_OPENNESS_H

typedef enum Openness
{
	OPEN_TO_SOME,				/* it depends on the row, as far as can be
								 * seen */
	OPEN_WITHOUT_CONTEXT,		/* for all while no tenant is set */
	OPEN_TO_ALL
} Openness;

extern Openness dbkit_openness(const char *stored);

#endif							/* DBKIT_OPENNESS_H */
