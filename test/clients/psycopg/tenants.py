from contextlib import contextmanager
from functools import partial

import scenario
from psycopg_pool import ConnectionPool
from xact import titles, xact


@contextmanager
def pooled_xact(user, organization):
    with pool.connection() as connection, xact(connection, user, organization):
        yield connection


def execute(connection, sql):
    cursor = connection.execute(sql)
    return cursor.fetchall() if cursor.description else []


def bare(sql):
    with pool.connection() as connection:
        return execute(connection, sql)


def nest():
    with pooled_xact("usr_1", "org_a") as connection, xact(connection, "usr_1", "org_b"):
        pass


def begin_before():
    with pool.connection() as connection:
        connection.execute("SELECT 1")
        with xact(connection, "usr_1", "org_a"):
            pass


# pgbouncer before 1.21 cannot prepare statements.
with ConnectionPool(min_size=1, max_size=4, kwargs={"prepare_threshold": None}) as pool:
    scenario.check(
        titles=partial(titles, pool),
        xact=pooled_xact,
        execute=execute,
        savepoint=lambda connection: connection.transaction(),
        bare=bare,
        nest=nest,
        nested="a tenant context is already entered",
    )
    scenario.ok(
        scenario.refused("a tenant context cannot be entered in a subtransaction", begin_before),
        "one in a transaction that began before is refused",
    )
