/*-------------------------------------------------------------------------
 *
 * iso8601.c
 *		Times as typed JSON writes them, which is how Python's isoformat() does:
 *		2024-01-10T12:00:00+00:00, with six digits of a fraction or none.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "common.h"
#include "json/iso8601.h"

/* The years that Python's datetime has, and four digits can say */
#define FIRST_YEAR	1
#define LAST_YEAR	9999

/* Write a date; return NULL where there is no text for its year. */
static char *
write_day(int year, int month, int day, char *buffer)
{
	if (year < FIRST_YEAR || year > LAST_YEAR)
		return NULL;
	return buffer + snprintf(buffer, ISO8601_SIZE, "%04d-%02d-%02d", year, month, day);
}

/*
 * Write a time, in UTC, so that the text is the same in each session.  Returns NULL
 * for infinity and for years before 1 and after 9999.
 */
const char *
dbkit_write_timestamp(TimestampTz value, char *buffer)
{
	struct pg_tm tm;
	fsec_t		microseconds;
	char	   *end;

	if (TIMESTAMP_NOT_FINITE(value) || timestamp2tm(value, NULL, &tm, &microseconds, NULL, NULL) != 0)
		return NULL;
	end = write_day(tm.tm_year, tm.tm_mon, tm.tm_mday, buffer);
	if (end == NULL)
		return NULL;
	end += sprintf(end, "T%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (microseconds != 0)
		end += sprintf(end, ".%06d", microseconds);
	strcpy(end, "+00:00");
	return buffer;
}

/* Write a date; NULL as above. */
const char *
dbkit_write_date(DateADT value, char *buffer)
{
	int			year;
	int			month;
	int			day;

	if (DATE_NOT_FINITE(value))
		return NULL;
	j2date(value + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	return write_day(year, month, day, buffer) != NULL ? buffer : NULL;
}

/*
 * Skip what a pattern describes: 0 is a digit, all else itself.  Returns what follows,
 * or NULL where the text is different; also for NULL.
 */
static const char *
skip(const char *string, const char *end, const char *pattern)
{
	for (; string != NULL && *pattern != '\0'; pattern++, string++)
	{
		if (string == end || (*pattern == '0' ? *string < '0' || *string > '9' : *string != *pattern))
			return NULL;
	}
	return string;
}

/* Skip a fraction of up to six digits, if there is one: PostgreSQL would round more. */
static const char *
skip_fraction(const char *string, const char *end)
{
	const char *first;

	if (string == NULL || string == end || *string != '.')
		return string;
	first = ++string;
	while (string < end && *string >= '0' && *string <= '9')
		string++;
	return string > first && string <= first + 6 ? string : NULL;
}

/* Read two digits. */
static int
read_two_digits(const char *string)
{
	return (string[0] - '0') * 10 + string[1] - '0';
}

/* Skip hours and minutes: up to so many hours. */
static const char *
skip_minutes(const char *string, const char *end, int hours)
{
	const char *result = skip(string, end, "00:00");

	return result != NULL && read_two_digits(string) <= hours && read_two_digits(string + 3) < MINS_PER_HOUR ? result : NULL;
}

/* Skip an offset from UTC: Z, +00:00 or -00:00. */
static const char *
skip_offset(const char *string, const char *end)
{
	if (string == NULL || string == end)
		return NULL;
	if (*string == 'Z')
		return string + 1;
	return *string == '+' || *string == '-' ? skip_minutes(string + 1, end, MAX_TZDISP_HOUR) : NULL;
}

/* Skip a day that there is. */
static const char *
skip_day(const char *string, const char *end)
{
	const char *result = skip(string, end, "0000-00-00");
	int			year;
	int			month;
	int			day;

	if (result == NULL)
		return NULL;
	year = read_two_digits(string) * 100 + read_two_digits(string + 2);
	month = read_two_digits(string + 5);
	day = read_two_digits(string + 8);
	return year >= FIRST_YEAR && month >= 1 && month <= MONTHS_PER_YEAR &&
		day >= 1 && day <= day_tab[isleap(year)][month - 1] ? result : NULL;
}

/* Skip a time of day. */
static const char *
skip_time(const char *string, const char *end)
{
	const char *seconds = skip_minutes(skip(string, end, "T"), end, HOURS_PER_DAY - 1);
	const char *result = skip(seconds, end, ":00");

	return result != NULL && read_two_digits(seconds + 1) < SECS_PER_MINUTE ? skip_fraction(result, end) : NULL;
}

/*
 * Is this a time that means the same in each session, whatever its settings?  That is
 * so with all digits in their places, and an offset.
 */
bool
dbkit_is_timestamp_text(const char *string, int length)
{
	const char *end = string + length;

	return skip_offset(skip_time(skip_day(string, end), end), end) == end;
}

/* Is this such a date? */
bool
dbkit_is_date_text(const char *string, int length)
{
	return skip_day(string, string + length) == string + length;
}
