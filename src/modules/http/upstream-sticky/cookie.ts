/*
 * `sticky cookie`: the client gets a cookie with the id of its server, and brings it again.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import type { Directive, Word } from '../../../conf/syntax/ast.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import { wholeSecondsMs } from '../../../conf/values/time.js';
import { Refusal } from '../../../conf/values/value-type.js';
import { variableText } from '../../../conf/values/variable-text.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { Peer } from '../../../upstream/peer.js';
import type { Text } from '../../../variables/text.js';
import type { UpstreamBuild } from '../../module.js';
import { StickyAffinity } from './sticky-affinity.js';

/** The last moment that old clients understand, and ten years. */
const MAX_EXPIRES = '; expires=Thu, 31-Dec-37 23:55:55 GMT; max-age=315360000';

const SAME_SITES: ReadonlySet<string> = new Set(['strict', 'lax', 'none']);

/** What stands behind the cookie's value. */
interface CookieRules {
  /** Seconds; 'max' for as long as can be; null: until the client ends. */
  expires: number | 'max' | null;
  domain: Text<HttpRequest> | null;
  isHttpOnly: boolean;
  isSecure: boolean;
  sameSite: Text<HttpRequest> | null;
  /** `; path=/`, or ''. */
  path: string;
}

/** Reads what stands behind `sticky cookie`; null, and reported, if that is wrong. */
export function readCookie(
  words: readonly Word[],
  at: Directive,
  build: UpstreamBuild,
): StickyAffinity | null {
  const [name, ...parameters] = words;
  if (name!.text === '') {
    build.report(
      at,
      finding(
        'sticky',
        'the cookie has no name',
        'sticky cookie NAME',
        '"sticky" directive empty cookie name',
      ),
    );
    return null;
  }
  const rules: CookieRules = {
    expires: null,
    domain: null,
    isHttpOnly: false,
    isSecure: false,
    sameSite: null,
    path: '',
  };
  const seen = new Set<string>();
  for (const word of parameters) {
    const trouble = readParameter(word, rules, seen, build);
    if (trouble === null) continue;
    build.report(word, finding('sticky', `Cannot take "${word.text}" for a sticky cookie`, null, trouble));
    return null;
  }
  const cookieName = toByteString(name!.text);
  const lookup = build.text([{ kind: 'variable', name: `cookie_${name!.text.toLowerCase()}` }], name!);
  return new CookieAffinity(lookup, cookieName, rules);
}

/** Null, or what is wrong in nginx's words. */
function readParameter(
  word: Word,
  rules: CookieRules,
  seen: Set<string>,
  build: UpstreamBuild,
): string | null {
  const equals = word.text.indexOf('=');
  const name = equals < 0 ? word.text : word.text.slice(0, equals);
  const value = equals < 0 ? null : word.text.slice(equals + 1);
  if (seen.has(name)) return `"sticky" directive parameter "${name}" is duplicate`;
  seen.add(name);
  if (value === null) {
    if (name === 'httponly') rules.isHttpOnly = true;
    else if (name === 'secure') rules.isSecure = true;
    else return `unknown parameter "${word.text}"`;
    return null;
  }
  if (value === '' && (name === 'domain' || name === 'path'))
    return `"sticky" directive no value for "${name}"`;
  switch (name) {
    case 'domain':
      rules.domain = textOf(value, word, build);
      return null;
    case 'path':
      rules.path = `; path=${toByteString(value)}`;
      return null;
    case 'samesite': {
      rules.sameSite = textOf(value, word, build);
      const { constant } = rules.sameSite;
      if (constant === null || SAME_SITES.has(constant.toLowerCase())) return null;
      return '"sticky" directive invalid "samesite" parameter value';
    }
    case 'expires': {
      const ms = value === 'max' ? null : wholeSecondsMs.parse(value);
      if (ms instanceof Refusal) return '"sticky" directive invalid "expires" parameter value';
      rules.expires = ms === null ? 'max' : ms / 1000;
      return null;
    }
    default:
      return `unknown parameter "${word.text}"`;
  }
}

function textOf(value: string, word: Word, build: UpstreamBuild): Text<HttpRequest> {
  const parts = variableText.parse(value);
  if (!(parts instanceof Refusal)) return build.text(parts, word);
  build.report(word, finding('sticky', parts.message, null, parts.nginxText('sticky')));
  return build.text([], word);
}

class CookieAffinity extends StickyAffinity {
  private readonly name: string;
  private readonly rules: CookieRules;

  constructor(lookup: Text<HttpRequest>, name: string, rules: CookieRules) {
    super([lookup]);
    this.name = name;
    this.rules = rules;
  }

  /** The cookie of a further try takes the place of that before. */
  override onPick(subject: unknown, peer: Peer): void {
    const request = subject as HttpRequest;
    const asked = this.askedBy(request);
    const cookie = this.print(request, peer.id);
    request.response.fields.replace('Set-Cookie', asked.cookie, cookie);
    asked.cookie = cookie;
  }

  private print(request: HttpRequest, id: string): string {
    const { expires, domain, isHttpOnly, isSecure, sameSite, path } = this.rules;
    let cookie = `${this.name}=${id}`;
    if (expires === 'max') cookie += MAX_EXPIRES;
    else if (expires !== null) {
      const atMs = request.context.clock.wallMs() + expires * 1000;
      cookie += `; expires=${formatCookieTime(atMs)}; max-age=${expires}`;
    }
    const domainValue = domain === null ? '' : domain.evaluate(request);
    if (domainValue !== '') cookie += `; domain=${domainValue}`;
    if (isHttpOnly) cookie += '; httponly';
    if (isSecure) cookie += '; secure';
    const site = sameSite === null ? '' : sameSite.evaluate(request);
    if (site !== '') cookie += `; samesite=${SAME_SITES.has(site.toLowerCase()) ? site : 'strict'}`;
    return cookie + path;
  }
}

/** `Thu, 31-Dec-37 23:55:55 GMT`; later years have four digits, so that no client takes them for 1938. */
function formatCookieTime(ms: number): string {
  const [weekday, day, month, year, time] = new Date(ms).toUTCString().split(' ');
  return `${weekday} ${day}-${month}-${Number(year) > 2037 ? year : year!.slice(2)} ${time} GMT`;
}
