/*
 * `expires`: until when an answer may be used again, as Expires and Cache-Control say it.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { optional } from '../../../conf/schema/arguments.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { variableText } from '../../../conf/values/variable-text.js';
import { parseDurationMs } from '../../../core/duration.js';
import { formatHttpDate } from '../../../core/http-date.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { Response } from '../../../request/response.js';
import type { Text } from '../../../variables/text.js';
import type { LocationBuild } from '../../module.js';

export const expires = defineDirective({
  name: 'expires',
  syntax: 'expires [modified] time | epoch | max | off',
  contexts: ['http', 'server', 'location', 'location if'],
  args: [variableText, optional(variableText)],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Sets Expires and Cache-Control of answers of success and redirects.',
  since: '0.2.0',
  effect: 'full',
});

/** A time in seconds after the request or the file's change, or of the day (`@`). */
interface Term {
  readonly kind: 'access' | 'modified' | 'daily';
  readonly seconds: number;
}

/** What one value means. */
type Meaning = Term | 'epoch' | 'max' | 'off';

/** What holds at a level. */
export interface Expiry {
  /** Null where only a request tells. */
  readonly meaning: Meaning | null;
  readonly text: Text<HttpRequest>;
  readonly isModified: boolean;
}

/** What holds at a level; null for `off` and for nothing. */
export function expiresOf(scope: Scope, build: LocationBuild): Expiry | null {
  const directive = scope.find(expires);
  if (directive === null) return null;
  const { node } = directive;
  const isModified = node.args.length === 2;
  if (isModified && node.args[0]!.text !== 'modified') {
    const message = `Cannot take "${node.args[0]!.text}": the first of two words is "modified"`;
    build.report(node.args[0]!, finding('invalid-value', message, null, '"expires" directive invalid value'));
    return null;
  }
  const text = build.text(isModified ? directive.values[1]! : directive.values[0], node);
  if (text.constant === null) return { meaning: null, text, isModified };
  const meaning = readMeaning(text.constant, isModified);
  if (typeof meaning === 'object' && 'problem' in meaning) {
    const message = `Cannot take "${text.constant}": ${meaning.problem}`;
    build.report(node, finding('invalid-value', message, null, `"expires" directive ${meaning.nginxText}`));
    return null;
  }
  return meaning === 'off' ? null : { meaning, text, isModified };
}

interface Problem {
  readonly problem: string;
  readonly nginxText: string;
}

const DAY_SECONDS = 86_400;

function readMeaning(value: string, isModified: boolean): Meaning | Problem {
  if (!isModified && (value === 'epoch' || value === 'max' || value === 'off')) return value;
  const sign = /^[-+@]?/.exec(value)![0];
  if (sign === '@' && isModified) {
    return {
      problem: 'a time of the day does not go with "modified"',
      nginxText: 'daily time cannot be used with "modified" parameter',
    };
  }
  let seconds: number;
  try {
    seconds = parseDurationMs(value.slice(sign.length), 'from-seconds') / 1000;
  } catch (error) {
    return { problem: (error as Error).message, nginxText: 'invalid value' };
  }
  if (sign === '@' && seconds > DAY_SECONDS) {
    return {
      problem: 'a time of the day is at most 24h',
      nginxText: 'daily time value must be less than 24 hours',
    };
  }
  if (sign === '@') return { kind: 'daily', seconds };
  return { kind: isModified ? 'modified' : 'access', seconds: sign === '-' ? -seconds : seconds };
}

/** Sets both fields; a value of variables that means nothing sets none. */
export function setExpires(expiry: Expiry, request: HttpRequest, response: Response): void {
  const meaning = expiry.meaning ?? readMeaning(expiry.text.evaluate(request), expiry.isModified);
  if (meaning === 'off' || (typeof meaning === 'object' && 'problem' in meaning)) return;
  const [date, cacheControl] = fieldsOf(meaning, response.lastModified);
  response.fields.set('Expires', date);
  response.fields.set('Cache-Control', cacheControl);
}

function fieldsOf(meaning: Exclude<Meaning, 'off'>, lastModified: number): readonly [string, string] {
  if (meaning === 'epoch') return ['Thu, 01 Jan 1970 00:00:01 GMT', 'no-cache'];
  // As far as 32 bits of seconds go, nearly; ten years.
  if (meaning === 'max') return ['Thu, 31 Dec 2037 23:55:55 GMT', 'max-age=315360000'];
  const now = Math.floor(Date.now() / 1000);
  const { kind, seconds } = meaning;
  if (seconds === 0 && kind !== 'daily') return [formatHttpDate(now), 'max-age=0'];
  let until = now + seconds;
  if (kind === 'daily') until = nextTimeOfDay(now, seconds);
  else if (kind === 'modified' && lastModified >= 0) until = lastModified + seconds;
  const maxAge = until - now;
  return [formatHttpDate(until), maxAge < 0 || seconds < 0 ? 'no-cache' : `max-age=${maxAge}`];
}

/** When it will be so many seconds after midnight, local time. */
function nextTimeOfDay(now: number, seconds: number): number {
  const date = new Date(now * 1000);
  date.setHours(0, 0, seconds, 0);
  if (date.getTime() / 1000 <= now) date.setDate(date.getDate() + 1);
  return date.getTime() / 1000;
}
