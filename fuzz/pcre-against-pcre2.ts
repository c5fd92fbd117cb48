// Random patterns through PCRE2 and through our translation to JavaScript, on random texts: both must refuse a
// pattern at the same place in the same words, or match the same with the same groups. Patterns that we say
// JavaScript has no means for are counted, and groups that we say are unsure are left out.
//
//   npm run -s build:tools && node .build/fuzz/pcre-against-pcre2.js [patterns] [seed]
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type Regex, translatePcre } from '../src/conf/pcre/translate.js';
import { Random } from './random.js';

const ORACLE = join(import.meta.dirname, '../../fuzz/pcre2-oracle.py');

interface Query {
  readonly pattern: string;
  readonly caseless: boolean;
  readonly subjects: readonly string[];
}

interface Answer {
  readonly error?: string;
  readonly offset?: number;
  readonly matches?: readonly (readonly (string | null)[] | number | null)[];
}

const ATOMS = [
  ...'aaabbcABC012 _-.',
  ...[
    '.',
    '\\d',
    '\\w',
    '\\W',
    '\\s',
    '\\h',
    '\\v',
    '\\R',
    '\\N',
    '\\S',
    '\\x61',
    '\\x{62}',
    '\\141',
    '\\cJ',
  ],
  ...[
    '[abc]',
    '[^a]',
    '[a-c0-2]',
    '[[:alpha:]_]',
    '[[:^digit:]]',
    '[]a]',
    '[\\d.-]',
    '[\\w-]',
    '\\Qa.\\E',
    '\\.',
  ],
  ...[
    '\\n',
    '\\t',
    '\\/',
    '\\#',
    '\xe9',
    '[\xe0-\xef]',
    '\\K',
    '(*FAIL)',
    '(?#b)',
    '\\e',
    '[\\b]',
    '[^\\W_]',
  ],
  ...[
    '\\b',
    '\\B',
    '^',
    '$',
    '\\A',
    '\\z',
    '\\Z',
    '\\G',
    '\\E',
    '\\1',
    '\\2',
    '\\g{-1}',
    '\\k<n>',
    '\\10',
    '(?P=n)',
  ],
];
const OPENINGS = [
  '(',
  '(',
  '(?:',
  '(?>',
  '(?=',
  '(?!',
  '(?<n>',
  '(?P<m>',
  "(?'o'",
  '(?i:',
  '(?-i:',
  '(?s:',
  '(?m-i:',
];
const QUANTIFIERS = [
  '*',
  '+',
  '?',
  '*?',
  '+?',
  '??',
  '*+',
  '++',
  '?+',
  '{2}',
  '{1,2}',
  '{0,1}?',
  '{2,}',
  '{1,2}+',
];
const FLAGS = ['(?i)', '(?s)', '(?m)', '(?x)', '(?-i)', '(?U)', '(?n)', '(?^)', '(?xx)'];
const SOUP = [..."aab12()[]{}|?*+\\\\^$.-,:=!<>'#dQEkgxPRnA "];

function makePattern(random: Random, depth = 0): string {
  const alternatives = random.many(1, random.oneIn(4) ? 3 : 1, () =>
    random.many(depth === 0 ? 1 : 0, 4, () => makeItem(random, depth)).join(''),
  );
  return alternatives.join('|');
}

function makeItem(random: Random, depth: number): string {
  const quantifier = random.oneIn(3) ? random.pick(QUANTIFIERS) : '';
  if (random.oneIn(15)) return random.pick(FLAGS);
  if (random.oneIn(25)) return `(?<${random.pick('=!' as never)}${random.pick(ATOMS)})`;
  if (depth < 3 && random.oneIn(3)) {
    return `${random.pick(OPENINGS)}${makePattern(random, depth + 1)})${quantifier}`;
  }
  return random.pick(ATOMS) + quantifier;
}

function makeQuery(random: Random): Query {
  const isSoup = random.oneIn(4);
  const pattern = isSoup ? random.many(1, 12, () => random.pick(SOUP)).join('') : makePattern(random);
  const subjects = random.many(12, 12, () =>
    random.many(0, 8, () => random.pick([...'aaabbcABC012 _-.\n\n\r\t/\xe9\xc9\xa0'])).join(''),
  );
  return { pattern, caseless: random.oneIn(4), subjects: ['', '\n', ...subjects] };
}

function ask(queries: readonly Query[]): Answer[] {
  const input = queries.map((query) => JSON.stringify(query)).join('\n');
  const { stdout, stderr } = spawnSync('python3', [ORACLE], { input, maxBuffer: 2 ** 30, encoding: 'utf8' });
  if (stderr !== '') throw new Error(stderr);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer);
}

/** The groups that PCRE would give, null for one that is not set. */
function matchOurs(regex: Regex, subject: string): (string | null)[] | null {
  const match = regex.regexp.exec(subject);
  if (match === null) return null;
  return regex.groupIndexes.map((index) => match[index] ?? null);
}

/** What differs, or null. */
function compare(query: Query, answer: Answer, ours: Regex): object | null {
  for (const [index, subject] of query.subjects.entries()) {
    const theirs = answer.matches![index]!;
    if (typeof theirs === 'number') continue;
    const mine = matchOurs(ours, subject);
    // What matched as a whole, which nginx never looks at, begins at \K.
    const unsure = query.pattern.includes('\\K') ? [...ours.unsureGroups, 0] : ours.unsureGroups;
    const isSame =
      (mine === null) === (theirs === null) &&
      (mine ?? []).every((text, group) => text === theirs![group] || unsure.includes(group));
    if (!isSame) return { subject, mine, theirs };
  }
  return null;
}

function main(count: number, seed: number): void {
  const random = new Random(seed);
  const queries = random.many(count, count, () => makeQuery(random));
  const answers = ask(queries);
  const counts = { compared: 0, refused: 0, untranslatable: 0, misplaced: 0, lookbehind: 0, differing: 0 };
  queries.forEach((query, index) => {
    const { pattern, caseless } = query;
    const answer = answers[index]!;
    const text = Buffer.from(pattern, 'latin1')
      .toString('latin1')
      .replace(/[\x80-\xff]/g, (byte) => {
        return String.fromCharCode(0xdc00 + byte.charCodeAt(0));
      });
    const ours = translatePcre(text, caseless);
    let difference: object | null = null;
    if (answer.error === 'lookbehind assertion is not fixed length') counts.lookbehind++;
    else if ('reason' in ours) {
      if (ours.isUntranslatable) counts.untranslatable++;
      else counts.refused++;
      if (ours.isUntranslatable) return;
      // PCRE2 finds \K in lookarounds at another stage than we.
      const isOrder = pattern.includes('\\K') && answer.error !== undefined;
      if (answer.error !== ours.reason && !isOrder) difference = { ours: ours.reason, at: ours.at, answer };
      else if (answer.offset !== ours.at) {
        counts.misplaced++;
        if (counts.misplaced < 8) console.log('misplaced', JSON.stringify({ pattern, at: ours.at, answer }));
      }
    } else if (answer.error !== undefined) difference = { ours: String(ours.regexp), answer };
    else {
      counts.compared++;
      difference = compare(query, answer, ours);
      if (difference !== null) difference = { regexp: String(ours.regexp), ...difference };
    }
    if (difference === null) return;
    counts.differing++;
    if (counts.differing <= 12) console.log(JSON.stringify({ pattern, caseless, ...difference }));
  });
  console.log(`${count} patterns, seed ${seed}:`, JSON.stringify(counts));
  if (counts.differing > 0) process.exitCode = 1;
}

main(Number(process.argv[2] ?? 20_000), Number(process.argv[3] ?? 1));
