/*
 * nginx's split_clients module: variables that have different values for shares of all requests, by a hash of a text.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { type CheckedDirective, valuesOf } from '../../../conf/schema/checked.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Directive } from '../../../conf/syntax/ast.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import { text } from '../../../conf/values/text.js';
import { variableText } from '../../../conf/values/variable-text.js';
import { murmurHash2 } from '../../../core/murmur-hash.js';
import { guardCycles } from '../../../request/evaluation-depth.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { Text } from '../../../variables/text.js';
import type { HttpBuild, HttpModule } from '../../module.js';
import { readVariableName } from '../../variable-name.js';

const splitClients = defineDirective({
  name: 'split_clients',
  syntax: 'split_clients text $variable { ... }',
  contexts: ['http'],
  args: [variableText, text('$variable')],
  block: {
    checkEntry({ name, args }: Directive) {
      if (args.length !== 1) {
        const message = 'a line of "split_clients" is a share and its value';
        return finding(
          'split-entry',
          message,
          'write 0.5% value; or * value;',
          `invalid number of arguments in "split_clients" directive`,
        );
      }
      if (name === '*' || readPercent(name) > 0) return null;
      const message = `invalid percent value "${name}"`;
      return finding('split-entry', message, 'write it like 20% or 0.25%, or * for the rest');
    },
  },
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary: 'Makes a variable that has each of several values for a share of requests, chosen by a text.',
  since: '0.2.0',
  effect: 'full',
});

/** Hundredths of a percent; 0 for what is no share. */
function readPercent(share: string): number {
  const match = /^(\d*)(?:\.(\d{0,2}))?%$/.exec(share);
  return match === null ? 0 : Number(match[1] ?? 0) * 100 + Number((match[2] ?? '').padEnd(2, '0'));
}

const ALL = 10_000;
const HASHES = 0xffff_ffff;

export const splitClientsModule: HttpModule = {
  name: 'split_clients',
  directives: [splitClients],
  declare(directives, build) {
    for (const directive of directives) {
      const values = valuesOf(splitClients, directive);
      if (values !== null) defineSplit(directive, build.text(values[0], directive.node.args[0]!), build);
    }
  },
};

/** Hashes below `below` that no part before has. */
interface Part {
  readonly below: number;
  readonly value: string;
  readonly entry: Directive;
}

function defineSplit(directive: CheckedDirective, source: Text<HttpRequest>, build: HttpBuild): void {
  const name = readVariableName(directive.node.args[1]!, build);
  if (name === null) return;
  const parts = partsOf(directive, build);
  const { onLineChosen } = build;
  build.variables.define({
    name,
    isChangeable: true,
    get: guardCycles(name, (request) => {
      const hash = murmurHash2(source.evaluate(request));
      for (const { below, value, entry } of parts) {
        if (hash >= below) continue;
        if (onLineChosen !== null) onLineChosen(entry);
        return value;
      }
      return '';
    }),
  });
}

function partsOf({ node, entries }: CheckedDirective, build: HttpBuild): Part[] {
  const parts: Part[] = [];
  let sum = 0;
  let last = 0;
  for (const entry of entries) {
    const share = entry.name === '*' ? ALL - sum : readPercent(entry.name);
    sum += share;
    if (sum > ALL) {
      build.report(node, finding('split-total', 'percent total is greater than 100%', null));
      return [];
    }
    last += Math.floor((share * HASHES) / ALL);
    const below = entry.name === '*' || sum === ALL ? Number.POSITIVE_INFINITY : last;
    parts.push({ below, value: toByteString(entry.args[0]!.text), entry });
  }
  return parts;
}
