// Apply the versions of a directory, and print which were not.
import pg from "pg";
import { migrate } from "./versions.mjs";

const client = new pg.Client();
await client.connect();
console.log((await migrate(client, process.argv[2])).join(" "));
await client.end();
