/*-------------------------------------------------------------------------
 *
 * cluster.h
 *		What dbkit asks of the software that spreads a database over several
 *		servers, where there is one.
 *
 * The questions are dbkit's own.  citus.c answers them for Citus; where that is not
 * loaded, each is one comparison.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_CLUSTER_H
#define DBKIT_CLUSTER_H

#include "access/attnum.h"

/* Is such software loaded?  It need not be at work in this database. */
extern bool dbkit_cluster_is_loaded;

extern bool dbkit_cluster_is_at_work(void);
extern bool dbkit_serves_cluster(void);
extern bool dbkit_is_copy(Oid relid, const char *name);
extern bool dbkit_is_managed_elsewhere(Oid classid, Oid objid);
extern AttrNumber dbkit_distribution_column(Oid relid);
extern bool dbkit_is_sent_to(void);
extern uint64 dbkit_size_of_copies(Oid relid);
extern void dbkit_work_in_sequence(void);
extern bool dbkit_runs_elsewhere(Oid function);
extern bool dbkit_shows_plans(Oid function);
extern bool dbkit_settings_are_sent(const char *setting);
extern const char *dbkit_cluster_log_setting(void);
extern void dbkit_cluster_send_settings(void);
extern bool dbkit_cluster_queries_open_transactions(void);
extern void dbkit_cluster_open_transaction(void);
extern bool dbkit_takes_over_transaction(Oid function);
extern int64 dbkit_cluster_session(void);
extern void dbkit_cluster_init(void);

/* May this connection be one that another server of the cluster opened?  A client can pretend that. */
extern bool dbkit_is_cluster_connection(void);

#endif							/* DBKIT_CLUSTER_H */
