import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import pg from "pg";
import { xact, titles } from "./xact.mjs";
import { check } from "../scenario.mjs";

const execute = async (db, text) => (await db.execute(sql.raw(text))).rows.map((row) => row.title);

async function main() {
  const pool = new pg.Pool({ max: 4 });
  const db = drizzle(pool);
  await check({
    titles: (user, organization) => titles(db, user, organization),
    xact: (user, organization, work) => xact(db, user, organization, work),
    execute,
    savepoint: (tx, work) => tx.transaction(work),
    bare: (text) => execute(db, text),
    nest: (tx) => xact(tx, "usr_1", "org_b", () => {}),
    nested: "a tenant context is already entered",
  });
  await pool.end();
}

main();
