// The import rules on made-up trees, each of which breaks one rule; nothing here reads the real src/.
import { expect, test } from 'vitest';
import { checkImports, rooms } from './check-imports.js';

/** Checks a tree given as path -> text, and returns its offences as `path:line: message`. */
function offencesOf(tree: Record<string, string>): string[] {
  const files = Object.entries(tree).map(([path, text]) => ({ path, text }));
  return checkImports(files).offences.map(({ path, line, message }) => `${path}:${line}: ${message}`);
}

test('import rules pass a tree whose imports all point down', () => {
  const report = checkImports([
    { path: 'core/clock.ts', text: 'export const now = 1;' },
    {
      path: 'net/socket.ts',
      text: "import { Socket } from 'node:net';\nimport { now } from '../core/clock.js';",
    },
    { path: 'http/h1/head.ts', text: "import type { now } from '../../core/clock.js';" },
    {
      path: 'cli/main.ts',
      text: "import { Command } from 'commander';\nimport * as all from '../index.js';",
    },
    { path: 'index.ts', text: "export * from './server/server.js';" },
    { path: 'server/server.ts', text: "import { read } from './reader.js';" },
    { path: 'server/reader.ts', text: '' },
  ]);
  expect(report).toEqual({ fileCount: 7, importCount: 7, cycleCount: 0, offences: [] });
});

test.each([
  ['a statement', "import { b } from '../server/b.js';"],
  ['a type import', "import type { B } from '../server/b.js';"],
  ['an import for its effect', "import '../server/b.js';"],
  ['a re-export', "export { b } from '../server/b.js';"],
  ['a type re-export', "export type { B } from '../server/b.js';"],
  ['a re-export of all', "export * from '../server/b.js';"],
  ['an import() type', "let b: import('../server/b.js').B;"],
  ['an import() call', "const b = await import('../server/b.js');"],
])('import rules reject an upward import written as %s', (_form, text) => {
  expect(offencesOf({ 'conf/a.ts': `\n${text}\n`, 'server/b.ts': '' })).toEqual([
    'conf/a.ts:2: conf imports server/b.ts: conf may import core',
  ]);
});

test('import rules do not take a comment or a string for an import', () => {
  const text =
    "// import '../server/b.js'\nconst a = \"import '../server/b.js'\"; const b = `export * from '../server/b.js'`;";
  expect(offencesOf({ 'core/a.ts': text, 'server/b.ts': '' })).toEqual([]);
});

test('import rules say so when a room may import nothing', () => {
  expect(offencesOf({ 'core/a.ts': "import '../conf/b.js';" })).toEqual([
    'core/a.ts:1: core imports conf/b.ts: core may import no other room',
  ]);
});

test('import rules let a room import a folder of another without the rest of it', () => {
  const text = "import '../http/message/field.js';\nimport '../http/h1/head.js';";
  expect(offencesOf({ 'cache/key.ts': text })).toEqual([
    'cache/key.ts:2: cache imports http/h1/head.ts: cache may import core, http/message, zones, log, metrics',
  ]);
});

test('import rules keep request/ from conf/', () => {
  const text = "import '../conf/a.js';\nimport '../zones/b.js';\nimport '../upstream/c.js';";
  const allowed = 'request may import core, variables, net, zones, log, metrics, http, cache, upstream';
  expect(offencesOf({ 'request/a.ts': text })).toEqual([
    `request/a.ts:1: request imports conf/a.ts: ${allowed}`,
  ]);
});

test('import rules keep compile/ from the catalog of modules alone', () => {
  const text = "import '../modules/catalog.js';\nimport '../modules/module.js';";
  expect(offencesOf({ 'compile/a.ts': text })).toEqual([
    expect.stringMatching(/^compile\/a\.ts:1: .* modules but not modules\/catalog\.ts$/),
  ]);
});

