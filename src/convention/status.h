/*-------------------------------------------------------------------------
 *
 * status.h
 *		What holds in this database, and where it comes from: dbkit.status(), dbkit.rules.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_STATUS_H
#define DBKIT_STATUS_H

/* The event triggers of dbkit */
#define DBKIT_EVENT_TRIGGERS	4

extern const char *const dbkit_event_triggers[DBKIT_EVENT_TRIGGERS];

extern const char *dbkit_event_trigger_trouble(const char *name);

#endif							/* DBKIT_STATUS_H */
