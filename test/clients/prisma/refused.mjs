// Run the SQL of a file in a transaction and show the error.
import { readFileSync } from "node:fs";
import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "./generated/index.js";
import { show } from "../show.mjs";

const [way, file] = process.argv.slice(2);
const { PGHOST: host, PGUSER: user, PGDATABASE: database } = process.env;
const prisma = new PrismaClient({ adapter: new PrismaPg({ host, user, database }) });
prisma.$transaction((tx) => tx.$executeRawUnsafe(readFileSync(file, "utf8"))).catch(show(way));
