// Prisma's schema engine is a binary that its packages fetch from a place of their own.
// This uses the same engine as WebAssembly, which comes with them and sends its SQL
// through the adapter below.
import { PrismaPg } from "@prisma/adapter-pg";
import { ColumnTypeEnum } from "@prisma/driver-adapter-utils";

const [char, name, text] = [18, 19, 25]; // pg_type.oid

// Let the adapter read the types of the catalogs, and send a script as one query and drop
// the shadow database under its own connection, as the binary does.
function adapt(adapter) {
  const { performIO, queryRaw } = adapter;
  let chars;
  adapter.performIO = async (query) => {
    const result = await performIO.call(adapter, query);
    const fields = result.fields ?? [];
    chars = fields.map((field) => field.dataTypeID === char);
    for (const field of fields) {
      if ([char, name].includes(field.dataTypeID)) field.dataTypeID = text;
    }
    return result;
  };
  adapter.queryRaw = async (query) => {
    const result = await queryRaw.call(adapter, query);
    const columnTypes = result.columnTypes.map((type, i) => (chars[i] ? ColumnTypeEnum.Character : type));
    return { ...result, columnTypes };
  };
  adapter.executeScript = async (script) => {
    const query = script.replace(/^DROP DATABASE .*/, "$& WITH (FORCE)");
    await adapter.client.query(query).catch((error) => adapter.onError(error));
  };
  adapter.client.on("error", () => {});
  return adapter;
}

// Do not linger for the timeout of the engine's lock once all is done.
const { setTimeout } = globalThis;
globalThis.setTimeout = (...args) => setTimeout(...args).unref();

class Adapter extends PrismaPg {
  async connect() {
    return adapt(await super.connect());
  }

  async connectToShadowDb() {
    return adapt(await super.connectToShadowDb());
  }
}

const { PGHOST, PGUSER, PGDATABASE } = process.env;
export default {
  schema: "schema.prisma",
  migrations: { path: "migrations" },
  experimental: { adapter: true },
  engine: "js",
  adapter: async () => new Adapter({ host: PGHOST, user: PGUSER, database: PGDATABASE, allowExitOnIdle: true }),
};
