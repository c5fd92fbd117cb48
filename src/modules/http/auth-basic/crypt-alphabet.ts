/*
 * How crypt(3) writes bytes as text: six bits a character, the lowest first, in an alphabet of its own.
 */

export const CRYPT_ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The bytes of each group, the highest first, as text; `bytes` is in latin1. */
export function encodeBase64(bytes: string, groups: readonly (readonly number[])[]): string {
  let text = '';
  for (const group of groups) {
    let value = 0;
    for (const index of group) value = (value << 8) | bytes.charCodeAt(index);
    for (let bits = group.length * 8; bits > 0; bits -= 6) {
      text += CRYPT_ALPHABET[value & 63];
      value >>= 6;
    }
  }
  return text;
}
