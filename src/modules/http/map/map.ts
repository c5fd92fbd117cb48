/*
 * nginx's map module: variables whose values depend on another text.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { type CheckedDirective, valuesOf } from '../../../conf/schema/checked.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Directive } from '../../../conf/syntax/ast.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import { number } from '../../../conf/values/number.js';
import { matcher } from '../../../conf/values/regex.js';
import { size } from '../../../conf/values/size.js';
import { text } from '../../../conf/values/text.js';
import { Refusal } from '../../../conf/values/value-type.js';
import { variableText } from '../../../conf/values/variable-text.js';
import { guardCycles } from '../../../request/evaluation-depth.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { Text } from '../../../variables/text.js';
import type { HttpBuild, HttpModule } from '../../module.js';
import { readVariableName } from '../../variable-name.js';
import { MapTable } from './map-table.js';

const SWITCHES: ReadonlySet<string> = new Set(['hostnames', 'volatile']);

const map = defineDirective({
  name: 'map',
  syntax: 'map text $variable { ... }',
  contexts: ['http'],
  args: [variableText, text('$variable')],
  block: {
    checkEntry({ name, args }: Directive) {
      if (args.length === 1 || (args.length === 0 && SWITCHES.has(name))) return null;
      const message = `a line of "map" is a text and its value, "hostnames" or "volatile"`;
      return finding('map-entry', message, null, 'invalid number of the map parameters');
    },
  },
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary:
    'Makes a variable whose value depends on a text with others: by equal texts or regular expressions.',
  since: '0.2.0',
  effect: 'full',
});

const hashSizes = [
  defineDirective({
    name: 'map_hash_max_size',
    syntax: 'map_hash_max_size size',
    contexts: ['http'],
    args: [number()],
    block: null,
    default: '2048',
    inherit: 'none',
    isRepeatable: false,
    summary: 'How large tables of map may be in nginx; here they need no limit.',
    since: '0.2.0',
    effect: 'none',
  }),
  defineDirective({
    name: 'map_hash_bucket_size',
    syntax: 'map_hash_bucket_size size',
    contexts: ['http'],
    args: [size],
    block: null,
    default: '64',
    inherit: 'none',
    isRepeatable: false,
    summary: 'How long keys of map may be in nginx; here they need no limit.',
    since: '0.2.0',
    effect: 'none',
  }),
];

export const mapModule: HttpModule = {
  name: 'map',
  directives: [map, ...hashSizes],
  declare(directives, build) {
    for (const directive of directives) {
      const values = valuesOf(map, directive);
      if (values !== null) defineMap(directive, build.text(values[0], directive.node.args[0]!), build);
    }
  },
};

function defineMap(directive: CheckedDirective, source: Text<HttpRequest>, build: HttpBuild): void {
  const name = readVariableName(directive.node.args[1]!, build);
  if (name === null) return;
  const { entries } = directive;
  const has = (word: string) => entries.some((entry) => entry.name === word && entry.args.length === 0);
  const table = new MapTable(has('hostnames'));
  for (const entry of entries) if (entry.args.length === 1) addEntry(table, entry, build);
  for (const { kind, key, entry } of table.problems) {
    const message =
      kind === 'conflict' ? `conflicting parameter "${key}"` : `invalid hostname or wildcard "${key}"`;
    build.report(entry, finding('map-key', message, null));
  }
  const { onLineChosen } = build;
  build.variables.define({
    name,
    isChangeable: true,
    isVolatile: has('volatile'),
    get: guardCycles(name, (request) => {
      const line = table.find(request, source.evaluate(request));
      if (line === null) return '';
      if (onLineChosen !== null) onLineChosen(line.entry);
      return line.value.constant ?? line.value.evaluate(request);
    }),
  });
}

function addEntry(table: MapTable, entry: Directive, build: HttpBuild): void {
  const [word] = entry.args;
  const parts = variableText.parse(word!.text);
  if (parts instanceof Refusal) {
    build.report(word!, finding('map-value', parts.message, null, parts.nginxText('map')));
    return;
  }
  const line = { value: build.text(parts, word!), entry };
  if (entry.name === 'default') {
    if (table.default !== null)
      build.report(entry, finding('map-default', 'duplicate default map parameter', null));
    table.default = line;
    return;
  }
  const key = matcher.parse(entry.name);
  if (key instanceof Refusal) {
    build.report(entry, finding('map-key', key.message, null, key.nginxText('map')));
  } else if (key.kind === 'regex') table.addRegex(build.regex(key.regex, entry), line);
  else table.addText(toByteString(key.text.replace(/^\\/, '')), line);
}
