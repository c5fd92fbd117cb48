/*
 * nginx's userid module: a cookie by which a browser is known again.
 */
import type { Scope } from '../../../conf/schema/scope.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import { logErrorOf } from '../../../request/error-line.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { LocationState } from '../../../request/location-state.js';
import { findCookie } from '../../../request/request-cookie.js';
import { RequestState } from '../../../request/request-state.js';
import { FilterOrder } from '../../../request/response-filter.js';
import { readVariable, type Variable } from '../../../variables/variable-table.js';
import { BuildKey, type HttpModule, type LocationBuild } from '../../module.js';
import * as directives from './directives.js';
import {
  decodeUserId,
  ENCODED_LENGTH,
  formatUserId,
  isUserId,
  makeUserId,
  makeUserIdV1,
  type UserId,
} from './user-id.js';

export const useridModule: HttpModule = {
  name: 'userid',
  directives: Object.values(directives),
  variables(table) {
    table.define({ name: 'uid_got', get: gotText });
    table.define({ name: 'uid_set', get: setText });
    table.define({ name: 'uid_reset', isChangeable: true, get: () => '' });
  },
  location: addFilter,
};

/** userid as a location has it. Texts are bytes in latin1. */
interface Settings {
  readonly kind: 'log' | 'v1' | 'on';
  readonly service: number | null;
  readonly name: string;
  /** '' for none. */
  readonly mark: string;
  /** Seconds; 0: no end; 'max': as late as can be. */
  readonly expires: number | 'max';
  /** Domain, path and flags as they stand in the cookie. */
  readonly attributes: string;
  /** '' for none. */
  readonly p3p: string;
  readonly reset: Variable<HttpRequest>;
}

/** What is known of a browser while it is answered. */
interface Visitor {
  /** The cookie's value; '' without one. */
  readonly cookie: string;
  readonly got: UserId | null;
  /** What the browser is told; null for nothing new. */
  told: UserId | null;
  isDecided: boolean;
  /** The number is new, or given anew with the same one. */
  isNew: boolean;
}

const settings = new LocationState<Settings>();
const visitors = new RequestState<Visitor>();

const NO_TEXT = 'none';

const resetVariable = new BuildKey<{ variable: Variable<HttpRequest> | null }>('$uid_reset', () => ({
  variable: null,
}));

function addFilter(scope: Scope, build: LocationBuild): void {
  const [kind] = scope.value(directives.userid);
  if (kind === 'off') return;
  const shared = build.shared(resetVariable);
  shared.variable ??= build.variables.use('uid_reset');
  const found = readSettings(scope, kind, shared.variable);
  settings.set(build, found);
  if (kind === 'log') return;
  build.addFilter({
    order: FilterOrder.userid,
    isForSubrequests: false,
    begin(request, response) {
      const visitor = visitorOf(request, found);
      decide(request, visitor, found);
      if (visitor.told === null) return null;
      response.fields.add('Set-Cookie', cookieFor(request, visitor, visitor.told, found));
      if (found.p3p !== '') response.fields.add('P3P', found.p3p);
      return null;
    },
  });
}

function readSettings(scope: Scope, kind: Settings['kind'], reset: Variable<HttpRequest>): Settings {
  const [expires] = scope.value(directives.useridExpires);
  const [domain] = scope.value(directives.useridDomain);
  const [p3p] = scope.value(directives.useridP3p);
  const [mark] = scope.value(directives.useridMark);
  const flags = scope.value(directives.useridFlags).filter((flag) => flag !== 'off');
  const attributes = [
    domain === NO_TEXT ? '' : `; domain=${domain}`,
    `; path=${scope.value(directives.useridPath)[0]}`,
  ];
  for (const flag of FLAGS) if (flags.includes(flag)) attributes.push(`; ${flag}`);
  return {
    kind,
    service: scope.find(directives.useridService)?.values[0] ?? null,
    name: toByteString(scope.value(directives.useridName)[0]),
    mark: mark === 'off' ? '' : mark,
    expires: expires === 'max' ? 'max' : expires === 'off' ? 0 : expires / 1000,
    attributes: toByteString(attributes.join('')),
    p3p: p3p === NO_TEXT ? '' : toByteString(p3p),
    reset,
  };
}

