/*
 * The oldest hash of crypt(3), still found in user files: DES (FIPS 46-3) of nothing, 25 times, with the password as
 * its key and a salt that changes its expansion. Bits are kept one to a number, which is slow but fast enough: a third
 * of a millisecond. The tables count bits from 1, as the standard does.
 */
import { CRYPT_ALPHABET } from './crypt-alphabet.js';

const KEY_CHOICE = [
  57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
  63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
];
const ROUND_KEY_CHOICE = [
  14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, 41, 52, 31, 37, 47,
  55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];
/** How far the halves of the key turn before each round. */
const TURNS = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];
const PERMUTATION = [
  16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22,
  11, 4, 25,
];
/** Each box by rows, one hexadecimal digit an entry. */
const BOXES = [
  'e4d12fb83a6c59070f74e2d1a6cb953841e8d62bfc973a50fc8249175b3ea06d',
  'f18e6b34972dc05a3d47f28ec01a69b50e7ba4d158c6932fd8a13f42b67c05e9',
  'a09e63f51dc7b428d709346a285ecbf1d6498f30b12c5ae71ad069874fe3b52c',
  '7de3069a1285bc4fd8b56f03472c1ae9a690cb7df13e52843f06a1d8945bc72e',
  '2c417ab6853fd0e9eb2c47d150fa3986421bad78f9c5630eb8c71e2d6f09a453',
  'c1af92680d34e75baf427c9561de0b389ef528c3704a1db6432c95fabe17608d',
  '4b2ef08d3c975a61d0b7491ae35c2f8614bdc37eaf6805926bd814a7950fe23c',
  'd2846fb1a93e50c71fd8a374c56b0e927b419ce206adf35821e74a8dfc90356b',
];
const ITERATIONS = 25;

/** The salt and the hash. @param setting the salt, two characters of crypt's alphabet, perhaps more */
export function desCrypt(password: string, setting: string): string {
  const keys = makeRoundKeys(password);
  const expansion = makeExpansion(setting);
  let left = new Uint8Array(32);
  let right = new Uint8Array(32);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    for (const key of keys) {
      const mixed = mix(right, key, expansion);
      for (let i = 0; i < 32; i++) mixed[i]! ^= left[i]!;
      left = right;
      right = mixed;
    }
    [left, right] = [right, left];
  }
  return setting.slice(0, 2) + encode(left, right);
}

/** The sixteen keys of the rounds, of the lower seven bits of eight characters. */
function makeRoundKeys(password: string): Uint8Array[] {
  const bits = new Uint8Array(64);
  for (let i = 0; i < 56; i++) {
    const character = i < password.length * 7 ? password.charCodeAt(Math.floor(i / 7)) : 0;
    bits[Math.floor(i / 7) * 8 + (i % 7)] = (character >> (6 - (i % 7))) & 1;
  }
  let chosen = KEY_CHOICE.map((from) => bits[from - 1]!);
  return TURNS.map((turn) => {
    const halves = [chosen.slice(0, 28), chosen.slice(28)];
    chosen = halves.flatMap((half) => [...half.slice(turn), ...half.slice(0, turn)]);
    return Uint8Array.from(ROUND_KEY_CHOICE, (from) => chosen[from - 1]!);
  });
}

/** Which bit of a half each of the 48 comes from: a bit of the salt changes one with its counterpart. */
function makeExpansion(setting: string): Uint8Array {
  const from = Uint8Array.from({ length: 48 }, (_, i) => (Math.floor(i / 6) * 4 + (i % 6) + 31) % 32);
  for (let bit = 0; bit < 12; bit++) {
    const value = CRYPT_ALPHABET.indexOf(setting.charAt(bit < 6 ? 0 : 1));
    if (((value >> (bit % 6)) & 1) === 0) continue;
    const other = from[bit + 24]!;
    from[bit + 24] = from[bit]!;
    from[bit] = other;
  }
  return from;
}

function mix(half: Uint8Array, key: Uint8Array, expansion: Uint8Array): Uint8Array<ArrayBuffer> {
  const substituted = new Uint8Array(32);
  for (let box = 0; box < 8; box++) {
    let six = 0;
    for (let i = box * 6; i < box * 6 + 6; i++) six = (six << 1) | (half[expansion[i]!]! ^ key[i]!);
    const row = ((six >> 4) & 2) | (six & 1);
    const four = Number.parseInt(BOXES[box]!.charAt(row * 16 + ((six >> 1) & 15)), 16);
    for (let i = 0; i < 4; i++) substituted[box * 4 + i] = (four >> (3 - i)) & 1;
  }
  return Uint8Array.from(PERMUTATION, (from) => substituted[from - 1]!);
}

/** Puts the bits in their final order, and six of them into each character. */
function encode(left: Uint8Array, right: Uint8Array): string {
  let text = '';
  for (let start = 0; start < 64; start += 6) {
    let six = 0;
    for (let i = start; i < start + 6; i++) six = (six << 1) | (i < 64 ? finalBit(i, left, right) : 0);
    text += CRYPT_ALPHABET[six];
  }
  return text;
}

/** The final permutation: columns, taken from the halves in turn, from the last to the first. */
function finalBit(index: number, left: Uint8Array, right: Uint8Array): number {
  const column = 7 - (index >> 3);
  const row = (index & 7) >> 1;
  const half = (index & 1) === 0 ? right : left;
  return half[row * 8 + column]!;
}
