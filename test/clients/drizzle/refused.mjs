// Run the SQL of a file in a transaction and show the error.
import { readFileSync } from "node:fs";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import pg from "pg";
import { show } from "../show.mjs";

const [way, file] = process.argv.slice(2);
drizzle(new pg.Pool()).transaction((tx) => tx.execute(sql.raw(readFileSync(file, "utf8")))).catch(show(way));
