/*
 * charset: says which charset an answer has, and converts it from another (nginx: ngx_http_charset_filter_module).
 */
import { type Finding, finding } from '../../../conf/diagnostics/catalogue.js';
import { type CheckedDirective, valuesOf } from '../../../conf/schema/checked.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Directive } from '../../../conf/syntax/ast.js';
import { flag } from '../../../conf/values/flag.js';
import { text } from '../../../conf/values/text.js';
import { type TextPart, variableText } from '../../../conf/values/variable-text.js';
import { BodyFilter } from '../../../request/body-sink.js';
import type { ContentTypes } from '../../../request/content-types.js';
import { logErrorOf } from '../../../request/error-line.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { RequestText } from '../../../request/location.js';
import type { Response } from '../../../request/response.js';
import { FilterOrder, type ResponseFilter } from '../../../request/response-filter.js';
import { BuildKey, type HttpBuild, type HttpModule } from '../../module.js';
import { defineTypeList, typesOf } from '../../type-list.js';
import { ByteMap, type Conversion, type Recoder, Utf8Map } from './charset-map.js';

const LEVELS = ['http', 'server', 'location'] as const;

const charset = defineDirective({
  name: 'charset',
  syntax: 'charset charset | off',
  contexts: [...LEVELS, 'location if'],
  args: [variableText],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'The charset that Content-Type names; answers in source_charset are converted to it.',
  since: '0.2.0',
  effect: 'full',
});

const sourceCharset = defineDirective({
  name: 'source_charset',
  syntax: 'source_charset charset',
  contexts: [...LEVELS, 'location if'],
  args: [variableText],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: false,
  summary: 'The charset that answers are in when they do not say.',
  since: '0.2.0',
  effect: 'full',
});

const overrideCharset = defineDirective({
  name: 'override_charset',
  syntax: 'override_charset on | off',
  contexts: [...LEVELS, 'location if'],
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Whether answers of upstreams that name a charset are converted too.',
  since: '0.2.0',
  effect: 'full',
});

const charsetTypes = defineTypeList(
  'charset_types',
  'get a charset',
  'text/html text/xml text/plain text/vnd.wap.wml application/javascript application/rss+xml',
);

const HEX_BYTE = /^[0-9a-f]{1,2}$/i;
const HEX_BYTES = /^(?:[0-9a-f]{2}){1,4}$/i;

const charsetMap = defineDirective({
  name: 'charset_map',
  syntax: 'charset_map charset1 charset2 { byte bytes; ... }',
  contexts: ['http'],
  args: [text('charset'), text('charset')],
  block: { checkEntry },
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary: 'How characters of two charsets correspond, both ways; UTF-8 can be the second.',
  since: '0.2.0',
  effect: 'full',
});

function checkEntry({ name, args }: Directive): Finding | null {
  if (args.length !== 1) {
    return finding(
      'charset-map-entry',
      'a line of "charset_map" has two codes',
      null,
      'invalid parameters number',
    );
  }
  const wrong = [name, args[0]!.text].find((code, i) => !(i === 0 ? HEX_BYTE : HEX_BYTES).test(code));
  if (wrong === undefined || (wrong === args[0]!.text && HEX_BYTE.test(wrong))) return null;
  return invalidCode(wrong);
}

function invalidCode(code: string): Finding {
  const message = `Cannot take code "${code}": write bytes as hexadecimal digits, such as C1 or D0B0`;
  return finding('charset-map-code', message, null, `invalid value "${code}"`);
}

/** The conversions of a configuration. Charsets' names are compared without their case. */
class Charsets {
  /** By both names: "from to". */
  private readonly conversions = new Map<string, Conversion>();

  get isEmpty(): boolean {
    return this.conversions.size === 0;
  }

  find(from: string, to: string): Conversion | null {
    return this.conversions.get(keyOf(from, to)) ?? null;
  }

  knows(name: string): boolean {
    const lower = name.toLowerCase();
    return [...this.conversions.keys()].some((key) => key.startsWith(`${lower} `));
  }

  add(from: string, to: string, map: ByteMap | Utf8Map): void {
    this.conversions.set(keyOf(from, to), map.forward);
    this.conversions.set(keyOf(to, from), map.backward);
  }
}

function keyOf(from: string, to: string): string {
  return `${from} ${to}`.toLowerCase();
}

const CHARSETS = new BuildKey('charsets', () => new Charsets());

function addMap(directive: CheckedDirective, build: HttpBuild): void {
  const [from, to] = valuesOf(charsetMap, directive)!;
  const charsets = build.shared(CHARSETS);
  const report = (message: string) => {
    build.report(directive.node, finding('charset-map', message, null));
  };
  if (isSame(from, to)) {
    report(`"charset_map" between the same charsets "${from}" and "${to}"`);
    return;
  }
  if (isSame(from, 'utf-8')) {
    report('"charset_map" with "utf-8" charset should be given in the second column');
    return;
  }
  if (charsets.find(from, to) !== null) {
    report(`duplicate "charset_map" between "${from}" and "${to}"`);
    return;
  }
  charsets.add(from, to, isSame(to, 'utf-8') ? readUtf8Map(directive, build) : readByteMap(directive, build));
}

