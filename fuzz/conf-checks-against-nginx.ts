// Random configurations of directives that nginx checks by their declaration alone, some misplaced, misspelled
// or with wrong values, through `nginx -t` and through our check: both must accept or name the same first error on
// the same line.
//
//   npm run -s build:tools && node .build/fuzz/conf-checks-against-nginx.js [cases] [seed]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderForLog } from '../src/conf/diagnostics/render.js';
import { loadConf } from '../src/conf/load/load.js';
import { checkConf } from '../src/conf/schema/check.js';
import type { Context } from '../src/conf/schema/contexts.js';
import { contextWithin, type DirectiveDefinition } from '../src/conf/schema/definition.js';
import { PLAIN_DIRECTIVES, sampleRegistry } from '../test/sample-registry.js';
import { Random } from './random.js';

const VALUES = [
  'on',
  'off',
  'ON',
  '0',
  '1',
  '5',
  '10',
  '10k',
  '1M',
  '1g',
  '30s',
  '1m30s',
  '1h 5',
  '500ms',
  '1y',
  'all',
];
const BAD_VALUES = [
  'x',
  '-1',
  '"',
  '10mb',
  '1s1s',
  '',
  '1.5',
  'alwayss',
  '5m1h',
  '99999999999999999999',
  '$a',
  '1w2d',
  'a}',
];

/** Writes a random configuration and counts up names of locations, which nginx wants to be unique. */
class ConfWriter {
  readonly #random: Random;
  #locations = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  block(context: Context, depth: number, path: string): string {
    const random = this.#random;
    const isUsed = new Set<string>();
    const pad = '  '.repeat(depth);
    return random
      .many(0, 4, () => {
        const isWild = random.oneIn(25);
        const fitting = PLAIN_DIRECTIVES.filter((one) => {
          return isWild || (one.contexts.includes(context) && (one.isRepeatable || !isUsed.has(one.name)));
        });
        if (fitting.length === 0) return '';
        const definition = random.pick(fitting);
        if (!random.oneIn(25)) isUsed.add(definition.name);
        return (
          pad + this.directive(definition, context, depth, path) + random.pick(['\n', '\n', '\n\n', ' # c\n'])
        );
      })
      .join('');
  }

  directive(definition: DirectiveDefinition, context: Context, depth: number, path: string): string {
    const random = this.#random;
    const name = random.oneIn(60) ? definition.name + random.pick(['s', '_', '}']) : definition.name;
    const inner = definition.name === 'location' ? `${path}/${this.#locations++}` : path;
    const words = [name, ...this.args(definition, inner)].join(random.oneIn(10) ? '\n  ' : ' ');
    const hasBlock = (definition.block !== null) !== random.oneIn(40);
    if (!hasBlock) return words + (random.oneIn(60) ? '' : ';');
    const within = contextWithin(definition, context) ?? 'http';
    const isEntries = definition.block !== null && 'checkEntry' in definition.block;
    const body = depth > 5 || isEntries ? '' : this.block(within, depth + 1, inner);
    return `${words} {\n${body}${'  '.repeat(depth)}${random.oneIn(80) ? '' : '}'}`;
  }

  args(definition: DirectiveDefinition, path: string): string[] {
    const random = this.#random;
    if (random.oneIn(40)) return random.many(0, 3, () => random.pick(VALUES));
    if (definition.name === 'location') return [path];
    if (definition.name === 'limit_except') return ['GET'];
    return definition.args.map((spec) => {
      if (!('parse' in spec)) return random.pick(VALUES);
      const good = VALUES.filter((value) => !(spec.parse(value) instanceof Object));
      return quote(random.oneIn(30) ? random.pick(BAD_VALUES) : random.pick(good));
    });
  }
}

function quote(value: string): string {
  return /^[\w$.-]+$/.test(value) ? value : `'${value}'`;
}

function askNginx(folder: string, path: string): string | null {
  const { stderr } = spawnSync('nginx', ['-t', '-p', folder, '-c', path], { encoding: 'utf8' });
  const error = stderr.split('\n').find((line) => line.includes('[emerg]'));
  return error?.replace(/^.*?(\[emerg\]) \d+#\d+: /, '$1 ').replace(/^nginx: /, '') ?? null;
}

function main(cases: number, seed: number): void {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-fuzz-'));
  const path = join(folder, 'nginx.conf');
  const random = new Random(seed);
  const kinds = new Map<string, number>();
  let differing = 0;
  for (let i = 0; i < cases; i++) {
    const events = random.oneIn(3) ? 'events { worker_connections 64; }\n' : 'events {}\n';
    const http = new ConfWriter(random).block('http', 1, '');
    const main = random.oneIn(4) ? new ConfWriter(random).block('main', 0, '') : '';
    const text = `error_log stderr; pid ${folder}/pid;\n${events}${main}http {\n${http}}\n`;
    writeFileSync(path, text);
    const theirs = askNginx(folder, path);
    const reader = {
      readFile: () => text.replace(/error_log stderr; /, ' '.repeat(18)),
      listFolder: () => null,
    };
    const { diagnostics } = checkConf(loadConf(path, reader), sampleRegistry);
    const ours = diagnostics[0] === undefined ? null : renderForLog(diagnostics[0]);
    const kind = diagnostics[0]?.code ?? 'accepted';
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    if (ours === theirs) continue;
    differing++;
    if (differing <= 6) console.log(JSON.stringify({ ours, theirs, text }, null, 1).replaceAll('\\n', '\n'));
  }
  rmSync(folder, { recursive: true });
  console.log(
    `${cases} cases, seed ${seed}: ${differing} differ;`,
    JSON.stringify(Object.fromEntries(kinds)),
  );
  if (differing > 0) process.exitCode = 1;
}

main(Number(process.argv[2] ?? 2000), Number(process.argv[3] ?? 1));
