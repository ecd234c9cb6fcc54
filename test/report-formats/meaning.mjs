// Read what dbkit.annotations_yaml() and dbkit.describe() write as other programs do: parsers of
// YAML, one of Markdown, and Mermaid in headless Chromium.  TAP.
//
//   node meaning.mjs DIRECTORY
//
// For each set: SET.json, .yaml, .markdown, .mermaid, .dump of pg_dump -s, and .tables, what the catalog has.

import { execFileSync } from 'node:child_process'
import { deepStrictEqual as same, ok as is } from 'node:assert'
import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { marked } from 'marked'
import puppeteer from 'puppeteer-core'
import YAML from 'yaml'

const require = createRequire(import.meta.url)
const directory = process.argv[2]
const read = name => readFileSync(`${directory}/${name}`, 'utf8').replace(/\n$/, '')
const sets = readdirSync(directory).filter(name => name.endsWith('.mermaid')).map(name => name.replace('.mermaid', '')).sort()

async function test(name, check) {
  try {
    await check()
    console.log(`ok - ${name}`)
  } catch (error) {
    process.exitCode = 1
    console.log(`not ok - ${name}`)
    console.log(`${error.stdout ?? ''}${error.stderr ?? ''}${error.stack}`.replace(/^/gm, '# '))
  }
}

function run(input, command, ...args) {
  return JSON.parse(execFileSync(command, args, { input, maxBuffer: 1e8, stdio: ['pipe', 'pipe', 'pipe'] }))
}

// What a set has to be for the tests of it to say something
function checkSet(set, tables) {
  is(tables.length > 0)
  is(set !== 'all' || tables.length > 90)
}

async function tryYaml(set) {
  const yaml = read(`${set}.yaml`)
  const annotations = JSON.parse(read(`${set}.json`))
  await test(`${set}: yaml of npm reads the annotations, as YAML 1.2 and 1.1`, () => {
    for (const version of ['1.2', '1.1']) {
      const document = YAML.parseDocument(yaml, { version, strict: true, uniqueKeys: true })
      same([...document.errors, ...document.warnings], [])
      same(document.toJS(), annotations)
    }
  })
  await test(`${set}: PyYAML reads them`, () => {
    same(run(yaml, 'python3', '-c', 'import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin.buffer.read())))'), annotations)
  })
  await test(`${set}: yq reads them`, () => same(run(yaml, 'yq', '-c', '.'), annotations))
}

// As a reader sees a text: without markup, all blanks alike
function shown(html) {
  const entities = { amp: '&', lt: '<', gt: '>', quot: '"' }
  return html.replace(/<[^>]*>/g, '').replace(/&(?:#(\d+)|(\w+));/g, (_, code, name) => code ? String.fromCodePoint(code) : entities[name])
}
const oneLine = text => text.replace(/[\x00-\x20\x7f]+/g, ' ').trim()

async function tryMarkdown(set, tables) {
  const tokens = marked.lexer(read(`${set}.markdown`), { gfm: true })
  const sections = tokens.flatMap((token, i) => token.type === 'heading' && token.depth === 2 && token.text !== 'Enum types' ? [{ heading: token, rest: tokens.slice(i + 1) }] : [])
  const text = token => shown(marked.parser([token]))
  await test(`${set}: markdown has a section for each table, and none besides`, () => {
    same(sections.map(section => oneLine(text(section.heading))), tables.map(table => oneLine(table.name)))
  })
  await test(`${set}: markdown shows each column, and each comment as it is`, () => {
    sections.forEach(({ rest }, i) => {
      const table = tables[i]
      const [summary, ...others] = rest.filter(token => token.type !== 'space')
      same(summary.type, 'paragraph')
      is(text(summary).trim().endsWith(oneLine(table.comment ?? '')), `${table.name}: ${text(summary)}`)
      const columns = table.columns.length ? others[0].items : []
      same(columns.length, table.columns.length)
      columns.forEach((item, place) => {
        const { name, comment } = table.columns[place]
        const line = shown(marked.parseInline(item.text)).trim()
        const identifier = /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
        is(line.startsWith(oneLine(identifier)), `${line} is not ${name}`)
        is(line.endsWith(oneLine(comment ?? '')), `${line} does not end in ${comment}`)
      })
    })
  })
  await test(`${set}: markdown is at most a third of pg_dump -s`, () => {
    const sizes = [read(`${set}.markdown`).length, read(`${set}.dump`).length]
    is(sizes[0] * 3 <= sizes[1], sizes.join(' of '))
  })
}

// Runs in the page: draw, and return the names in the drawing.
async function draw(text, id) {
  mermaid.initialize({ startOnLoad: false, securityLevel: 'strict', maxTextSize: 1e7, maxEdges: 1e5 })
  const { svg } = await mermaid.render(id, text)
  const holder = document.createElement('div')
  holder.innerHTML = svg
  const all = selector => [...holder.querySelectorAll(selector)]
  return {
    // Without columns it has nothing but its name
    entities: all('.node').map(node => (node.querySelector('.label.name') ?? node).textContent),
    attributes: all('.node .label.attribute-name').length,
    references: all('.relationshipLine').length
  }
}

async function tryMermaid(page, set, tables) {
  const drawn = tables.filter(table => !table.is_view)
  await test(`${set}: mermaid draws every table, column and foreign key`, async () => {
    const found = await page.evaluate(draw, read(`${set}.mermaid`), `set${sets.indexOf(set)}`)
    const visible = text => text.replace(/[\s\u00a0\0-\x1f\x7f]+/g, ' ').trim()
    same(found.entities.map(visible).sort(), drawn.map(table => visible(table.name)).sort())
    same(found.attributes, drawn.reduce((sum, table) => sum + table.columns.length, 0))
    same(found.references, drawn.reduce((sum, table) => sum + table.foreign_keys, 0))
  })
}

const browser = await puppeteer.launch({
  executablePath: '/usr/bin/chromium', userDataDir: `${directory}/profile`,
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu']
})
try {
  for (const set of sets) {
    const page = await browser.newPage()
    await page.setContent('<body></body>')
    await page.addScriptTag({ path: require.resolve('mermaid').replace(/[^/]*$/, 'mermaid.min.js') })
    const tables = JSON.parse(read(`${set}.tables`))
    await test(`${set}: there is what this is about`, () => checkSet(set, tables))
    await tryYaml(set)
    await tryMarkdown(set, tables)
    await tryMermaid(page, set, tables)
    await page.close()
  }
} finally {
  await browser.close()
}
