/*
 * Whether an upstream's answer may be stored and for how long, by what its fields say (nginx's reading of RFC 9111) and
 * by proxy_cache_valid.
 */
import { parseHttpDate } from '../core/http-date.js';
import type { FieldLines } from '../http/h1/field-lines.js';
import type { ResponseHead } from '../http/h1/response-head.js';
import { FieldId } from '../http/message/field-id.js';
import { IgnoredField } from './upstream-settings.js';

/** nginx's: an answer that depends on more isn't stored. */
const MAX_VARY_LENGTH = 128;

/** One line of proxy_cache_valid. */
export interface ValidRule {
  /** Empty: any status. */
  readonly statuses: readonly number[];
  readonly seconds: number;
}

/** What the fields say. */
export interface Freshness {
  mayStore: boolean;
  /** Unix seconds; 0: the fields tell nothing of it. */
  validUntil: number;
  staleWhileUpdating: number;
  staleIfError: number;
  /** In lower case with commas between; '' for none. */
  vary: string;
}

/** Reads the fields of an answer that has just come; `ignored` of IgnoredField. */
export function freshnessOf({ fields }: ResponseHead, ignored: number, now: number): Freshness {
  const result: Freshness = {
    mayStore: true,
    validUntil: 0,
    staleWhileUpdating: 0,
    staleIfError: 0,
    vary: '',
  };
  if ((ignored & IgnoredField.setCookie) === 0 && fields.valueOf(FieldId.setCookie) !== '')
    result.mayStore = false;
  if ((ignored & IgnoredField.vary) === 0) takeVary(result, joined(fields, FieldId.vary));
  const isByControl = (ignored & IgnoredField.cacheControl) === 0;
  const control = isByControl ? joined(fields, FieldId.cacheControl).toLowerCase() : '';
  result.staleWhileUpdating = secondsOf(control, 'stale-while-revalidate') ?? 0;
  result.staleIfError = secondsOf(control, 'stale-if-error') ?? 0;
  const isByAccel = (ignored & IgnoredField.accelExpires) === 0;
  if (isByAccel && takeAccelExpires(result, fields.valueOf(FieldId.xAccelExpires), now)) return result;
  if (takeControl(result, control, now)) return result;
  if ((ignored & IgnoredField.expires) === 0) takeExpires(result, fields.valueOf(FieldId.expires), now);
  return result;
}

/** Until when an answer of such a status is fresh by proxy_cache_valid; 0 if nothing says so. */
export function validByRules(rules: readonly ValidRule[], status: number, now: number): number {
  const rule = rules.find(({ statuses }) => statuses.length === 0 || statuses.includes(status));
  return rule === undefined || rule.seconds === 0 ? 0 : now + rule.seconds;
}

function takeVary(result: Freshness, value: string): void {
  const names = value.toLowerCase().split(/[\s,]+/);
  result.vary = names.filter((name) => name !== '').join(',');
  if (names.includes('*') || result.vary.length > MAX_VARY_LENGTH) result.mayStore = false;
}

/** Whether it decides. */
function takeAccelExpires(result: Freshness, value: string, now: number): boolean {
  const [, at, digits] = /^(@?)(\d+)$/.exec(value) ?? [];
  if (digits === undefined) return false;
  const seconds = Number(digits);
  if (at === '@') result.validUntil = seconds;
  else if (seconds === 0) result.mayStore = false;
  else result.validUntil = now + seconds;
  return true;
}

/** Whether it decides. */
function takeControl(result: Freshness, control: string, now: number): boolean {
  if (/no-cache|no-store|private/.test(control)) {
    result.mayStore = false;
    return true;
  }
  const age = secondsOf(control, 's-maxage') ?? secondsOf(control, 'max-age');
  if (age === null) return false;
  if (age > 0) result.validUntil = now + age;
  else result.mayStore = false;
  return true;
}

function takeExpires(result: Freshness, value: string, now: number): void {
  if (value === '') return;
  const seconds = parseHttpDate(value);
  if (seconds < now) result.mayStore = false;
  else result.validUntil = seconds;
}

/** The number of a directive; what is no number counts as 0, null without the directive. */
function secondsOf(control: string, name: string): number | null {
  const match = new RegExp(`(?:^|[\\s,;])${name}=(?:(\\d+)(?=$|[\\s,;]))?`).exec(control);
  return match === null ? null : Number(match[1] ?? 0);
}

function joined(fields: FieldLines, id: number): string {
  let text = '';
  for (let i = 0; i < fields.count; i++) {
    if (fields.id(i) === id) text += text === '' ? fields.value(i) : `,${fields.value(i)}`;
  }
  return text;
}
