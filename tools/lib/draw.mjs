// Draw a diagram of Mermaid as SVG, on a light ground, as docs/pictures has it.
//
//   node tools/lib/draw.mjs PACKAGES DIAGRAM SVG
//
// PACKAGES is what tools/lib/npm prints for test/report-formats/package.json; Debian's
// chromium has to be installed.  docs/pictures/describe.svg is the diagram of
// docs/reference/describe.md.

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const [packages, diagram, picture] = process.argv.slice(2);
const require = createRequire(`${packages}/package.json`);
const puppeteer = require("puppeteer-core");

// Runs in the page.  Text as HTML is not drawn where a picture is shown by <img>.
async function draw(text) {
  mermaid.initialize({ startOnLoad: false, htmlLabels: false, theme: "neutral", fontFamily: "system-ui, sans-serif", deterministicIds: true });
  const holder = document.createElement("div");
  holder.innerHTML = (await mermaid.render("diagram", text)).svg;
  const svg = holder.firstElementChild;
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  for (const [name, value] of Object.entries({ width, height, style: "background: #f6f7fb" })) svg.setAttribute(name, value);
  return new XMLSerializer().serializeToString(svg);
}

const browser = await puppeteer.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"] });
try {
  const page = await browser.newPage();
  await page.setContent("<body></body>");
  await page.addScriptTag({ path: require.resolve("mermaid").replace(/[^/]*$/, "mermaid.min.js") });
  writeFileSync(picture, `${await page.evaluate(draw, readFileSync(diagram, "utf8"))}\n`);
} finally {
  await browser.close();
}