test.each(['node:net', 'node:tls', 'node:dgram', 'node:dns', 'node:dns/promises', 'net', 'dns/promises'])(
  'import rules let only net/, and the test kit, import %s',
  (specifier) => {
    const text = `import type {} from '${specifier}';`;
    expect(offencesOf({ 'net/a.ts': text, 'testing/a.ts': text })).toEqual([]);
    expect(offencesOf({ 'server/a.ts': text })).toEqual([
      expect.stringMatching(
        /^server\/a\.ts:1: imports node:(net|tls|dgram|dns|dns\/promises), which only net, testing may/,
      ),
    ]);
  },
);

test('import rules keep a module folder from importing another', () => {
  const tree = {
    'modules/http/proxy/proxy.ts': "import '../gzip/gzip.js';\nimport './own.js';\nimport '../../module.js';",
    'modules/http/proxy/own.ts': '',
    'modules/http/gzip/gzip.ts': '',
    'modules/module.ts': '',
    'modules/catalog.ts': "import './http/proxy/proxy.js';\nimport './http/gzip/gzip.js';",
  };
  expect(offencesOf(tree)).toEqual([
    'modules/http/proxy/proxy.ts:1: modules/http/proxy imports modules/http/gzip/gzip.ts: ' +
      'a module folder may not import another; move what they share down',
  ]);
});

test('import rules report a cycle once, with its shortest way round', () => {
  const report = checkImports([
    { path: 'core/a.ts', text: "\nimport './b.js';" },
    { path: 'core/b.ts', text: "import { C } from './c.js';" },
    { path: 'core/c.ts', text: "export * from './a.js';" },
    { path: 'core/d.ts', text: "import './b.js';" },
  ]);
  expect(report.cycleCount).toBe(1);
  expect(report.offences).toEqual([
    {
      path: 'core/a.ts',
      line: 2,
      message:
        'import cycle core/a.ts -> core/b.ts -> core/c.ts -> core/a.ts: ' +
        'move what they share into a file that both import',
    },
  ]);
});

test('import rules let types refer to each other inside of one room', () => {
  const report = checkImports([
    { path: 'core/a.ts', text: "import type { B } from './b.js';" },
    { path: 'core/b.ts', text: "import './a.js';" },
  ]);
  expect(report.cycleCount).toBe(0);
});

test('import rules report a file that imports itself', () => {
  expect(offencesOf({ 'core/a.ts': "import './a.js';" })).toEqual([
    expect.stringMatching(/^core\/a\.ts:1: import cycle core\/a\.ts -> core\/a\.ts:/),
  ]);
});

test('import rules report two cycles that share no file as two', () => {
  const files = [
    { path: 'core/a.ts', text: "import './b.js';" },
    { path: 'core/b.ts', text: "import './a.js';" },
    { path: 'core/c.ts', text: "import './d.js';" },
    { path: 'core/d.ts', text: "import './c.js';" },
  ];
  expect(checkImports(files).cycleCount).toBe(2);
});

test('import rules report a file outside of every room', () => {
  expect(offencesOf({ 'utils/a.ts': '' })).toEqual([
    expect.stringMatching(/^utils\/a\.ts:1: is in no room; the rooms are core, conf, /),
  ]);
});

test('import rules report an import of what is not shipped', () => {
  const text = "import '../../package.json';\nimport './b.test.js';\nimport './contract.js';";
  expect(offencesOf({ 'core/a.ts': text })).toEqual([
    'core/a.ts:1: imports src/../package.json: only what is in src/ is shipped',
    'core/a.ts:2: imports core/b.test.ts: tests are not shipped',
    'core/a.ts:3: imports core/contract.ts: tests are not shipped',
  ]);
});

test('import rules leave test files alone', () => {
  const tree = { 'core/a.test.ts': "import 'node:net';\nimport '../server/b.js';" };
  expect(offencesOf(tree)).toEqual([]);
});

test('the table of rooms names only lower rooms as importable', () => {
  for (const [index, room] of rooms.entries()) {
    if (room.mayImport === 'lower') continue;
    const lower = rooms.slice(0, index).map((one) => one.name);
    for (const place of room.mayImport) expect(lower).toContain(place.split('/')[0]);
  }
});
