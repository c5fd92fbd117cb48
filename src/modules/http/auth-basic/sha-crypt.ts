/*
 * Passwords hashed with SHA-256 (`$5$`) or SHA-512 (`$6$`) thousands of times, as Ulrich Drepper specified it for
 * crypt(3). It takes milliseconds, so it pauses in between. Texts are bytes in latin1.
 */
import { hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { encodeBase64 } from './crypt-alphabet.js';

const DEFAULT_ROUNDS = 5000;
const MAX_SALT = 16;
/** About a millisecond of them. */
const ROUNDS_PER_TURN = 500;

interface Kind {
  readonly algorithm: 'sha256' | 'sha512';
  readonly bytes: number;
  /** Which bytes of the digest make each group of the text. */
  readonly groups: readonly (readonly number[])[];
}

/** The groups go around three thirds of the digest; what is left over comes last. */
function makeGroups(third: number, step: (group: number[]) => number[], rest: number[]): number[][] {
  const groups: number[][] = [];
  let group = [0, third, third * 2];
  for (let i = 0; i < third; i++) {
    groups.push(group);
    group = step(group).map((index) => index + 1);
  }
  return [...groups, rest];
}

const KINDS: Readonly<Record<'$5$' | '$6$', Kind>> = {
  $5$: { algorithm: 'sha256', bytes: 32, groups: makeGroups(10, ([a, b, c]) => [c!, a!, b!], [31, 30]) },
  $6$: { algorithm: 'sha512', bytes: 64, groups: makeGroups(21, ([a, b, c]) => [b!, c!, a!], [63]) },
};

/** The magic word, the rounds if given, the salt, and the hash. @param setting what stands behind the magic */
export async function shaCrypt(password: string, magic: '$5$' | '$6$', setting: string): Promise<string> {
  const { algorithm, bytes, groups } = KINDS[magic];
  const digestOf = (text: string) => hash(algorithm, Buffer.from(text, 'latin1'), 'binary');
  const given = /^rounds=(\d+)\$/.exec(setting);
  const rounds = given === null ? DEFAULT_ROUNDS : Math.min(Math.max(Number(given[1]), 1000), 999_999_999);
  const salt = setting
    .slice(given === null ? 0 : given[0].length)
    .split('$', 1)[0]!
    .slice(0, MAX_SALT);
  const inner = digestOf(password + salt + password);
  let text = password + salt + stretch(inner, password.length, bytes);
  for (let bits = password.length; bits > 0; bits >>= 1) text += bits & 1 ? inner : password;
  let digest = digestOf(text);
  const longPassword = stretch(digestOf(password.repeat(password.length)), password.length, bytes);
  const longSalt = stretch(digestOf(salt.repeat(16 + digest.charCodeAt(0))), salt.length, bytes);
  for (let round = 0; round < rounds; round++) {
    if (round % ROUNDS_PER_TURN === ROUNDS_PER_TURN - 1) await nextTurn();
    const isOdd = (round & 1) === 1;
    text = isOdd ? longPassword : digest;
    if (round % 3 !== 0) text += longSalt;
    if (round % 7 !== 0) text += longPassword;
    digest = digestOf(text + (isOdd ? digest : longPassword));
  }
  const roundsShown = given === null ? '' : `rounds=${rounds}$`;
  return `${magic}${roundsShown}${salt}$${encodeBase64(digest, groups)}`;
}

/** A digest repeated up to a length. */
function stretch(digest: string, length: number, bytes: number): string {
  return digest.repeat(Math.ceil(length / bytes)).slice(0, length);
}
