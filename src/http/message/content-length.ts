/*
 * Content-Length as a number (RFC 9110 section 8.6), for requests and responses alike.
 */

/** Digits a length may have: fewer than Number.MAX_SAFE_INTEGER's, so that the sum of any two is exact. */
const MAX_DIGITS = 15;

/**
 * The value in bytes, or -1 when it is not a plain run of digits. security: signs, lists and white space
 * inside are refused since two readers may take them differently (request smuggling).
 */
export function parseContentLength(value: string): number {
  if (value.length === 0 || value.length > MAX_DIGITS) return -1;
  let length = 0;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}
