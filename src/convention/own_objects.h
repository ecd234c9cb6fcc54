/*-------------------------------------------------------------------------
 *
 * own_objects.h
 *		Know dbkit's own functions and tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_OWN_OBJECTS_H
#define DBKIT_OWN_OBJECTS_H

/* What to do when somebody has damaged dbkit's own tables */
#define DBKIT_REPAIR_HINT \
	errhint("Drop and create the extension dbkit again, or disable its event triggers with ALTER EVENT TRIGGER.")

extern bool dbkit_is_function(Oid function, const char *name);
extern const char *dbkit_function_name(const char *name);
extern Oid	dbkit_own_relation(const char *name);
extern void dbkit_own_objects_init(void);

#endif							/* DBKIT_OWN_OBJECTS_H */
