// Writes docs/reference/ from the directives' declarations: a page for each module, a list of them, the schema.
// With --check it only says whether the pages are as the declarations are, for `npm run check`.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { schemaText } from '../src/cli/directives-command.js';
import { moduleReferences } from '../src/cli/reference/catalogue.js';
import { modulePage } from '../src/cli/reference/describe.js';

const FOLDER = 'docs/reference';

function makePages(): Map<string, string> {
  const modules = moduleReferences();
  const pages = new Map(modules.map((module) => [`${module.name}.md`, modulePage(module)]));
  const rows = modules.map(({ name, title, directives }) => {
    const names = directives.map((directive) => `[${directive.name}](${name}.md#${directive.name})`);
    return `| [${title}](${name}.md) | ${names.join(', ')} |`;
  });
  const intro =
    'Every directive there is, by module. These pages are written from the declarations in `src/modules/` by\n' +
    '`npm run docs`; [schema.json](schema.json) is the same as a JSON Schema. On the command line:\n' +
    '`sluice directives NAME`.';
  pages.set(
    'README.md',
    `# Directives\n\n${intro}\n\n| module | directives |\n|---|---|\n${rows.join('\n')}\n`,
  );
  pages.set('schema.json', schemaText());
  return pages;
}

function readPages(): Map<string, string> {
  try {
    return new Map(readdirSync(FOLDER).map((name) => [name, readFileSync(`${FOLDER}/${name}`, 'utf8')]));
  } catch {
    return new Map();
  }
}

const pages = makePages();
const present = readPages();
const names = [...new Set([...pages.keys(), ...present.keys()])].sort();
const stale = names.filter((name) => pages.get(name) !== present.get(name));
if (process.argv.includes('--check')) {
  for (const name of stale)
    console.error(`${FOLDER}/${name} is not as the declarations are: run npm run docs`);
  console.log(`reference pages: ${pages.size}, stale: ${stale.length}`);
  if (stale.length > 0) process.exitCode = 1;
} else {
  mkdirSync(FOLDER, { recursive: true });
  for (const name of stale) {
    const text = pages.get(name);
    if (text === undefined) rmSync(`${FOLDER}/${name}`);
    else writeFileSync(`${FOLDER}/${name}`, text);
  }
  console.log(`reference pages: ${pages.size}, written: ${stale.length}`);
}
