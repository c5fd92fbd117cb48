/*
 * Lower case for texts that are bytes in latin1: letters of ASCII alone, as nginx has it.
 */

const UPPER = /[A-Z]+/g;

/** `text` with A-Z as a-z. */
export function lowerAscii(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x41 && code <= 0x5a) return text.replace(UPPER, (letters) => letters.toLowerCase());
  }
  return text;
}
