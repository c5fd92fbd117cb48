/*
 * One message into another, a little or a lot broken. Text is latin1: a character is a byte.
 */
import type { Random } from '../random.js';
import { PIECES } from './seeds.js';

type Mutation = (text: string, random: Random, seeds: readonly string[]) => string;

const MUTATIONS: readonly Mutation[] = [
  // A piece is put in.
  (text, random) => {
    const at = random.below(text.length + 1);
    return text.slice(0, at) + random.pick(PIECES) + text.slice(at);
  },
  // A piece is put in at the end of a line or behind a separator, where it matters most.
  (text, random) => {
    const places = [...text.matchAll(/[\r\n:;, ]+/g)].map((match) => match.index + random.below(3));
    if (places.length === 0) return text;
    const at = random.pick(places);
    return text.slice(0, at) + random.pick(PIECES) + text.slice(at);
  },
  // A piece takes the place of a byte.
  (text, random) => {
    const at = random.below(text.length + 1);
    return text.slice(0, at) + random.pick(PIECES) + text.slice(at + 1);
  },
  // A byte becomes any other.
  (text, random) => {
    const at = random.below(text.length + 1);
    return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1);
  },
  // A byte's case or lowest bit changes.
  (text, random) => {
    const at = random.below(text.length);
    const code = (text.charCodeAt(at) || 0) ^ random.pick([0x20, 1]);
    return text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
  },
  // Some bytes are left out.
  (text, random) => {
    const at = random.below(text.length + 1);
    return text.slice(0, at) + text.slice(at + 1 + random.below(4));
  },
  // A stretch stands twice.
  (text, random) => {
    const at = random.below(text.length + 1);
    const end = at + random.below(40);
    return text.slice(0, end) + text.slice(at);
  },
  // A line stands twice, is left out, or goes elsewhere.
  (text, random) => {
    const lines = text.split('\r\n');
    const [line] = lines.splice(random.below(lines.length), random.below(2));
    const copy = line ?? random.pick(lines) ?? '';
    if (!random.oneIn(3)) lines.splice(random.below(lines.length + 1), 0, copy);
    return lines.join('\r\n');
  },
  // One line end becomes another.
  (text, random) => {
    const ends = [...text.matchAll(/\r\n/g)];
    if (ends.length === 0) return text;
    const at = random.pick(ends).index;
    return text.slice(0, at) + random.pick(['\n', '\r', '\r\r\n', '\n\r', ' \r\n', '']) + text.slice(at + 2);
  },
  // A number becomes another.
  (text, random) => {
    const digits = [...text.matchAll(/\d+/g)];
    if (digits.length === 0) return text;
    const { index, 0: number } = random.pick(digits);
    const other = random.pick([
      '0',
      '1',
      '4',
      '6',
      '00',
      '1a',
      `0${number}`,
      `${number}0`,
      `+${number}`,
      ' ',
    ]);
    return text.slice(0, index) + other + text.slice(index + number.length);
  },
  // Another message, or the end of one, follows.
  (text, random, seeds) => {
    const other = random.pick(seeds);
    return (
      text.slice(0, random.oneIn(2) ? text.length : random.below(text.length + 1)) +
      other.slice(random.oneIn(2) ? 0 : random.below(other.length))
    );
  },
  // It breaks off.
  (text, random) => text.slice(0, random.below(text.length + 1)),
];

/** `text` with one mutation, or several, each more seldom; `seeds` are what others it may be mixed with. */
export function mutate(text: string, seeds: readonly string[], random: Random): string {
  let mutant = text;
  do {
    mutant = random.pick(MUTATIONS)(mutant, random, seeds);
  } while (random.oneIn(2) && mutant.length < 4096);
  return mutant;
}

/** `text` with a byte of it, or a line, so many times that it is near a limit or above. */
export function stretch(text: string, random: Random): string {
  const at = random.below(text.length + 1);
  const lineEnd = text.indexOf('\r\n', at) + 2;
  const isLine = random.oneIn(2) && lineEnd > 1;
  const part = isLine ? text.slice(at, lineEnd) : (text[at] ?? 'a');
  const bytes = random.pick([1024, 8192, 32_768]) + random.below(64) - 40;
  return text.slice(0, at) + part.repeat(Math.ceil(bytes / part.length)) + text.slice(at);
}

/** Cuts bytes into pieces at random places, few or many. */
export function cutAnywhere(bytes: Buffer, random: Random): Buffer[] {
  const pieces: Buffer[] = [];
  const longest = 1 + random.below(random.oneIn(3) ? 4 : bytes.length + 1);
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + random.below(longest));
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}
