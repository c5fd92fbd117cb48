/*
 * Writing decoded text into a URI and back. Which bytes are escaped depends on where the text goes; nginx
 * has one set for each place, and what it sends shows them. Splitting a target is request-uri.ts.
 */

/**
 * Where text goes: the path of a request or a redirect; an argument in rewrites; a part between any two
 * delimiters (autoindex); what SSI's echo calls url; a page's refresh (msie_refresh); a key of memcached.
 */
export type EscapeMode = 'path' | 'argument' | 'component' | 'ssi' | 'refresh' | 'memcached';

const CONTROLS = bytesBetween(0x00, 0x1f) + ' ';
const NEVER_IN_A_URI = CONTROLS + '"<>\\^`{|}' + bytesBetween(0x7f, 0xff);
const UNRESERVED = /[A-Za-z0-9\-._~]/;

/** Whether a byte is escaped, by mode. */
const ESCAPED: Readonly<Record<EscapeMode, Uint8Array>> = {
  path: setOf(NEVER_IN_A_URI + '#%?'),
  argument: setOf(NEVER_IN_A_URI + '#%?&+;'),
  component: setOf([...bytesBetween(0x00, 0xff)].filter((byte) => !UNRESERVED.test(byte)).join('')),
  ssi: setOf(NEVER_IN_A_URI + "#%'"),
  // nginx's set has '~' where one expects '}'.
  refresh: setOf(NEVER_IN_A_URI.replace('}', '~') + "'"),
  memcached: setOf(CONTROLS + '%'),
};

function bytesBetween(first: number, last: number): string {
  return String.fromCharCode(...Array.from({ length: last - first + 1 }, (_, i) => first + i));
}

function setOf(bytes: string): Uint8Array {
  const set = new Uint8Array(256);
  for (let i = 0; i < bytes.length; i++) set[bytes.charCodeAt(i)] = 1;
  return set;
}

/** `text` with every byte that may not stand there as %XX. Text is bytes in latin1, decoded. */
export function escapeUri(text: string, mode: EscapeMode): string {
  const isEscaped = ESCAPED[mode];
  let result = '';
  let copied = 0;
  for (let i = 0; i < text.length; i++) {
    const byte = text.charCodeAt(i);
    if (isEscaped[byte] !== 1) continue;
    result += text.substring(copied, i) + (byte < 0x10 ? '%0' : '%') + byte.toString(16).toUpperCase();
    copied = i + 1;
  }
  return copied === 0 ? text : result + text.substring(copied);
}

const PERCENT = 0x25;
const DELETE = 0x7f;

/** A percent sign and what belongs to it: up to two hexadecimal digits, and the character that broke it off. */
const QUOTED = /%(?:([0-9A-Fa-f]{2})|[0-9A-Fa-f][\s\S]?|([\s\S]?))/g;
const QUOTED_OR_MARK = new RegExp(`\\?|${QUOTED.source}`, 'g');

/**
 * `text` with every %XX decoded, once; for X-Accel-Redirect, SSI and the like. Never fails: of a malformed
 * escape nginx drops the percent sign, and both characters after it if the first one was a digit.
 */
export function unescapeUri(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(QUOTED, (_, hex: string | undefined, broken: string | undefined) =>
    hex === undefined ? (broken ?? '') : String.fromCharCode(parseInt(hex, 16)),
  );
}

/**
 * What a rewrite made the Location of its redirect: escapes of printable ASCII are decoded, all others stay,
 * and nothing is touched from the first '?' on, escaped or not.
 */
export function unescapeRedirect(text: string): string {
  if (!text.includes('%')) return text;
  let isInArgs = false;
  return text.replace(QUOTED_OR_MARK, (all, hex?: string, broken?: string) => {
    if (isInArgs) return all;
    if (hex === undefined) {
      isInArgs = all === '?';
      return isInArgs ? all : (broken ?? '');
    }
    const byte = parseInt(hex, 16);
    isInArgs = byte === 0x3f;
    return byte > PERCENT && byte < DELETE ? String.fromCharCode(byte) : all;
  });
}
