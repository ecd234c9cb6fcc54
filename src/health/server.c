/*-------------------------------------------------------------------------
 *
 * server.c
 *		Is the server at work, and will it be tomorrow?
 *
 * The statements ask the functions that PostgreSQL's statistics views consist of,
 * which is half the time to plan.  Where one gives no row, there is nothing to say.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common.h"
#include "health/health.h"

#define EQUALS		" OPERATOR(pg_catalog.=) "
#define DIFFERS		" OPERATOR(pg_catalog.<>) "
#define MINUS		" OPERATOR(pg_catalog.-) "
#define TIMES		" OPERATOR(pg_catalog.*) "
#define DIVIDED		" OPERATOR(pg_catalog./) "
#define TEXT(text)	"'" text "'::pg_catalog.text"

/* Seconds since a time */
#define SINCE(time) \
	"pg_catalog.date_part(" TEXT("epoch") ", pg_catalog.clock_timestamp()" MINUS time ")"

/* The last that this server has of the log, to hold others against */
#define OWN_LSN \
	"CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()" \
	" ELSE pg_catalog.pg_current_wal_lsn() END"

/* Where the log of a standby's receiver is not all replayed, or no receiver runs */
#define IS_BEHIND \
	"(SELECT r.pid IS NULL OR pg_catalog.pg_last_wal_receive_lsn()" DIFFERS "pg_catalog.pg_last_wal_replay_lsn()" \
	" FROM pg_catalog.pg_stat_get_wal_receiver() r)"

/* How much of all transaction ids lies between the present one and the oldest of a database */
#define AGE(function, column) \
	"SELECT 100::pg_catalog.float8" TIMES "pg_catalog." function "(" column ")::pg_catalog.float8" \
	DIVIDED "2147483648::pg_catalog.float8," \
	" pg_catalog.format(" TEXT("The oldest is in database %I, %s ago.") ", datname, pg_catalog." function "(" column "))" \
	" FROM pg_catalog.pg_database ORDER BY 1 DESC"

#define VACUUM_ADVICE \
	"VACUUM (FREEZE) has to reach the oldest tables; autovacuum does unless it is disabled, too slow, or held back by long and prepared transactions, slots and standbys."

