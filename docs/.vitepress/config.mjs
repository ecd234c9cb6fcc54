// The site of docs/: "make docs" builds it, "make docs-serve" shows it.
//
// A page that is there is in the sidebar: first those that are named here, in this order,
// then the others of the folder.  Its name there is its title.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const docs = fileURLToPath(new URL("..", import.meta.url));
const title = (page) => readFileSync(`${docs}/${page}.md`, "utf8").match(/^# (.*)$/m)[1].replaceAll("`", "");
const link = (page) => ({ text: title(page), link: `/${page}` });

// A section of the sidebar: the pages of a folder
function section(text, folder, first = []) {
  const there = readdirSync(`${docs}/${folder}`).filter((name) => name.endsWith(".md")).map((name) => name.slice(0, -3)).sort();
  const pages = [...first, ...there.filter((name) => !first.includes(name))].filter((name) => there.includes(name));
  return { text, items: pages.map((name) => link(`${folder}/${name}`)) };
}

export default {
  title: "dbkit",
  description: "Database conventions that PostgreSQL itself holds",
  lang: "en",
  head: [["link", { rel: "icon", href: "/icon.svg", type: "image/svg+xml" }]],
  themeConfig: {
    sidebar: [
      { text: "Start", items: [link("index"), link("tutorial")] },
      section("How to", "how-to", ["install", "adopt", "replay", "own-rules", "ci", "hosted-production", "pg-tle", "cockroachdb", "many-databases", "migration-tools", "clients", "ids-in-clients", "tenant-transactions", "product-flow", "pooler", "signed-mode", "test-policies", "partitions", "monitoring", "test-databases", "typed-clients", "at-night"]),
      section("Reference", "reference", ["rules", "errors", "checking", "agreement", "exemptions", "settings", "create-table", "ids", "prefix-registry", "updated_at"]),
      { ...section("Rules", "rules"), collapsed: true },
      section("Explanation", "explanation", ["phases", "live-changes", "limits", "threat-model", "comparison", "other-linters", "speed"]),
    ],
    outline: [2, 3],
    search: {
      provider: "local",
      options: {
        // The id of a rule, such as primary_key, is one word.
        miniSearch: { options: { tokenize: (text) => text.toLowerCase().split(/[^\p{L}\p{N}_]+/u).filter(Boolean) } },
      },
    },
  },
  markdown: { theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" } },
};
