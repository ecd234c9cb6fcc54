import pg from "pg";
import { xact, titles } from "./xact.mjs";
import { check, ok, refused } from "../scenario.mjs";

const execute = async (client, text) => (await client.query(text)).rows.map((row) => row.title);

async function savepoint(client, work) {
  await client.query("SAVEPOINT s");
  await work(client).catch(async (error) => {
    await client.query("ROLLBACK TO s");
    throw error;
  });
}

async function main() {
  const pool = new pg.Pool({ max: 4 });
  const { failing, right } = await check({
    titles: (user, organization) => titles(pool, user, organization),
    xact: (user, organization, work) => xact(pool, user, organization, work),
    execute,
    savepoint,
    bare: (text) => execute(pool, text),
    nest: (client) => xact(client, "usr_1", "org_b", () => {}),
    nested: "Client has already been connected",
  });
  const swallow = (client) => client.query("SELECT 1 / 0").catch(() => {});
  ok((await refused("a statement had failed", failing(swallow))) && (await right("org_a")), "COMMIT that rolls back is an error");

  const independent = failing(() => xact(pool, "usr_1", "org_b", (client) => client.query("INSERT INTO notes (title) VALUES ('b2')")).then(() => { throw new Error("late"); }));
  const remove = (client) => client.query("DELETE FROM notes WHERE title = 'b2'");
  ok((await refused("late", independent)) && (await xact(pool, "usr_1", "org_b", remove)).rowCount === 1, "one of the pool within commits by itself");
  await pool.end();

  const lost = new pg.Pool({ max: 1 });
  lost.on("error", () => {});
  const end = () => xact(lost, "usr_1", "org_a", (client) => client.query("SELECT pg_terminate_backend(pg_backend_pid())"));
  ok((await refused("terminating connection", end())) && `${await titles(lost, "usr_1", "org_a")}` === "a1,a2", "a lost connection is replaced");
  await lost.end();
}

main();
