/*-------------------------------------------------------------------------
 *
 * thresholds.c
 *		From which number on a check is a warning, and from which it is critical.
 *
 * "80%/95%" is both, "off" is never.  dbkit.health_thresholds has a list of them,
 * each behind the name of its check.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/guc.h"

#include "common.h"
#include "health/health.h"
#include "pairs.h"

#define OFF	"off"

static char *thresholds;

/* How a number of each unit is written in the setting; durations and sizes as in any other */
static const struct
{
	int			flags;
	const char *suffix;
	const char *example;
}			units[] = {
	[UNIT_COUNT] = {0, "", "1/10"},
	[UNIT_PERCENT] = {0, "%", "80%/95%"},
	[UNIT_SECONDS] = {GUC_UNIT_S, "", "5min/1h"},
	[UNIT_BYTES] = {GUC_UNIT_BYTE, "", "100MB/1GB"},
};

/* Read one limit; false where it is none. */
static bool
read_limit(HealthUnit unit, char *text, double *limit)
{
	const char *suffix = units[unit].suffix;

	*limit = get_float8_infinity();
	if (strcmp(text, OFF) == 0)
		return true;
	if (suffix[0] != '\0' && dbkit_ends_with(text, suffix))
		text[strlen(text) - strlen(suffix)] = '\0';
	return parse_real(text, limit, units[unit].flags, NULL) && *limit > 0 && !isinf(*limit);
}

/* Read "WARNING/CRITICAL" or "off"; return what is wrong, or NULL. */
static char *
read_limits(const HealthCheck *check, const char *text, HealthLimits *limits)
{
	char	   *warning = pstrdup(text);
	char	   *critical = strchr(warning, '/');
	bool		off = strcmp(text, OFF) == 0;

	if (critical != NULL)
		*critical++ = '\0';
	if ((critical == NULL && !off) || !read_limit(check->unit, warning, &limits->warning) ||
		!read_limit(check->unit, off ? pstrdup(OFF) : critical, &limits->critical))
		return psprintf("The limits of \"%s\" have to be those for a warning and for critical, such as %s, or %s, not \"%s\".",
						check->name, units[check->unit].example, OFF, text);
	if (limits->critical < limits->warning && !isinf(limits->warning))
		return psprintf("The limit of \"%s\" for critical is below that for a warning: \"%s\".", check->name, text);
	limits->text = pstrdup(text);
	return NULL;
}

/* Read what a list says of one check, or of all for NULL; return what is wrong, or NULL. */
static char *
read_list(const char *text, const HealthCheck *wanted, HealthLimits *limits)
{
	char	   *rest = dbkit_is_blank(text) ? NULL : pstrdup(text);
	char	   *name;
	char	   *value;

	while (dbkit_next_pair(&rest, &name, &value))
	{
		const HealthCheck *check = dbkit_find_health_check(name);
		char	   *problem = NULL;

		if (value == NULL)
			return psprintf("\"%s\" is not of the form check=warning/critical.", name);
		if (check == NULL)
			return psprintf("There is no check \"%s\".", name);
		if (wanted == NULL || wanted == check)
			problem = read_limits(check, value, limits);
		if (problem != NULL)
			return problem;
	}
	return NULL;
}

/* Return the limits of a check. */
HealthLimits
dbkit_health_limits(const HealthCheck *check)
{
	HealthLimits limits;

	if (read_limits(check, check->limits, &limits) != NULL)
		elog(ERROR, "wrong limits of the check \"%s\"", check->name);
	(void) read_list(thresholds, check, &limits);
	return limits;
}

static bool
check_thresholds(char **newval, void **extra pg_attribute_unused(), GucSource source pg_attribute_unused())
{
	HealthLimits limits;
	char	   *problem = read_list(*newval, NULL, &limits);

	if (problem != NULL)
		GUC_check_errdetail("%s", problem);
	return problem == NULL;
}

/* Write durations in their two largest units. */
static char *
write_seconds(double seconds)
{
	static const struct
	{
		const char *name;
		double		seconds;
	}			sizes[] = {{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}};
	size_t		i = 0;

	while (i < lengthof(sizes) - 1 && seconds < sizes[i].seconds)
		i++;
	if (i == lengthof(sizes) - 1)
		return psprintf("%.0f s", floor(seconds));
	return psprintf("%.0f %s %.0f %s", floor(seconds / sizes[i].seconds), sizes[i].name,
					floor(fmod(seconds, sizes[i].seconds) / sizes[i + 1].seconds), sizes[i + 1].name);
}

/* Write a number of a unit for people. */
char *
dbkit_write_quantity(HealthUnit unit, double number)
{
	if (unit == UNIT_SECONDS)
		return write_seconds(number);
	if (unit == UNIT_BYTES)
		return TextDatumGetCString(DirectFunctionCall1(pg_size_pretty, Int64GetDatum((int64) number)));
	return psprintf(unit == UNIT_PERCENT ? "%.1f%%" : "%.0f", number);
}

/* Define the settings of this module. */
void
dbkit_thresholds_init(void)
{
	/* What is many connections, or a long transaction, differs from shop to shop. */
	DefineCustomStringVariable("dbkit.health_thresholds",
							   "From when on dbkit.health warns, and calls it critical, such as connections=70%/90%, lock_waits=off.",
							   NULL,
							   &thresholds,
							   "",
							   PGC_SUSET,
							   DBKIT_SETTING,
							   check_thresholds, NULL, NULL);
}
