"""Run the SQL of a file in a transaction, and let the error end the program or show it whole."""

import sys

import psycopg

way, file = sys.argv[1:]
try:
    with psycopg.connect() as connection:
        connection.execute(open(file).read())
except psycopg.Error as error:
    if way == "uncaught error":
        raise
    from whole import whole

    print(whole(error))
