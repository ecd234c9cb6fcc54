import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "./generated/index.js";
import { xact, titles } from "./xact.mjs";
import { check } from "../scenario.mjs";

const { PGHOST: host, PGPORT: port, PGUSER: user, PGDATABASE: database } = process.env;
const execute = async (tx, text) => (await tx.$queryRawUnsafe(text)).map((row) => row.title);

async function savepoint(tx, work) {
  await tx.$executeRaw`SAVEPOINT s`;
  await work(tx).catch(async (error) => {
    await tx.$executeRaw`ROLLBACK TO s`;
    throw error;
  });
}

async function main() {
  const adapter = new PrismaPg({ host, port, user, database, max: 4 });
  const prisma = new PrismaClient({ adapter, transactionOptions: { maxWait: 30000 } });
  await check({
    titles: (...tenant) => titles(prisma, ...tenant),
    xact: (...rest) => xact(prisma, ...rest),
    execute,
    savepoint,
    bare: (text) => execute(prisma, text),
    nest: (tx) => xact(tx, "usr_1", "org_b", () => {}),
    nested: "$transaction is not a function",
  });
  await prisma.$disconnect();
}

main();
