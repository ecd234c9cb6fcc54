// What a client's helper for tenant transactions has to hold, as TAP.
const notes = { org_a: ["a1", "a2"], org_b: ["b1"] };
const insert = (title) => `INSERT INTO notes (title) VALUES ('${title}')`;

const ok = (fact, what) => console.log(`${fact ? "ok" : "not ok"} - ${what}`);

// Does the promise fail with this text, here or in its cause?
const refused = (text, promise) =>
  promise.then(
    () => console.log("# nothing is raised"),
    (error) => `${error.message} ${error.cause?.message}`.includes(text) || console.log(`# ${error}`),
  );

// Check a client.  titles(user, organization) is a request, xact(user, organization, work)
// the helper, execute(handle, text) gives the titles that a query in it has, bare(text)
// those outside of it, savepoint(handle, work) makes one, nest(handle) enters where
// somebody has entered, and nested is what the refusal of that says.
async function check({ titles, xact, execute, savepoint, bare, nest, nested }) {
  const right = async (organization) => `${await titles("usr_1", organization)}` === `${notes[organization]}`;
  const failing = (work) =>
    xact("usr_1", "org_a", async (handle) => {
      await execute(handle, insert("a3"));
      await work(handle);
    });
  const fail = () => { throw new Error("the application's"); };
  const divide = (handle) => execute(handle, "SELECT 1 / 0 AS title");

  ok((await right("org_a")) && (await right("org_b")) && (await right("org_a")), "each tenant sees its rows");
  ok(`${await bare("SELECT title FROM notes")}` === "", "and a request without a context none");
  ok((await refused("the application's", failing(fail))) && (await right("org_a")), "an exception rolls back");
  ok((await refused("division by zero", failing(divide))) && (await right("org_b")), "an error of the server, too");
  ok(`${await titles(null, "org_a")}` === "a1,a2", "a request may have no user");
  ok(await refused("needs a user or an organization", titles(null, null)), "nobody cannot enter");
  ok((await refused(nested, failing(nest))) && (await right("org_b")), "one in another is refused");

  const within = await xact("usr_1", "org_b", async (handle) => {
    await savepoint(handle, async (inner) => { await execute(inner, insert("b2")); fail(); }).catch(() => {});
    await savepoint(handle, (inner) => execute(inner, insert("b3")));
    return execute(handle, "SELECT title FROM notes ORDER BY 1");
  });
  ok(`${within}` === "b1,b3", "savepoints work within");
  ok(`${await titles("usr_2", "org_b")}` === "b1,b3", "what is done is committed");
  await xact("usr_1", "org_b", (handle) => execute(handle, "DELETE FROM notes WHERE title = 'b3'"));

  const requests = Array.from({ length: 200 }, (_, i) => right(i % 2 ? "org_a" : "org_b"));
  ok((await Promise.all(requests)).every(Boolean), "200 requests at once do not mix");
  return { failing, right };
}

export { check, ok, refused };
