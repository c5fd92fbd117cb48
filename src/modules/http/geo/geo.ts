/*
 * nginx's geo module: variables whose values depend on an address.
 */
import { type Finding, finding } from '../../../conf/diagnostics/catalogue.js';
import { optional } from '../../../conf/schema/arguments.js';
import { type CheckedDirective, valuesOf } from '../../../conf/schema/checked.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Directive, Word } from '../../../conf/syntax/ast.js';
import { text } from '../../../conf/values/text.js';
import { type Cidr, CidrSet } from '../../../core/cidr-set.js';
import { guardCycles } from '../../../request/evaluation-depth.js';
import { forwardedAddress } from '../../../request/forwarded-address.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { readVariable, type Variable } from '../../../variables/variable-table.js';
import type { HttpBuild, HttpModule } from '../../module.js';
import { readVariableName } from '../../variable-name.js';
import { GeoNetworks, readNetwork } from './geo-networks.js';
import { GeoRanges } from './geo-ranges.js';

const SWITCHES: ReadonlySet<string> = new Set(['ranges', 'proxy_recursive', 'volatile']);

const geo = defineDirective({
  name: 'geo',
  syntax: 'geo [$address] $variable { ... }',
  contexts: ['http'],
  args: [text('$address'), optional(text('$variable'))],
  block: {
    checkEntry({ name, args }: Directive) {
      if (args.length === 1 || (args.length === 0 && SWITCHES.has(name))) return null;
      const message = 'a line of "geo" is a network or a range and its value, or one of its words';
      const hint = 'the words are default, delete, proxy, proxy_recursive, ranges and volatile';
      return finding('geo-entry', message, hint, 'invalid number of the geo parameters');
    },
  },
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary: 'Makes a variable whose value depends on the address of the client, or one in another variable.',
  since: '0.2.0',
  effect: 'full',
});

export const geoModule: HttpModule = {
  name: 'geo',
  directives: [geo],
  declare(directives, build) {
    for (const directive of directives) if (valuesOf(geo, directive) !== null) defineGeo(directive, build);
  },
};

/** Tells of an entry; a warning leaves the configuration usable. */
export type EntryReporter = (at: Directive | Word, found: Finding) => void;

/** Values by address, in one of geo's two notations. */
export interface GeoTable {
  /** One line: `first` is a network, a range, `default` or `delete`. */
  add(entry: Directive, report: EntryReporter): void;
  /** Null when there is none, not even a default. Anything that is no address counts as 255.255.255.255. */
  find(address: string): GeoLine | null;
}

/** A line of a geo. */
export interface GeoLine {
  readonly value: string;
  readonly entry: Directive;
}

function defineGeo(directive: CheckedDirective, build: HttpBuild): void {
  const { node, entries } = directive;
  const name = readVariableName(node.args[node.args.length - 1]!, build);
  const source = node.args.length === 1 ? null : sourceOf(node.args[0]!, build);
  if (name === null || source === undefined) return;
  const has = (word: string) => entries.some((entry) => entry.name === word && entry.args.length === 0);
  const hasRanges = has('ranges');
  const table: GeoTable = hasRanges ? new GeoRanges() : new GeoNetworks();
  const proxies: Cidr[] = [];
  let hasNetworks = false;
  for (const entry of entries) {
    if (entry.args.length === 0) {
      if (entry.name === 'ranges' && hasNetworks) build.report(entry, RANGES_LATE);
    } else if (entry.name === 'proxy') {
      const cidr = readNetwork(entry.args[0]!, (at, found) => build.report(at, found));
      if (cidr !== null) proxies.push(cidr);
    } else {
      hasNetworks = true;
      table.add(entry, (at, found) => build.report(at, found));
    }
  }
  const trusted = proxies.length === 0 ? null : new CidrSet(proxies, false);
  const isRecursive = has('proxy_recursive');
  const { onLineChosen } = build;
  build.variables.define({
    name,
    isChangeable: true,
    isVolatile: has('volatile'),
    get: guardCycles(name, (request) => {
      const line = table.find(addressOf(request, source, trusted, isRecursive));
      if (line === null) return '';
      if (onLineChosen !== null) onLineChosen(line.entry);
      return line.value;
    }),
  });
}

const RANGES_LATE = finding(
  'geo-ranges',
  'the "ranges" directive must be the first directive inside "geo" block',
  'put it above the networks',
);

/** Undefined when it is none, which has been reported then. */
function sourceOf(word: Word, build: HttpBuild): Variable<HttpRequest> | undefined {
  if (word.text.startsWith('$') && word.text.length > 1) {
    const name = word.text.slice(1);
    build.text([{ kind: 'variable', name }], word);
    return build.variables.use(name);
  }
  build.report(word, finding('variable-name', `invalid variable name "${word.text}"`, 'write it as "$name"'));
  return undefined;
}

function addressOf(
  request: HttpRequest,
  source: Variable<HttpRequest> | null,
  trusted: CidrSet | null,
  isRecursive: boolean,
): string {
  const address = source === null ? request.remoteAddress : (readVariable(source, request) ?? '');
  if (trusted === null) return address;
  const lines = request.fieldLines('x-forwarded-for');
  return forwardedAddress(address, lines, (one) => trusted.has(one), isRecursive)?.address ?? address;
}
