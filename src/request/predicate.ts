/*
 * Conditions of directives such as proxy_no_cache: texts of which one that says something makes it so.
 */
import type { HttpRequest } from './http-request.js';
import type { RequestText } from './location.js';

/** Whether a value of several says yes (nginx: neither empty nor "0"). */
export function isAny(texts: readonly RequestText[], request: HttpRequest): boolean {
  return texts.some((text) => {
    const value = text.evaluate(request);
    return value !== '' && value !== '0';
  });
}
