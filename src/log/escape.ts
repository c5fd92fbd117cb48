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

/** `\x22` for a quote, and so for everything that is no printable ASCII. Texts are bytes in latin1. */
export function escapeForLog(text: string): string {
  return NOT_PLAIN.test(text) ? text.replace(EACH_NOT_PLAIN, escapeByte) : text;
}

/** What may stand between the quotes of a JSON string; bytes from 0x80 on stay. */
export function escapeForJson(text: string): string {
  return NOT_JSON.test(text) ? text.replace(EACH_NOT_JSON, escapeJsonCharacter) : text;
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
