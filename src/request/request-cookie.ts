/*
 * Cookies of a request.
 */
import type { RequestHead } from '../http/h1/request-head.js';
import { FieldId } from '../http/message/field-id.js';

/** The value of a cookie, the first of that name in any case; null without one. `name` is in lower case. */
export function findCookie({ fields }: RequestHead, name: string): string | null {
  for (let i = 0; i < fields.count; i++) {
    if (fields.id(i) !== FieldId.cookie) continue;
    for (const pair of fields.value(i).split(';')) {
      const equals = pair.indexOf('=');
      if (equals >= 0 && pair.slice(0, equals).trim().toLowerCase() === name) {
        return pair.slice(equals + 1).replace(/^ +/, '');
      }
    }
  }
  return null;
}
