module.exports = { ...require("./drizzle.config.js"), schema: "./pulled/schema.ts", out: "./pulled" };
