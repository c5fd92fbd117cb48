/*
 * Fields that the configuration adds to answers: add_header, expires, and trailers behind the body.
 */
import { optional } from '../../../conf/schema/arguments.js';
import type { Context } from '../../../conf/schema/contexts.js';
import { type DirectiveDefinition, defineDirective } from '../../../conf/schema/definition.js';
import type { Placed, Scope } from '../../../conf/schema/scope.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import { keyword } from '../../../conf/values/keyword.js';
import { text } from '../../../conf/values/text.js';
import type { ValueType } from '../../../conf/values/value-type.js';
import { type TextPart, variableText } from '../../../conf/values/variable-text.js';
import { formatHttpDate, parseHttpDate } from '../../../core/http-date.js';
import { BodyFilter } from '../../../request/body-sink.js';
import { FieldList } from '../../../request/field-list.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { Response } from '../../../request/response.js';
import { FilterOrder, type ResponseFilter } from '../../../request/response-filter.js';
import type { Text } from '../../../variables/text.js';
import type { HttpModule, LocationBuild } from '../../module.js';
import { type Expiry, expires, expiresOf, setExpires } from './expires.js';

const CONTEXTS = ['http', 'server', 'location', 'location if'] as const satisfies readonly Context[];

type AddedArguments = [
  ValueType<string>,
  ValueType<readonly TextPart[]>,
  { readonly optional: ValueType<'always'> },
];

function adding(name: string, what: string): DirectiveDefinition<AddedArguments> {
  return {
    name,
    syntax: `${name} name value [always]`,
    contexts: CONTEXTS,
    args: [text('name'), variableText, optional(keyword('always'))],
    block: null,
    default: null,
    inherit: 'replace',
    isRepeatable: true,
    summary: `Adds a ${what} to answers of success and redirects, with "always" to all.`,
    since: '0.2.0',
    effect: 'full',
  };
}

function inheriting(name: string, what: string) {
  return defineDirective({
    name,
    syntax: `${name} on | off | merge`,
    contexts: CONTEXTS,
    args: [keyword('off', 'on', 'merge')],
    block: null,
    default: 'on',
    inherit: 'replace',
    isRepeatable: false,
    summary: `Whether ${what} of the level around hold here: if it has none itself, never, or together with its own.`,
    since: '0.2.0',
    effect: 'full',
  });
}

const addHeader = adding('add_header', 'field');
const addTrailer = adding('add_trailer', 'trailer field');
const addHeaderInherit = inheriting('add_header_inherit', 'add_header');
const addTrailerInherit = inheriting('add_trailer_inherit', 'add_trailer');

export const headersModule: HttpModule = {
  name: 'headers_filter',
  directives: [expires, addHeader, addTrailer, addHeaderInherit, addTrailerInherit],
  location(scope, build) {
    const headers = addedAt(scope, addHeader, addHeaderInherit).map((added) => compile(added, build));
    const trailers = addedAt(scope, addTrailer, addTrailerInherit).map((added) => compile(added, build));
    const expiry = expiresOf(scope, build);
    if (headers.length === 0 && trailers.length === 0 && expiry === null) return;
    build.addFilter(new HeadersFilter(headers, trailers, expiry));
  },
};

/** A field to be added. */
interface Added {
  readonly name: string;
  readonly lowerName: string;
  readonly value: Text<HttpRequest>;
  readonly isAlways: boolean;
}

/** Those in force at a level; with `merge` its own come first, as in nginx. */
function addedAt(
  scope: Scope,
  definition: DirectiveDefinition<AddedArguments>,
  inheritance: typeof addHeaderInherit,
): readonly Placed<AddedArguments>[] {
  const own = scope.own(definition);
  const [rule] = scope.value(inheritance);
  if (scope.parent === null || rule === 'off' || (own.length > 0 && rule === 'on')) return own;
  const above = addedAt(scope.parent, definition, inheritance);
  return own.length === 0 ? above : [...own, ...above];
}

function compile({ values, node }: Placed<AddedArguments>, build: LocationBuild): Added {
  const [name, value, always] = values;
  return {
    name: toByteString(name),
    lowerName: toByteString(name).toLowerCase(),
    value: build.text(value, node),
    isAlways: always !== undefined,
  };
}

/** Statuses of which fields without "always" are sent. */
const SAFE: ReadonlySet<number> = new Set([200, 201, 204, 206, 301, 302, 303, 304, 307, 308]);

class HeadersFilter implements ResponseFilter {
  readonly order = FilterOrder.headers;
  readonly isForSubrequests = false;
  private readonly headers: readonly Added[];
  private readonly trailers: readonly Added[];
  private readonly expiry: Expiry | null;

  constructor(headers: readonly Added[], trailers: readonly Added[], expiry: Expiry | null) {
    this.headers = headers;
    this.trailers = trailers;
    this.expiry = expiry;
  }

  begin(request: HttpRequest, response: Response): BodyFilter | null {
    const isSafe = SAFE.has(response.status);
    if (isSafe && this.expiry !== null) setExpires(this.expiry, request, response);
    for (const added of this.headers) {
      if (isSafe || added.isAlways) add(response, added, added.value.evaluate(request));
    }
    const trailers = isSafe ? this.trailers : this.trailers.filter(({ isAlways }) => isAlways);
    if (trailers.length === 0) return null;
    response.trailers ??= new FieldList();
    return new TrailerFilter(request, trailers);
  }
}

/** Adds a field; two that there can be but one of are replaced, or removed by an empty value. */
function add(response: Response, { name, lowerName, value: _ }: Added, value: string): void {
  if (lowerName === 'etag') {
    response.etag = value;
  } else if (lowerName === 'last-modified') {
    response.lastModified = value === '' ? -1 : parseHttpDate(value);
    response.fields.remove(lowerName);
    if (value === '' || (response.lastModified >= 0 && formatHttpDate(response.lastModified) === value))
      return;
    // In a form of its own it is sent as it is, and no condition applies to it.
    response.lastModified = -1;
    response.fields.add(name, value);
  } else if (value !== '') {
    response.fields.add(name, value);
  }
}

/** Evaluates the trailers when the body has been written. */
class TrailerFilter extends BodyFilter {
  private readonly request: HttpRequest;
  private readonly trailers: readonly Added[];

  constructor(request: HttpRequest, trailers: readonly Added[]) {
    super();
    this.request = request;
    this.trailers = trailers;
  }

  override end(): void {
    // An upstream may have sent trailers of its own meanwhile.
    const { response } = this.request;
    response.trailers ??= new FieldList();
    for (const { name, value } of this.trailers) {
      const now = value.evaluate(this.request);
      if (now !== '') response.trailers.add(name, now);
    }
    this.next.end();
  }
}
