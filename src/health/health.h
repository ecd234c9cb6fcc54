/*-------------------------------------------------------------------------
 *
 * health.h
 *		Is this server, and this database, as it should be: dbkit.health.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_HEALTH_H
#define DBKIT_HEALTH_H

#include "nodes/pg_list.h"

/* What a check measures */
typedef enum HealthUnit
{
	UNIT_COUNT,
	UNIT_PERCENT,
	UNIT_SECONDS,
	UNIT_BYTES
} HealthUnit;

/* What a check found: all zero where there is nothing to say */
typedef struct Measurement
{
	double		number;
	const char *value;			/* in other words than the number, or NULL */
	const char *detail;			/* about the worst of what was found, or NULL */
	bool		incomplete;		/* the caller may not see all of it */
} Measurement;

typedef struct HealthCheck
{
	const char *name;
	HealthUnit	unit;
	const char *limits;			/* as dbkit.health_thresholds would have them */
	const char *sql;			/* gives a row of number, detail and perhaps
								 * value, or no row */
	void		(*measure) (Measurement *result);	/* instead of SQL */
	bool		of_sessions;	/* pg_stat_activity shows each role its own */
	const char *advice;			/* what to do about it */
} HealthCheck;

/* What is worth a warning, and what is worse */
typedef struct HealthLimits
{
	const char *text;
	double		warning;		/* infinity for never */
	double		critical;
} HealthLimits;

extern const int dbkit_n_health_checks;
extern const HealthCheck dbkit_server_checks[];
extern const int dbkit_n_server_checks;
extern const HealthCheck dbkit_own_checks[];
extern const int dbkit_n_own_checks;

extern const HealthCheck *dbkit_find_health_check(const char *name);
extern HealthLimits dbkit_health_limits(const HealthCheck *check);
extern char *dbkit_write_quantity(HealthUnit unit, double number);
extern void dbkit_measure_sequences(Measurement *result);
extern void dbkit_measure_audit_seal(Measurement *result);
extern void dbkit_measure_audit_months(Measurement *result);
extern void dbkit_thresholds_init(void);

#endif							/* DBKIT_HEALTH_H */
