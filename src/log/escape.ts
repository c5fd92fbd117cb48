/*
 * How log formats write values, so that nobody can forge a field or a line: nginx's escape=default and escape=json.
 */

/** All but printable ASCII, and of that the quote and the backslash. */
const NOT_PLAIN = /[^ !#-[\]-~]/;
const EACH_NOT_PLAIN = /[^ !#-[\]-~]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const NOT_JSON = /["\\\x00-\x1f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: likewise
const EACH_NOT_JSON = /["\\\x00-\x1f]/g;

const NOT_ASCII = /[\x80-\xff]/;

/** 1 for bytes that each of them leaves alone: most values hold no others. */
export const PLAIN_IN_LOG: Uint8Array = bytesWithout(NOT_PLAIN);
export const PLAIN_IN_JSON: Uint8Array = bytesWithout(NOT_JSON, NOT_ASCII);

/** Each character of UTF-8 that is not ASCII (RFC 3629, section 4), else a byte that is none of one. */
const EACH_UTF8 =
  /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|\xed[\x80-\x9f][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|([\x80-\xff])/g;

/** `\x22` for a quote, and so for everything that is no printable ASCII. Texts are bytes in latin1. */
export function escapeForLog(text: string): string {
  return text.replace(EACH_NOT_PLAIN, escapeByte);
}

/**
 * What may stand between the quotes of a JSON string. Texts are bytes in latin1.
 * differs from nginx: bytes that are no UTF-8 become `\\xFF`, as nginx leaves them and then nobody can read the line.
 */
export function escapeForJson(text: string): string {
  return text
    .replace(EACH_NOT_JSON, escapeJsonCharacter)
    .replace(EACH_UTF8, (character, byte?: string) =>
      byte === undefined ? character : `\\${escapeByte(byte)}`,
    );
}

function bytesWithout(...patterns: readonly RegExp[]): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) =>
    patterns.some((pattern) => pattern.test(String.fromCharCode(byte))) ? 0 : 1,
  );
}

function escapeByte(byte: string): string {
  return `\\x${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

const JSON_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
};

function escapeJsonCharacter(character: string): string {
  const short = JSON_ESCAPES[character];
  return short ?? `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
}
