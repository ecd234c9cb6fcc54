"""Run the SQL of a file in a transaction, and let the error end the program or show it whole."""

import sys

from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

way, file = sys.argv[1:]
try:
    with create_engine("postgresql+psycopg2://").begin() as connection:
        connection.execute(text(open(file).read()))
except DBAPIError as error:
    if way == "uncaught error":
        raise
    from whole import whole

    print(whole(error))
