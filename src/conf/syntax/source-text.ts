/*
 * nginx reads configuration as bytes, people as characters. Here is the way from one to the other and back
 * without loss: UTF-8 becomes characters, and a byte that is no UTF-8 becomes a lone surrogate, U+DC80 to
 * U+DCFF, that stands for itself.
 */

const ESCAPE = 0xdc00;

/** The text of a file's bytes. A byte order mark stays, since nginx takes it for part of the first word. */
export function decodeConf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return decodeLeniently(bytes);
  }
}

/** The bytes behind a text, one to a character (latin1), as the engine keeps paths and field values. */
export function toByteString(text: string): string {
  if (isAscii(text)) return text;
  let bytes = '';
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code < 0x80) bytes += character;
    else if (code < 0x800) bytes += String.fromCharCode(0xc0 | (code >> 6), tail(code));
    else if (code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff) bytes += String.fromCharCode(code - ESCAPE);
    else if (code < 0x10000) bytes += String.fromCharCode(0xe0 | (code >> 12), tail(code >> 6), tail(code));
    else bytes += String.fromCharCode(0xf0 | (code >> 18), tail(code >> 12), tail(code >> 6), tail(code));
  }
  return bytes;
}

/** How many bytes a text has in its file. */
export function countBytes(text: string): number {
  return toByteString(text).length;
}

/** As many whole characters from the start of a text as fit into so many bytes. */
export function cutToBytes(text: string, limit: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += countBytes(character);
    if (bytes > limit) break;
    end += character.length;
  }
  return text.slice(0, end);
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

function tail(bits: number): number {
  return 0x80 | (bits & 0x3f);
}

function decodeLeniently(bytes: Uint8Array): string {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const parts: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes[at]!);
    try {
      parts.push(strict.decode(bytes.subarray(at, at + length)));
      at += length;
    } catch {
      parts.push(String.fromCharCode(ESCAPE + bytes[at]!));
      at++;
    }
  }
  return parts.join('');
}

function sequenceLength(lead: number): number {
  if (lead < 0xc0) return 1;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}
