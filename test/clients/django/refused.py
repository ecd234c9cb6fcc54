"""Run the SQL of a file in a transaction, and let the error end the program or show it whole."""

import sys

import django
from django.db import DatabaseError, connection, transaction

django.setup()
way, file = sys.argv[1:]
try:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(open(file).read())
except DatabaseError as error:
    if way == "uncaught error":
        raise
    from whole import whole

    print(whole(error))
