"""Run the SQL of a file in a transaction, and let the error end the program or show it whole."""

import asyncio
import sys

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine


async def run(sql):
    engine = create_async_engine("postgresql+asyncpg://")
    try:
        async with engine.begin() as connection:
            await connection.execute(text(sql))
    finally:
        await engine.dispose()


way, file = sys.argv[1:]
try:
    asyncio.run(run(open(file).read()))
except DBAPIError as error:
    if way == "uncaught error":
        raise
    from whole import whole_async

    print(whole_async(error))
