/*
 * The condition of an `if`: a variable alone, compared or matched, or a test of a file.
 */
import { type Stats, statSync } from 'node:fs';
import { type Finding, finding } from '../../../conf/diagnostics/catalogue.js';
import type { Word } from '../../../conf/syntax/ast.js';
import { regex } from '../../../conf/values/regex.js';
import { Refusal } from '../../../conf/values/value-type.js';
import { variableText } from '../../../conf/values/variable-text.js';
import { describeErrno } from '../../../core/errno.js';
import { logErrorOf } from '../../../request/error-line.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { HttpBuild } from '../../module.js';
import { bindPieces, type Piece } from './pieces.js';
import { readValue } from './steps.js';

export type Condition = (request: HttpRequest) => boolean;

/** A word between the parentheses. */
interface Term {
  readonly text: string;
  readonly word: Word;
}

/** Compiles the words of an `if`. Null when they are no condition, which has been reported then. */
export function compileCondition(
  args: readonly Word[],
  isLogged: boolean,
  build: HttpBuild,
): Condition | null {
  const terms = unwrap(args, build);
  if (terms === null) return null;
  const [first, operator, last] = terms;
  if (first!.text.startsWith('$') && first!.text.length > 1) {
    if (terms.length === 1) return isSet(read(first!, build));
    if (terms.length === 3) return compare(first!, operator!, last!, isLogged, build);
  } else if (terms.length === 2 && /^!?-[fdex]$/.test(first!.text)) {
    return testFile(first!.text, read(operator!, build));
  }
  build.report(first!.word, invalid(first!.text));
  return null;
}

function invalid(text: string): Finding {
  const hint = 'use ($variable), ($variable = text), ($variable ~ regex) or (-f path)';
  return finding('condition', `invalid condition "${text}"`, hint);
}

/** Takes the parentheses off, which may stand alone or at a word. */
function unwrap(args: readonly Word[], build: HttpBuild): Term[] | null {
  const terms = args.map((word) => ({ text: word.text, word }));
  const first = terms[0]!;
  if (!first.text.startsWith('(')) {
    build.report(first.word, invalid(first.text));
    return null;
  }
  first.text = first.text.slice(1);
  if (first.text === '') terms.shift();
  const last = terms[terms.length - 1];
  if (last === undefined || !last.text.endsWith(')')) {
    build.report(args[args.length - 1]!, invalid(args[args.length - 1]!.text));
    return null;
  }
  last.text = last.text.slice(0, -1);
  if (last.text === '' && terms.length > 1) terms.pop();
  return terms;
}

function read({ text, word }: Term, build: HttpBuild): readonly Piece[] {
  const parts = variableText.parse(text);
  if (!(parts instanceof Refusal)) return bindPieces(parts, word, build);
  build.report(word, finding('condition', parts.message, null, parts.nginxText('if')));
  return [];
}

function isSet(pieces: readonly Piece[]): Condition {
  return (request) => {
    const value = readValue(pieces, request);
    return value !== '' && value !== '0';
  };
}

function compare(
  left: Term,
  operator: Term,
  right: Term,
  isLogged: boolean,
  build: HttpBuild,
): Condition | null {
  const variable = read(left, build);
  switch (operator.text) {
    case '=':
    case '!=': {
      const value = read(right, build);
      const isEqual = operator.text === '=';
      return (request) => (readValue(variable, request) === readValue(value, request)) === isEqual;
    }
    case '~':
    case '~*':
    case '!~':
    case '!~*':
      return match(variable, operator.text, right, isLogged, build);
    default:
      build.report(
        operator.word,
        finding('condition', `unexpected "${operator.text}" in condition`, 'use =, !=, ~, ~*, !~ or !~*'),
      );
      return null;
  }
}

function match(
  variable: readonly Piece[],
  operator: string,
  right: Term,
  isLogged: boolean,
  build: HttpBuild,
): Condition | null {
  const parsed = regex({ isCaseless: operator.endsWith('*') }).parse(right.text);
  if (parsed instanceof Refusal) {
    build.report(right.word, finding('condition', parsed.message, null, parsed.nginxText('if')));
    return null;
  }
  const compiled = build.regex(parsed, right.word);
  const isWanted = !operator.startsWith('!');
  return (request) => {
    const value = readValue(variable, request);
    const matches = compiled.match(request, value);
    if (!matches) request.captures = null;
    if (isLogged) {
      const what = matches ? 'matches' : 'does not match';
      logErrorOf(request, 'notice', `"${compiled.pattern}" ${what} "${value}"`);
    }
    return matches === isWanted;
  };
}

/** What the letter of a test asks of what is there. */
const FILE_TESTS: Readonly<Record<string, (stats: Stats) => boolean>> = {
  f: (stats) => stats.isFile(),
  d: (stats) => stats.isDirectory(),
  e: (stats) => stats.isFile() || stats.isDirectory(),
  x: (stats) => (stats.mode & OWNER_MAY_EXECUTE) !== 0,
};

const OWNER_MAY_EXECUTE = 0o100;

function testFile(test: string, path: readonly Piece[]): Condition {
  const fits = FILE_TESTS[test.slice(-1)]!;
  const isWanted = !test.startsWith('!');
  return (request) => {
    const stats = statsOf(readValue(path, request), request);
    return (stats !== null && fits(stats)) === isWanted;
  };
}

const ABSENT: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG']);

/** Null when there is nothing, or it can't be told. perf: a look at the file takes less than waiting for one would. */
function statsOf(path: string, request: HttpRequest): Stats | null {
  try {
    return statSync(Buffer.from(path, 'latin1'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!ABSENT.has(code)) {
      logErrorOf(request, 'crit', `stat() "${path}" failed (${describeErrno(code ?? '')})`);
    }
    return null;
  }
}
