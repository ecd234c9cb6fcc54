const id = 'text COLLATE "C"';

// Create a table with all that the conventions ask for.
function createTable(pgm, name, prefix, policy, columns) {
  const clock = { type: "timestamptz", notNull: true, default: pgm.func("now()") };
  pgm.createTable(name, {
    id: { type: id, primaryKey: true, default: pgm.func(`generate_id('${prefix}')`), check: `id LIKE '${prefix}_%'` },
    created_at: clock,
    updated_at: clock,
    storytime: { type: "jsonb" },
    ...columns,
  });
  pgm.createTrigger(name, "updated_at", { when: "BEFORE", operation: "UPDATE", level: "ROW", function: "updated_at" });
  pgm.alterTable(name, { levelSecurity: "ENABLE" });
  pgm.createPolicy(name, "own", { command: "ALL", role: "customer", using: policy });
}

exports.up = (pgm) => {
  createTable(pgm, "organizations", "org", "id = dbkit.organization_id()", {});
  pgm.sql("SELECT dbkit.create_enum('status', '{new,active,done}')");
  createTable(pgm, "orders", "ord", "organization_id = dbkit.organization_id()", {
    organization_id: { type: id, notNull: true, references: "organizations", onDelete: "CASCADE" },
    status: { type: "text", notNull: true, default: "new", references: "status_enum" },
    datasource_extid: { type: id },
    count: { type: "bigint" },
  });
  pgm.createIndex("orders", "organization_id");
  pgm.createIndex("orders", "status");
};

exports.down = (pgm) => {
  pgm.dropTable("orders");
  pgm.dropTable("status_enum");
  pgm.dropTable("organizations");
};
