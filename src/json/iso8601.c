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
skip(const char *text, const char *end, const char *pattern)
{
	for (; text != NULL && *pattern != '\0'; pattern++, text++)
	{
		if (text == end || (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern))
			return NULL;
	}
	return text;
}

/* Skip a fraction of up to six digits, if there is one: PostgreSQL would round more. */
static const char *
skip_fraction(const char *text, const char *end)
{
	const char *first;

	if (text == NULL || text == end || *text != '.')
		return text;
	first = ++text;
	while (text < end && *text >= '0' && *text <= '9')
		text++;
	return text > first && text <= first + 6 ? text : NULL;
}

/* Read two digits. */
static int
read_two_digits(const char *text)
{
	return (text[0] - '0') * 10 + text[1] - '0';
}

/* Skip hours and minutes: up to so many hours. */
static const char *
skip_minutes(const char *text, const char *end, int hours)
{
	const char *result = skip(text, end, "00:00");

	return result != NULL && read_two_digits(text) <= hours && read_two_digits(text + 3) < MINS_PER_HOUR ? result : NULL;
}

/* Skip an offset from UTC: Z, +00:00 or -00:00. */
static const char *
skip_offset(const char *text, const char *end)
{
	if (text == NULL || text == end)
		return NULL;
	if (*text == 'Z')
		return text + 1;
	return *text == '+' || *text == '-' ? skip_minutes(text + 1, end, MAX_TZDISP_HOUR) : NULL;
}

/* Skip a day that there is. */
static const char *
skip_day(const char *text, const char *end)
{
	const char *result = skip(text, end, "0000-00-00");
	int			year;
	int			month;
	int			day;

	if (result == NULL)
		return NULL;
	year = read_two_digits(text) * 100 + read_two_digits(text + 2);
	month = read_two_digits(text + 5);
	day = read_two_digits(text + 8);
	return year >= FIRST_YEAR && month >= 1 && month <= MONTHS_PER_YEAR &&
		day >= 1 && day <= day_tab[isleap(year)][month - 1] ? result : NULL;
}

/* Skip a time of day. */
static const char *
skip_time(const char *text, const char *end)
{
	const char *seconds = skip_minutes(skip(text, end, "T"), end, HOURS_PER_DAY - 1);
	const char *result = skip(seconds, end, ":00");

	return result != NULL && read_two_digits(seconds + 1) < SECS_PER_MINUTE ? skip_fraction(result, end) : NULL;
}

/*
 * Is this a time that means the same in each session, whatever its settings?  That is
 * so with all digits in their places, and an offset.
 */
bool
dbkit_is_timestamp_text(const char *text, int length)
{
	const char *end = text + length;

	return skip_offset(skip_time(skip_day(text, end), end), end) == end;
}

/* Is this such a date? */
bool
dbkit_is_date_text(const char *text, int length)
{
	return skip_day(text, text + length) == text + length;
}
