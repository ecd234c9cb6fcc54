/*-------------------------------------------------------------------------
 *
 * exemption.h
 *		Findings that somebody has a reason for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_EXEMPTION_H
#define DBKIT_EXEMPTION_H

#include "datatype/timestamp.h"

#include "convention/findings.h"

typedef struct Exemption
{
	char	   *object;
	char	   *rule;
	Datum		reason;
	bool		expires;
	TimestampTz expires_at;
	bool		builtin;
} Exemption;

extern List *dbkit_drop_exempt(List *findings, int from);
extern List *dbkit_exemptions_on(const Facts *facts);
extern List *dbkit_all_exemptions(void);
extern bool dbkit_exemption_is_expired(const Exemption *exemption);
extern bool dbkit_exemption_covers(const Exemption *exemption, const Rule *rule);
extern char *dbkit_exempt_name(const Facts *facts);
extern char *dbkit_exact_pattern(const char *name);

#endif							/* DBKIT_EXEMPTION_H */
