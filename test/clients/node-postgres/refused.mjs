// Run the SQL of a file in a transaction and show the error.
import { readFileSync } from "node:fs";
import pg from "pg";
import { show } from "../show.mjs";

const [way, file] = process.argv.slice(2);

async function main() {
  const client = new pg.Client();
  await client.connect();
  await client.query("BEGIN");
  await client.query(readFileSync(file, "utf8"));
  await client.query("COMMIT");
}

main().catch(show(way));
