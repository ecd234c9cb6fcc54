"""Apply the versions of a directory, and print which were not."""

import sys

import psycopg
from versions import migrate

with psycopg.connect() as connection:
    print(*migrate(connection, sys.argv[1]))
