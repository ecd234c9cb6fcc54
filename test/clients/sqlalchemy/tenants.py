from functools import partial

import scenario
from sqlalchemy import create_engine, text
from xact import TenantSession, titles, xact

engine = create_engine("postgresql+psycopg2://", pool_size=4, max_overflow=0)


def execute(session, sql):
    result = session.execute(text(sql))
    return result.fetchall() if result.returns_rows else []


def bare(sql):
    with engine.connect() as connection:
        return execute(connection, sql)


def nest():
    with xact(engine, "usr_1", "org_a") as session:
        with TenantSession(session.connection(), info={"user": "usr_1", "organization": "org_b"}) as other:
            execute(other, "SELECT 1")


def commits_in_between():
    with TenantSession(engine, info={"user": "usr_1", "organization": "org_b"}) as session:
        for _ in range(2):
            with session.begin_nested():
                assert execute(session, "SELECT title FROM notes") == [("b1",)]
            session.commit()
    return True


scenario.check(
    titles=partial(titles, engine),
    xact=partial(xact, engine),
    execute=execute,
    savepoint=lambda session: session.begin_nested(),
    bare=bare,
    nest=nest,
    nested="a tenant context is already entered",
)
scenario.ok(commits_in_between(), "a session enters again after COMMIT, also before a savepoint")
scenario.ok(
    scenario.refused("bind parameter 'user'", lambda: TenantSession(engine).execute(text("SELECT 1"))),
    "a session without a user is refused",
)
