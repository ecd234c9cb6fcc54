// Open every page of the site that tools/docs-site has built in headless Chromium, and look
// for what would annoy a reader.  TAP; the last line is "N passed, N failed".
//
//   node tools/lib/browse.mjs PACKAGES SITE TEMPORARY

import { createReadStream, existsSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname } from "node:path";

const [packages, site, temporary] = process.argv.slice(2);
const puppeteer = createRequire(`${packages}/package.json`)("puppeteer-core");
const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2", ".json": "application/json" };
const phone = { width: 390, height: 844, isMobile: true, hasTouch: true };
const readable = 4.5; // WCAG 2.2, 1.4.3: contrast of text

let passed = 0;
let failed = 0;

// One test, which holds if nothing is wrong
function report(name, wrong) {
  if (wrong.length) failed++; else passed++;
  console.log(`${wrong.length ? "not ok" : "ok"} - ${name}`);
  for (const line of new Set(wrong)) console.log(`# ${line}`);
}

function serve() {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname).replace(/\/$/, "/index.html");
    if (path.includes("..") || !existsSync(site + path)) return response.writeHead(404).end();
    response.writeHead(200, { "Content-Type": types[extname(path)] ?? "application/octet-stream" });
    createReadStream(site + path).pipe(response);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

// What follows runs in the page.

function links() {
  return [...document.querySelectorAll("a[href]")].map((a) => a.href);
}

function anchors() {
  return [...document.querySelectorAll("[id]")].map((element) => element.id);
}

function brokenPictures() {
  return [...document.images].filter((image) => !image.naturalWidth).map((image) => `no picture ${image.src}`);
}

// What in the page is wider than the screen
function tooWide(width) {
  return document.documentElement.scrollWidth > width ? [`it scrolls sideways: ${document.documentElement.scrollWidth} pixels`] : [];
}

// Text whose contrast to what is behind it is less than that
function unreadable(least) {
  const colour = (text) => { const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number); return { rgb: [r, g, b], a }; };
  const over = (top, below) => top.rgb.map((c, i) => c * top.a + below[i] * (1 - top.a));
  const behind = (element) => element ? over(colour(getComputedStyle(element).backgroundColor), behind(element.parentElement)) : [255, 255, 255];
  const luminance = (rgb) => rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const found = [];
  const walker = document.createTreeWalker(document.querySelector(".vp-doc") ?? document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || !element.getClientRects().length || getComputedStyle(element).opacity === "0" || element.closest(".header-anchor, style, .lang")) continue;
    const background = behind(element);
    const front = over(colour(getComputedStyle(element).color), background);
    const [darker, lighter] = [luminance(background), luminance(front)].sort((a, b) => a - b);
    const contrast = (lighter + 0.05) / (darker + 0.05);
    if (contrast < least) found.push(`contrast ${contrast.toFixed(2)} ${document.documentElement.className}: ${text.slice(0, 40)}`);
  }
  return found;
}

// Open a page; return what is wrong with it, where it leads, and its anchors.
async function visit(browser, origin, path) {
  const page = await browser.newPage();
  const wrong = [];
  page.on("console", (message) => { if (message.type() === "error" || message.type() === "warn") wrong.push(`console: ${message.text()}`); });
  page.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
  page.on("requestfailed", (request) => wrong.push(`not loaded: ${request.url()}`));
  page.on("request", (request) => { if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).origin !== origin) wrong.push(`from elsewhere: ${request.url()}`); });
  await page.setViewport(phone);
  await page.goto(origin + path, { waitUntil: "networkidle0" });
  wrong.push(...await page.evaluate(brokenPictures), ...await page.evaluate(tooWide, phone.width));
  for (const scheme of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.waitForFunction((dark) => document.documentElement.classList.contains("dark") === dark, { polling: 50 }, scheme === "dark");
    await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {}))));
    wrong.push(...await page.evaluate(unreadable, readable));
  }
  const seen = { wrong, links: await page.evaluate(links), anchors: await page.evaluate(anchors) };
  await page.close();
  return seen;
}

// Open all pages, some at a time; most of it is waiting.
async function visitAll(browser, origin, paths) {
  const visited = new Map();
  const left = [...paths];
  const next = async () => { for (let path; (path = left.shift()); ) visited.set(path, await visit(browser, origin, path)); };
  await Promise.all(Array.from({ length: 4 }, next));
  return visited;
}

// Links within the site that lead nowhere
function dead(links, origin, visited) {
  return links.map((link) => new URL(link)).filter((url) => url.origin === origin).flatMap((url) => {
    const target = visited.get(url.pathname.replace(/\/$/, "/index.html"));
    const anchor = decodeURIComponent(url.hash.slice(1));
    return !target ? [`dead link: ${url.pathname}`] : anchor && !target.anchors.includes(anchor) ? [`no such anchor: ${url.pathname}${url.hash}`] : [];
  });
}

// Search for a rule as a reader does, and take the first result.
async function search(page, rule) {
  const seen = () => document.querySelector("a.result")?.href ?? "nothing";
  try {
    await page.keyboard.press("/");
    await (await page.waitForSelector("#localsearch-input", { timeout: 5000 })).type(rule);
    await page.waitForFunction((rule) => document.querySelector("a.result")?.pathname.endsWith(`/rules/${rule}.html`), { timeout: 5000 }, rule);
    await page.keyboard.press("Enter");
    await page.waitForFunction((rule) => document.querySelector("h1")?.textContent.startsWith(rule), { timeout: 5000 }, rule);
    return [];
  } catch (error) {
    return [error.message, `the first result is ${await page.evaluate(seen)}`];
  }
}

const server = await serve();
const origin = `http://127.0.0.1:${server.address().port}`;
const browser = await puppeteer.launch({
  executablePath: "/usr/bin/chromium", userDataDir: `${temporary}/profile`,
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"],
});
try {
  const paths = readdirSync(site, { recursive: true }).filter((file) => file.endsWith(".html") && file !== "404.html").map((file) => `/${file}`).sort();
  const visited = await visitAll(browser, origin, paths);
  report("there are pages", visited.size > 30 ? [] : [`${visited.size} pages`]);
  for (const path of paths) report(path, [...visited.get(path).wrong, ...dead(visited.get(path).links, origin, visited)]);
  const page = await browser.newPage();
  await page.goto(`${origin}/index.html`, { waitUntil: "networkidle0" });
  for (const path of paths.filter((path) => path.startsWith("/rules/"))) {
    const rule = path.slice("/rules/".length, -".html".length);
    report(`searching for ${rule} leads to its page`, await search(page, rule));
  }
} finally {
  await browser.close();
  server.close();
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
