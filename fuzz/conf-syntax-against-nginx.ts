// Random text through `nginx -t` and through our parser: both must accept it or name the same first error on
// the same line, and both must see the same words. Words show in the warnings of a `types` block, which nginx
// prints for every extension that stands there twice.
//
//   npm run -s build:tools && node .build/fuzz/conf-syntax-against-nginx.js [cases] [seed]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unexpectedCharacter, unknownDirective } from '../src/conf/diagnostics/catalogue.js';
import { type Diagnostic, diagnose } from '../src/conf/diagnostics/diagnostic.js';
import { renderForLog } from '../src/conf/diagnostics/render.js';
import { type Directive, directivesOf, type Item } from '../src/conf/syntax/ast.js';
import { parse } from '../src/conf/syntax/parser.js';
import { Source, type Span } from '../src/conf/syntax/source.js';
import { Random } from './random.js';

const ALPHABET = [...'aaab"\'"\'\\\\\\$$$ {{}}};;;;#   \n\n\t\r()tnr=~.é\u00a0'];

/** What nginx would print, as far as we can tell: the warnings until the first error, and that error. */
function predict(source: Source): string[] {
  const { items, diagnostics } = parse(source);
  const errors = [...diagnostics, ...findUnknown(items, source)];
  errors.sort((a, b) => a.logOffset - b.logOffset);
  const first = errors[0];
  const warnings = duplicatesOf(items, source, first?.logOffset ?? Number.POSITIVE_INFINITY);
  if (first === undefined) return warnings;
  // nginx names the first byte of a character that it did not expect.
  const error = toBytes(renderForLog(first)).replace(
    /^(\[emerg\] unexpected "[\x80-\xff])[\x80-\xbf]+/,
    '$1',
  );
  return [...warnings, error];
}

function toBytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function findUnknown(items: readonly Item[], source: Source): Diagnostic[] {
  return directivesOf(items).flatMap((directive) => {
    if (directive.isBroken) return [];
    const place = { source, start: directive.headEnd, end: directive.headEnd + 1 };
    const isKnown = ['events', 'error_log', 'pid'].includes(directive.name);
    if (isKnown) return [];
    if (directive.name === 'http') return findUnknown(directive.block ?? [], source);
    if (directive.name !== 'types') return [diagnose(unknownDirective(directive.name, null), place)];
    return directivesOf(directive.block ?? []).flatMap((entry) =>
      entry.block === null ? [] : [diagnose(unexpectedCharacter('{'), blockOf(entry, source))],
    );
  });
}

function blockOf(entry: Directive, source: Source): Span {
  return { source, start: entry.headEnd, end: entry.headEnd + 1 };
}

function duplicatesOf(items: readonly Item[], source: Source, end: number): string[] {
  const warnings: string[] = [];
  const types = new Map<string, string>();
  const walk = (inner: readonly Item[]): void => {
    for (const directive of directivesOf(inner)) {
      if (directive.name === 'http') walk(directive.block ?? []);
      if (directive.name !== 'types') continue;
      for (const entry of directivesOf(directive.block ?? [])) {
        if (entry.headEnd >= end || entry.block !== null) continue;
        for (const { text } of entry.args) {
          const extension = text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
          const previous = types.get(extension);
          types.set(extension, entry.name);
          if (previous === undefined) continue;
          const words = `duplicate extension "${extension}", content type: "${entry.name}", previous content type: "${previous}"`;
          const place = `in ${source.name}:${source.lineAt(entry.headEnd)}`;
          warnings.push(`[warn] ${toBytes(words).slice(0, 1024)} ${place}`);
        }
      }
    }
  };
  walk(items);
  return warnings;
}

function askNginx(folder: string, path: string): string[] {
  const { stderr } = spawnSync('nginx', ['-t', '-p', folder, '-c', path], { encoding: 'latin1' });
  return stderr
    .split(/^(?:nginx: (?=\[)|\d{4}\/\S+ \S+ (?=\[\w+\] \d+#\d+: )|nginx: (?:the )?configuration file )/m)
    .filter((line) => line.startsWith('['))
    .map((line) => line.replace(/^(\[\w+\]) \d+#\d+: /, '$1 ').replace(/\n$/, ''));
}

function makeText(random: Random): string {
  const soup = random.many(1, 30, () => random.pick(ALPHABET)).join('');
  const words = random
    .many(1, 5, () => {
      const quote = random.pick(['"', "'", '', '']);
      return quote + random.many(0, 6, () => random.pick(ALPHABET)).join('') + quote;
    })
    .join(random.pick([' ', '\n', '\t ']));
  const statement = random.oneIn(2) ? soup : `x ${words};`;
  const long = random.oneIn(40)
    ? random.pick(['', '"', "'", '#', 'é']) +
      'y'.repeat(4075 + random.below(30)) +
      random.pick(['', '"', "'", ' '])
    : '';
  return `${statement}\n${long}${random.oneIn(30) ? '' : statement}`;
}

function show(what: object): string {
  return JSON.stringify(what, null, 1).replace(/(.)\1{50,}/g, (run, one) => `${one}{${run.length}}`);
}

function main(cases: number, seed: number): void {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-fuzz-'));
  const path = join(folder, 'nginx.conf');
  const random = new Random(seed);
  let accepted = 0;
  let warned = 0;
  let differing = 0;
  for (let i = 0; i < cases; i++) {
    const text = `events {}\nerror_log stderr;\npid ${folder}/pid;\nhttp { types {\n${makeText(random)}\n}}\n`;
    writeFileSync(path, text);
    const theirs = askNginx(folder, path);
    const ours = predict(new Source(path, text));
    if (theirs.length === 0 || theirs.at(-1)!.startsWith('[warn]')) accepted++;
    warned += theirs.filter((line) => line.startsWith('[warn]')).length;
    if (JSON.stringify(ours) === JSON.stringify(theirs)) continue;
    differing++;
    if (differing <= 10) console.log(show({ text, ours, theirs }));
  }
  rmSync(folder, { recursive: true });
  console.log(
    `${cases} cases, seed ${seed}: ${accepted} accepted, ${warned} words compared, ${differing} differ`,
  );
  if (differing > 0) process.exitCode = 1;
}

main(Number(process.argv[2] ?? 2000), Number(process.argv[3] ?? 1));
