/*-------------------------------------------------------------------------
 *
 * strangers.h
 *		Would an operation of a superuser run what is not a superuser's?
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_LEAK_STRANGERS_H
#define DBKIT_LEAK_STRANGERS_H

extern const char *dbkit_lent_rights(Oid relid, Oid owner);

#endif							/* DBKIT_LEAK_STRANGERS_H */
