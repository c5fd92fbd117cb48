/*
 * Passwords hashed with MD5 a thousand times, as `$1$` by FreeBSD and as `$apr1$` by Apache: they differ in the magic
 * word alone. Texts are bytes in latin1.
 */
import { hash } from 'node:crypto';
import { encodeBase64 } from './crypt-alphabet.js';

const ROUNDS = 1000;
const MAX_SALT = 8;

/** Which bytes of the digest make each group of the text. */
const GROUPS = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5], [11]] as const;

/** `magic` and its dollars, the salt, and the hash. @param setting what stands behind the magic: salt, perhaps more */
export function md5Crypt(password: string, magic: '$1$' | '$apr1$', setting: string): string {
  const salt = setting.split('$', 1)[0]!.slice(0, MAX_SALT);
  const inner = md5(password + salt + password);
  let text = password + magic + salt;
  for (let left = password.length; left > 0; left -= 16) text += inner.slice(0, Math.min(16, left));
  for (let bits = password.length; bits > 0; bits >>= 1) text += bits & 1 ? '\0' : password.charAt(0);
  let digest = md5(text);
  for (let round = 0; round < ROUNDS; round++) {
    const isOdd = (round & 1) === 1;
    text = isOdd ? password : digest;
    if (round % 3 !== 0) text += salt;
    if (round % 7 !== 0) text += password;
    digest = md5(text + (isOdd ? digest : password));
  }
  return `${magic}${salt}$${encodeBase64(digest, GROUPS)}`;
}

function md5(text: string): string {
  return hash('md5', Buffer.from(text, 'latin1'), 'binary');
}