const HealthCheck dbkit_server_checks[] = {
	{
		/* Where the type of a backend is hidden, those of no database and of no role are not counted */
		.name = "connections",
		.unit = UNIT_PERCENT,
		.limits = "80%/95%",
		.sql = "SELECT 100::pg_catalog.float8" TIMES "taken" DIVIDED "available,"
		" pg_catalog.format(" TEXT("%s of %s connections are taken.") ", taken, available)"
		" FROM (SELECT pg_catalog.count(*)::pg_catalog.float8 AS taken FROM pg_catalog.pg_stat_get_activity(NULL)"
		" WHERE COALESCE(backend_type" EQUALS TEXT("client backend") ", datid IS NOT NULL AND usesysid IS NOT NULL)) a,"
		" (SELECT pg_catalog.current_setting(" TEXT("max_connections") ")::pg_catalog.float8"
		MINUS "pg_catalog.current_setting(" TEXT("superuser_reserved_connections") ")::pg_catalog.float8"
		MINUS "COALESCE(pg_catalog.current_setting(" TEXT("reserved_connections") ", true)::pg_catalog.float8, 0) AS available) b",
		.advice = "Beyond them only superusers can connect. Use a pooler, find out who opens so many, or raise max_connections."
	},
	{
		.name = "longest_transaction",
		.unit = UNIT_SECONDS,
		.limits = "5min/1h",
		.sql = "SELECT " SINCE("xact_start") ", pg_catalog.format(" TEXT("It is that of process %s, role %I.") ", pid, pg_catalog.pg_get_userbyid(usesysid))"
		" FROM pg_catalog.pg_stat_get_activity(NULL) WHERE xact_start IS NOT NULL"
		" AND backend_type" DIFFERS "ALL ('{autovacuum worker,walsender}'::pg_catalog.text[]) ORDER BY xact_start",
		.of_sessions = true,
		.advice = "Until it ends, VACUUM removes no row that it could still see, and what it has locked stays locked; pg_terminate_backend() ends it."
	},
	{
		.name = "idle_in_transaction",
		.unit = UNIT_SECONDS,
		.limits = "1min/10min",
		.sql = "SELECT " SINCE("state_change") ", pg_catalog.format(" TEXT("It is process %s, role %I.") ", pid, pg_catalog.pg_get_userbyid(usesysid))"
		" FROM pg_catalog.pg_stat_get_activity(NULL)"
		" WHERE state" EQUALS "ANY ('{idle in transaction,idle in transaction (aborted)}'::pg_catalog.text[]) ORDER BY state_change",
		.of_sessions = true,
		.advice = "The application has forgotten to commit, or waits for something else; pg_terminate_backend() ends it, idle_in_transaction_session_timeout all such."
	},
	{
		/* Whoever begins to wait has no time yet */
		.name = "lock_waits",
		.unit = UNIT_SECONDS,
		.limits = "30s/5min",
		.sql = "SELECT " SINCE("waitstart") ","
		" pg_catalog.format(" TEXT("%s wait; process %s has waited longest, for %s on %s, behind %s.") ", pg_catalog.count(*) OVER (), pid, mode,"
		" CASE WHEN database" EQUALS "(SELECT oid FROM pg_catalog.pg_database WHERE datname" EQUALS "pg_catalog.current_database()) AND relation IS NOT NULL"
		" THEN relation::pg_catalog.regclass::pg_catalog.text ELSE locktype END, pg_catalog.pg_blocking_pids(pid))"
		" FROM pg_catalog.pg_lock_status() WHERE NOT granted AND waitstart IS NOT NULL ORDER BY waitstart",
		.advice = "pg_stat_activity says what those in front do; pg_cancel_backend() cancels it. lock_timeout keeps others from waiting behind the one who waits."
	},
	{
		.name = "prepared_transactions",
		.unit = UNIT_SECONDS,
		.limits = "5min/1h",
		.sql = "SELECT " SINCE("prepared") ", pg_catalog.format(" TEXT("It is %L of role %I.") ", gid, pg_catalog.pg_get_userbyid(ownerid))"
		" FROM pg_catalog.pg_prepared_xact() AS p (transaction, gid, prepared, ownerid, dbid) ORDER BY prepared",
		.advice = "It keeps its locks, and rows from VACUUM, also across a restart; COMMIT PREPARED or ROLLBACK PREPARED in its database ends it."
	},
	{
		/* Bytes: what is measured in time says nothing of a standby that stands still */
		.name = "replication_lag",
		.unit = UNIT_BYTES,
		.limits = "100MB/1GB",
		.sql = "SELECT pg_catalog.pg_wal_lsn_diff(" OWN_LSN ", COALESCE(s.replay_lsn, s.sent_lsn))::pg_catalog.float8 AS lag,"
		" pg_catalog.format(" TEXT("It is that of %L, process %s, which is in state %s.") ", a.application_name, s.pid, s.state)"
		" FROM pg_catalog.pg_stat_get_wal_senders() s"
		" JOIN pg_catalog.pg_stat_get_activity(NULL) a ON a.pid" EQUALS "s.pid"
		" WHERE s.state" DIFFERS TEXT("backup") " ORDER BY lag DESC NULLS LAST",
		.of_sessions = true,
		.advice = "The standby or subscriber is too slow, its replay is paused, or a query there holds it up; pg_stat_replication says how far it is."
	},
	{
		.name = "replay_delay",
		.unit = UNIT_SECONDS,
		.limits = "1min/10min",
		.sql = "SELECT " SINCE("pg_catalog.pg_last_xact_replay_timestamp()") ", CASE WHEN pg_catalog.pg_is_wal_replay_paused() THEN " TEXT("Replay is paused.") " END"
		" WHERE pg_catalog.pg_is_in_recovery() AND " IS_BEHIND,
		.advice = "So old is what this standby shows; pg_stat_wal_receiver says whether it still hears of the primary."
	},
	{
		.name = "replication_slots",
		.unit = UNIT_BYTES,
		.limits = "1GB/10GB",
		.sql = "SELECT CASE WHEN wal_status" EQUALS TEXT("lost") " THEN 'Infinity'::pg_catalog.float8"
		" ELSE pg_catalog.pg_wal_lsn_diff(" OWN_LSN ", restart_lsn)::pg_catalog.float8 END AS kept,"
		" pg_catalog.format(" TEXT("It is slot %I, which is %s, and whose WAL is %s.") ", slot_name,"
		" CASE WHEN active THEN " TEXT("in use") " ELSE " TEXT("not in use") " END, wal_status),"
		" CASE WHEN wal_status" EQUALS TEXT("lost") " THEN wal_status END"
		" FROM pg_catalog.pg_get_replication_slots() ORDER BY kept DESC NULLS LAST",
		.advice = "So much WAL is kept for who reads from it, and will fill the disk; pg_drop_replication_slot() drops a slot that nobody comes back to."
	},
	{
		.name = "transaction_id_age",
		.unit = UNIT_PERCENT,
		.limits = "40%/75%",
		.sql = AGE("age", "datfrozenxid"),
		.advice = "At 100% the server accepts no more transactions. " VACUUM_ADVICE
	},
	{
		.name = "multixact_age",
		.unit = UNIT_PERCENT,
		.limits = "40%/75%",
		.sql = AGE("mxid_age", "datminmxid"),
		.advice = "At 100% no row can be locked by two transactions any more. " VACUUM_ADVICE
	},
	{
		/* An index that is being built is invalid until it is done; of whose table is hidden from others */
		.name = "invalid_indexes",
		.limits = "1/10",
		.sql = "SELECT pg_catalog.count(*) OVER ()::pg_catalog.float8, pg_catalog.format(" TEXT("One of them is %s.") ", i.indexrelid::pg_catalog.regclass)"
		" FROM pg_catalog.pg_index i WHERE NOT i.indisvalid AND NOT EXISTS ("
		"SELECT FROM pg_catalog.pg_stat_get_progress_info(" TEXT("CREATE INDEX") ") p"
		" JOIN pg_catalog.pg_database d ON d.oid" EQUALS "p.datid"
		" WHERE d.datname" EQUALS "pg_catalog.current_database() AND COALESCE(p.relid" EQUALS "i.indrelid, true))",
		.advice = "Queries do not use it, and each write pays for it; REINDEX INDEX CONCURRENTLY or DROP INDEX CONCURRENTLY."
	},
	{
		.name = "sequences",
		.unit = UNIT_PERCENT,
		.limits = "80%/95%",
		.measure = dbkit_measure_sequences,
		.advice = "At 100% every INSERT that asks it for a number fails; make the sequence and its column bigint."
	},
};
const int	dbkit_n_server_checks = lengthof(dbkit_server_checks);
