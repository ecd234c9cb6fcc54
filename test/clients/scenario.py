"""What a client's helper for tenant transactions has to hold, as TAP."""

from concurrent.futures import ThreadPoolExecutor

NOTES = {"org_a": ["a1", "a2"], "org_b": ["b1"]}
INSERT = "INSERT INTO notes (title) VALUES ('%s')"


def ok(fact, what):
    print("ok" if fact else "not ok", "-", what, flush=True)


def refused(text, call):
    """Does the call fail with this text?"""
    try:
        call()
    except Exception as error:
        return text in str(error) or print("#", error)
    return print("# nothing is raised")


def check(titles, xact, execute, savepoint, bare, nest, nested):
    """Check a client.

    titles(user, organization) is a request, xact(user, organization) the helper,
    execute(handle, sql) and bare(sql) run SQL in and outside of it, savepoint(handle)
    begins a savepoint, nest() enters where somebody has entered, and nested is what the
    refusal of that says.
    """

    def right(organization):
        return titles("usr_1", organization) == NOTES[organization]

    def fail(sql):
        with xact("usr_1", "org_a") as handle:
            execute(handle, INSERT % "a3")
            execute(handle, sql)
            raise LookupError("the application's")

    ok(right("org_a") and right("org_b") and right("org_a"), "each tenant sees its rows")
    ok(bare("SELECT title FROM notes") == [], "and a request without a context none")
    ok(refused("the application's", lambda: fail("SELECT 1")) and right("org_a"), "an exception rolls back")
    ok(refused("division by zero", lambda: fail("SELECT 1 / 0")) and right("org_b"), "an error of the server, too")
    ok(titles(None, "org_a") == NOTES["org_a"], "a request may have no user")
    ok(refused("needs a user or an organization", lambda: titles(None, None)) and right("org_a"), "nobody cannot enter")
    ok(refused(nested, nest) and right("org_b"), "one in another is refused")

    with xact("usr_1", "org_b") as handle:
        try:
            with savepoint(handle):
                execute(handle, INSERT % "b2")
                raise LookupError
        except LookupError:
            pass
        with savepoint(handle):
            execute(handle, INSERT % "b3")
        ok(execute(handle, "SELECT title FROM notes ORDER BY 1") == [("b1",), ("b3",)], "savepoints work within")
    ok(titles("usr_2", "org_b") == ["b1", "b3"], "what is done is committed")
    with xact("usr_1", "org_b") as handle:
        execute(handle, "DELETE FROM notes WHERE title = 'b3'")

    with ThreadPoolExecutor(8) as threads:
        ok(all(threads.map(right, ["org_a", "org_b"] * 100)), "200 requests in 8 threads do not mix")
