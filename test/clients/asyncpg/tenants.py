import asyncio

from xact import titles_async as titles, xact_async as xact
from scenario import INSERT, NOTES, ok
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


async def refused(what, request):
    try:
        await request
    except Exception as error:
        return what in str(error) or print("#", error)
    return print("# nothing is raised")


async def main():
    engine = create_async_engine("postgresql+asyncpg://", pool_size=4, max_overflow=0)

    async def right(organization):
        return await titles(engine, "usr_1", organization) == NOTES[organization]

    async def fail(sql):
        async with xact(engine, "usr_1", "org_a") as session:
            await session.execute(text(INSERT % "a3"))
            await session.execute(text(sql))
            raise LookupError("the application's")

    async def nest():
        async with xact(engine, "usr_1", "org_a") as session:
            async with session.begin_nested():
                await session.execute(text("SELECT dbkit.enter('usr_1', 'org_b')"))

    ok(await right("org_a") and await right("org_b") and await right("org_a"), "each tenant sees its rows")
    async with engine.connect() as connection:
        ok((await connection.execute(text("SELECT title FROM notes"))).all() == [], "and a request without a context none")
    ok(await refused("the application's", fail("SELECT 1")) and await right("org_a"), "an exception rolls back")
    ok(await refused("division by zero", fail("SELECT 1 / 0")) and await right("org_b"), "an error of the server, too")
    ok(await titles(engine, None, "org_a") == NOTES["org_a"], "a request may have no user")
    ok(await refused("needs a user or an organization", titles(engine, None, None)), "nobody cannot enter")
    ok(await refused("a tenant context is already entered", nest()) and await right("org_b"), "one in another is refused")

    async with xact(engine, "usr_1", "org_b") as session:
        savepoint = await session.begin_nested()
        await session.execute(text(INSERT % "b2"))
        await savepoint.rollback()
        async with session.begin_nested():
            await session.execute(text(INSERT % "b3"))
        rows = (await session.scalars(text("SELECT title FROM notes ORDER BY 1"))).all()
    ok(rows == ["b1", "b3"], "savepoints work within")
    ok(await titles(engine, "usr_2", "org_b") == ["b1", "b3"], "what is done is committed")
    async with xact(engine, "usr_1", "org_b") as session:
        await session.execute(text("DELETE FROM notes WHERE title = 'b3'"))

    ok(all(await asyncio.gather(*map(right, ["org_a", "org_b"] * 100))), "200 requests at once do not mix")
    await engine.dispose()


asyncio.run(main())
