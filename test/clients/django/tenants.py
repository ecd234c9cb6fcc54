import io
import unittest

import django

django.setup()

import scenario
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.test import Client, TestCase, TransactionTestCase, override_settings
from notes import Note
from xact import xact


def get(user, organization, url="/titles"):
    """Send a request through Django's handlers, with a session."""
    client = Client()
    session = client.session
    session.update({"user_id": user, "organization_id": organization})
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return client.get(url).content.decode().split()


def execute(_, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def nest():
    with xact("usr_1", "org_a"), xact("usr_1", "org_b"):
        pass


def evaluated_late():
    with xact("usr_1", "org_a"):
        early, late = Note.objects.all(), Note.objects.all()
        assert len(early) == 2
    return len(early) == 2 and len(late) == 0


def commits_in_a_middleware():
    with override_settings(MIDDLEWARE=["notes.middleware"]):
        failed = scenario.refused("the application's", lambda: Client().get("/middleware"))
    with xact("usr_1", "org_a"):
        return failed and Note.objects.filter(title="a3").delete()[0] == 1


def atomic_requests():
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        return scenario.refused("A durable atomic block cannot be nested", lambda: get("usr_1", "org_a"))
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False


class InTestCase(TestCase):
    def test(self):
        with self.assertRaisesMessage(DatabaseError, "cannot be entered in a subtransaction"), xact("usr_1", "org_a"):
            pass


class InTransactionTestCase(TransactionTestCase):
    def test(self):
        self.assertEqual(get("usr_1", "org_a"), scenario.NOTES["org_a"])


def passes(case):
    result = unittest.TextTestRunner(io.StringIO()).run(unittest.defaultTestLoader.loadTestsFromTestCase(case))
    return result.testsRun == 1 and result.wasSuccessful() or print("#", result.errors, result.failures)


scenario.check(
    titles=get,
    xact=xact,
    execute=execute,
    savepoint=lambda _: transaction.atomic(),
    bare=lambda sql: execute(None, sql),
    nest=nest,
    nested="A durable atomic block cannot be nested within another atomic block",
)
scenario.ok(
    scenario.refused("the application's", lambda: get("usr_1", "org_a", "/fail"))
    and get("usr_1", "org_a") == scenario.NOTES["org_a"],
    "a view that fails changes nothing",
)
scenario.ok(commits_in_a_middleware(), "in a middleware it does")
scenario.ok(atomic_requests(), "ATOMIC_REQUESTS is refused")
scenario.ok(evaluated_late(), "a queryset that is evaluated later shows nothing")
scenario.ok(passes(InTestCase), "TestCase is a transaction already, and refused")
scenario.ok(passes(InTransactionTestCase), "TransactionTestCase is none")
