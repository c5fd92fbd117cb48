/*
 * Whether a password is the one that a line of a user file has hashed. Texts are bytes in latin1.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { checkBcrypt } from './bcrypt.js';
import { desCrypt } from './des-crypt.js';
import { md5Crypt } from './md5-crypt.js';
import { shaCrypt } from './sha-crypt.js';

/** What a check says: null where the hash is of a kind we don't know, or can't be computed now. */
export type PasswordCheck = boolean | null;

/**
 * security: the work of some hashes grows with the square of the password, which comes from anybody. libxcrypt has the
 * same bound.
 */
const MAX_PASSWORD_BYTES = 511;

/** Passwords that were right lately, not to be hashed with each request: as a digest that only this process can make. */
const rightOnes = new Set<string>();
const MAX_RIGHT_ONES = 1000;
const secret = randomBytes(32);

/** Checks a password; at once when that is cheap or was done before. */
export function checkPassword(password: string, stored: string): PasswordCheck | Promise<PasswordCheck> {
  if (stored.startsWith('{PLAIN}')) return isEqual(`{PLAIN}${password}`, stored);
  if (stored.startsWith('{SHA}')) return isEqual(`{SHA}${sha1(password)}`, stored);
  if (stored.startsWith('{SSHA}')) return isSaltedSha(password, stored);
  if (password.length > MAX_PASSWORD_BYTES) return false;
  const digest = createHmac('sha256', secret).update(`${stored}\0${password}`, 'latin1').digest('base64');
  if (rightOnes.has(digest)) return true;
  const check = hashAndCompare(password, stored);
  if (typeof check !== 'object' || check === null) return noteRight(digest, check);
  return check.then((isRight) => noteRight(digest, isRight));
}

function noteRight(digest: string, isRight: PasswordCheck): PasswordCheck {
  if (isRight === true) {
    const [oldest] = rightOnes;
    if (rightOnes.size >= MAX_RIGHT_ONES) rightOnes.delete(oldest!);
    rightOnes.add(digest);
  }
  return isRight;
}

function hashAndCompare(password: string, stored: string): PasswordCheck | Promise<PasswordCheck> {
  const magic = /^\$(?:apr1|1|5|6|2[aby])\$/.exec(stored)?.[0];
  switch (magic) {
    case '$apr1$':
    case '$1$':
      return isEqual(md5Crypt(password, magic, stored.slice(magic.length)), stored);
    case '$5$':
    case '$6$':
      return shaCrypt(password, magic, stored.slice(magic.length)).then((made) => isEqual(made, stored));
    case undefined:
      return /^[./0-9A-Za-z]{2}/.test(stored) ? isEqual(desCrypt(password, stored), stored) : null;
    default:
      return checkBcrypt(password, stored);
  }
}

/** The hash is followed by the salt, all in base64. */
function isSaltedSha(password: string, stored: string): boolean {
  const salt = Buffer.from(stored.slice('{SSHA}'.length), 'base64').subarray(20).toString('latin1');
  const made = Buffer.from(sha1(password + salt), 'base64').toString('latin1') + salt;
  return isEqual(`{SSHA}${Buffer.from(made, 'latin1').toString('base64')}`, stored);
}

function sha1(text: string): string {
  return createHash('sha1').update(text, 'latin1').digest('base64');
}

/** security: takes the same time wherever the first difference is. */
function isEqual(made: string, stored: string): boolean {
  const a = Buffer.from(made, 'latin1');
  const b = Buffer.from(stored, 'latin1');
  return a.length === b.length && timingSafeEqual(a, b);
}
