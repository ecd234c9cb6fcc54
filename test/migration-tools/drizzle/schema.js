const { sql } = require("drizzle-orm");
const { bigint, check, customType, index, jsonb, pgPolicy, pgRole, pgTable, text, timestamp } = require("drizzle-orm/pg-core");

const id = customType({ dataType: () => 'text COLLATE "C"' });
const customer = pgRole("customer").existing();
const clock = (name) => timestamp(name, { withTimezone: true }).notNull().defaultNow();

// A table with the columns and the policy that every table has.
function table(name, prefix, policy, columns, indexes = () => []) {
  return pgTable(
    name,
    {
      id: id("id").primaryKey().default(sql.raw(`generate_id('${prefix}')`)),
      createdAt: clock("created_at"),
      updatedAt: clock("updated_at"),
      storytime: jsonb("storytime"),
      ...columns,
    },
    (t) => [
      check(`${name}_id_check`, sql.raw(`id LIKE '${prefix}_%'`)),
      pgPolicy("own", { for: "all", to: customer, using: sql.raw(policy) }),
      ...indexes(t),
    ],
  );
}

const organizations = table("organizations", "org", "id = dbkit.organization_id()", {});
const statusEnum = pgTable("status_enum", { value: text("value").primaryKey() });
const orders = table(
  "orders",
  "ord",
  "organization_id = dbkit.organization_id()",
  {
    organizationId: id("organization_id").notNull().references(() => organizations.id, { onDelete: "cascade" }),
    status: text("status").notNull().default("new").references(() => statusEnum.value),
    datasourceExtid: id("datasource_extid"),
    count: bigint("count", { mode: "bigint" }),
  },
  (t) => [index("orders_organization_id_idx").on(t.organizationId), index("orders_status_idx").on(t.status)],
);

module.exports = { customer, organizations, statusEnum, orders };
