/*
 * The names in certificates as nginx has them in variables, out of what Node gives: a line for each part, in the order of
 * the certificate, escaped as RFC 2253 section 2.4 wants it but for letters beyond ASCII.
 */

/** `CN=name,O=company,C=DE`. */
export function rfc2253Name(lines: string): string {
  return partsOf(lines).reverse().map(escapeBytes).join(',');
}

/** `/C=DE/O=company/CN=name`. */
export function legacyName(lines: string): string {
  return partsOf(lines)
    .map((part) => `/${part.replace(/\\([,+"\\<>;#= ])/g, '$1')}`)
    .map(hexBytes)
    .join('');
}

function partsOf(lines: string | undefined): string[] {
  return (lines ?? '').split('\n').filter((line) => line !== '');
}

function escapeBytes(part: string): string {
  return replaceBytes(part, (hex) => `\\${hex}`);
}

function hexBytes(part: string): string {
  return replaceBytes(part, (hex) => `\\x${hex}`);
}

function replaceBytes(text: string, write: (hex: string) => string): string {
  return text.replace(/[^\x20-\x7e]/gu, (letter) =>
    [...Buffer.from(letter)].map((byte) => write(byte.toString(16).toUpperCase().padStart(2, '0'))).join(''),
  );
}