const FLAGS = ['secure', 'httponly', 'samesite=strict', 'samesite=lax', 'samesite=none'] as const;

function visitorOf(request: HttpRequest, { name }: Settings): Visitor {
  const known = visitors.of(request);
  if (known !== undefined) return known;
  const cookie = findCookie(request.head, name.toLowerCase());
  const visitor = { cookie: cookie ?? '', got: null, told: null, isDecided: false, isNew: false };
  const read: Visitor = cookie === null ? visitor : { ...visitor, got: readId(request, cookie) };
  visitors.set(request, read);
  return read;
}

function readId(request: HttpRequest, cookie: string): UserId | null {
  if (cookie.length < ENCODED_LENGTH) {
    logErrorOf(request, 'error', `client sent too short userid cookie "${cookie}"`);
    return null;
  }
  const id = decodeUserId(cookie);
  if (id === null) logErrorOf(request, 'error', `client sent invalid userid cookie "${cookie}"`);
  return id === null || !isUserId(id) ? null : id;
}

/** Decides once a request what the browser is told. */
function decide(request: HttpRequest, visitor: Visitor, found: Settings): void {
  if (visitor.isDecided) return;
  visitor.isDecided = true;
  const { got, cookie } = visitor;
  if (got !== null) {
    const reset = readVariable(found.reset, request) ?? '';
    if (reset === '' || reset === '0') {
      const isMarked = cookie[ENCODED_LENGTH] === found.mark && cookie[ENCODED_LENGTH + 1] === '=';
      if (found.mark !== '' && !isMarked) visitor.told = got;
      return;
    }
    if (reset === 'log') {
      logErrorOf(request, 'notice', `userid cookie "${found.name}=${formatUserId(got)}" was reset`);
    }
  }
  const seconds = Math.floor(request.context.clock.wallMs() / 1000);
  visitor.isNew = true;
  visitor.told =
    found.kind === 'v1'
      ? makeUserIdV1(found.service ?? 0, seconds)
      : makeUserId(found.service, request.client.localAddress, seconds);
}

function cookieFor(request: HttpRequest, visitor: Visitor, told: UserId, found: Settings): string {
  const { mark, expires } = found;
  const encoded = visitor.isNew ? told.toString('base64') : `${visitor.cookie.slice(0, ENCODED_LENGTH)}==`;
  const marked = mark === '' ? encoded : `${encoded.slice(0, ENCODED_LENGTH)}${mark}=`;
  return `${found.name}=${marked}${expiryText(request, expires)}${found.attributes}`;
}

function expiryText(request: HttpRequest, expires: number | 'max'): string {
  if (expires === 'max') return '; expires=Thu, 31-Dec-37 23:55:55 GMT';
  if (expires === 0) return '';
  return `; expires=${formatCookieDate(Math.floor(request.context.clock.wallMs() / 1000) + expires)}`;
}

/** `Thu, 31-Dec-37 23:55:55 GMT`; from 2038 on the year has four digits. */
function formatCookieDate(seconds: number): string {
  const [day, date, month, year, time] = new Date(seconds * 1000).toUTCString().split(' ');
  return `${day} ${date}-${month}-${Number(year) > 2037 ? year : year!.slice(2)} ${time} GMT`;
}

function gotText({ main }: HttpRequest): string | null {
  const found = settings.of(main);
  if (found === undefined) return null;
  const { got } = visitorOf(main, found);
  return got === null ? null : `${found.name}=${formatUserId(got)}`;
}

function setText({ main }: HttpRequest): string | null {
  const found = settings.of(main);
  if (found === undefined || found.kind === 'log') return null;
  const visitor = visitorOf(main, found);
  decide(main, visitor, found);
  return visitor.told === null ? null : `${found.name}=${formatUserId(visitor.told)}`;
}
