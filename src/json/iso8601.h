/*-------------------------------------------------------------------------
 *
 * iso8601.h
 *		Times as typed JSON writes them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_ISO8601_H
#define DBKIT_ISO8601_H

#include "datatype/timestamp.h"
#include "utils/date.h"

/* Room for the longest text, with its end: 2024-01-10T12:00:00.123456+00:00 */
#define ISO8601_SIZE	33

extern const char *dbkit_write_timestamp(TimestampTz value, char *buffer);
extern const char *dbkit_write_date(DateADT value, char *buffer);
extern bool dbkit_is_timestamp_text(const char *string, int length);
extern bool dbkit_is_date_text(const char *string, int length);

#endif							/* DBKIT_ISO8601_H */