function readByteMap({ entries }: CheckedDirective, build: HttpBuild): ByteMap {
  const map = new ByteMap();
  for (const entry of entries) {
    const code = entry.args[0]!.text;
    if (HEX_BYTE.test(code)) map.add(Number.parseInt(entry.name, 16), Number.parseInt(code, 16));
    else build.report(entry, invalidCode(code));
  }
  return map;
}

function readUtf8Map({ entries }: CheckedDirective, build: HttpBuild): Utf8Map {
  const map = new Utf8Map();
  for (const entry of entries) {
    const code = entry.args[0]!.text;
    const isRead = map.add(Number.parseInt(entry.name, 16), Buffer.from(code, 'hex'));
    if (!isRead) build.report(entry, invalidCode(code));
  }
  return map;
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

interface CharsetSettings {
  /** Null: off. */
  readonly destination: RequestText | null;
  readonly source: RequestText | null;
  readonly overrides: boolean;
  readonly types: ContentTypes;
  readonly charsets: Charsets;
}

class CharsetFilter implements ResponseFilter {
  readonly order = FilterOrder.charset;
  readonly isForSubrequests = true;
  private readonly settings: CharsetSettings;

  constructor(settings: CharsetSettings) {
    this.settings = settings;
  }

  begin(request: HttpRequest, response: Response): BodyFilter | null {
    const isMain = request.parent === null;
    const to = isMain ? this.destination(request, response) : request.main.response.charset;
    if (to === '') return null;
    const from = response.charset !== '' ? response.charset : this.settings.source?.evaluate(request) || '';
    if (from === '' || isSame(from, to)) {
      if (isMain) name(response, to);
      return null;
    }
    const conversion = this.settings.charsets.find(from, to);
    if (conversion === null) {
      logErrorOf(request, 'error', `no "charset_map" between the charsets "${from}" and "${to}"`);
      return null;
    }
    // What is compressed can't be converted, so that its charset stays what it was.
    if (response.contentEncoding !== '') return null;
    if (isMain) {
      name(response, to);
      if (conversion.changesLength) response.forgetLength();
    }
    return response.isHeadOnly ? null : new CharsetBody(conversion.start());
  }

  /** The charset that the client's answer is to have; '' for whatever it has. */
  private destination(request: HttpRequest, response: Response): string {
    const { destination, overrides, types, charsets } = this.settings;
    if (response.contentType === '') return '';
    if (response.overrideCharset !== '') {
      if (charsets.knows(response.overrideCharset)) return response.overrideCharset;
      logErrorOf(request, 'error', `unknown charset "${response.overrideCharset}" to override`);
      return '';
    }
    if (destination === null) return '';
    const isWanted = response.charset === '' ? types.has(response.contentType) : overrides;
    return isWanted ? destination.evaluate(request) : '';
  }
}

/** Puts the charset into Content-Type, but for redirects, as nginx does. */
function name(response: Response, charsetName: string): void {
  response.charset = response.status === 301 || response.status === 302 ? '' : charsetName;
}

class CharsetBody extends BodyFilter {
  private readonly recoder: Recoder;

  constructor(recoder: Recoder) {
    super();
    this.recoder = recoder;
  }

  override write(bytes: Buffer): void {
    const recoded = this.recoder.recode(bytes);
    if (recoded.length > 0) this.next.write(recoded, false);
  }

  override end(): void {
    const rest = this.recoder.finish();
    if (rest.length > 0) this.next.write(rest, false);
    this.next.end();
  }
}

function isOff(parts: readonly TextPart[]): boolean {
  const [first] = parts;
  return parts.length === 1 && first!.kind === 'literal' && first!.text === 'off';
}

export const charsetModule: HttpModule = {
  name: 'charset',
  directives: [charset, sourceCharset, overrideCharset, charsetTypes, charsetMap],
  declare(directives, build) {
    for (const directive of directives) if (valuesOf(charsetMap, directive)) addMap(directive, build);
  },
  location(scope, build) {
    const charsets = build.shared(CHARSETS);
    const to = scope.find(charset);
    const from = scope.find(sourceCharset);
    const destination =
      to === null || isOff(to.values[0]) ? null : build.text(to.values[0], to.node.args[0]!);
    const source = from === null ? null : build.text(from.values[0], from.node.args[0]!);
    // Without any map, and nothing to say, no answer can be changed: not even that to a subrequest.
    if (destination === null && charsets.isEmpty) return;
    const [a, b] = [source?.constant ?? null, destination?.constant ?? null];
    if (a !== null && b !== null && !isSame(a, b) && charsets.find(a, b) === null) {
      const message = `no "charset_map" between the charsets "${a}" and "${b}"`;
      build.report(to!.node, finding('no-charset-map', message, null));
      return;
    }
    build.addFilter(
      new CharsetFilter({
        destination,
        source,
        overrides: scope.value(overrideCharset)[0],
        types: typesOf(scope, charsetTypes),
        charsets,
      }),
    );
  },
};
