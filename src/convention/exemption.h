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

#include "convention/agreement.h"
#include "convention/findings.h"

typedef struct Exemption
{
	const char *object;			/* a name, or with % a LIKE pattern */
	const char *rule;
	const char *reason;
	bool		expires;
	TimestampTz expires_at;
	bool		builtin;
} Exemption;

extern List *dbkit_drop_exempt(List *findings, int from);
extern List *dbkit_drop_baseline(List *findings, int from);
extern List *dbkit_exemptions_on(const Facts *facts);
extern List *dbkit_all_exemptions(void);
extern bool dbkit_exemption_is_expired(const Exemption *exemption);
extern bool dbkit_exemption_covers(const Exemption *exemption, const Rule *rule);
extern bool dbkit_is_builtin_exemption(const char *object, const char *rule);
extern bool dbkit_is_pattern(const char *object);
extern bool dbkit_is_malformed_pattern(const char *object);
extern bool dbkit_is_like(const char *name, const char *pattern);
extern char *dbkit_object_name(const char *schema, const char *name);
extern List *dbkit_find_exemption_problems(const Agreement *agreement);

#endif							/* DBKIT_EXEMPTION_H */
