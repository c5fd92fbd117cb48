/*
 * What the pages of one client's request have in common, included ones too: variables, blocks, what the last regular
 * expression matched; and texts with variables, evaluated against these.
 */
import { translatePcre } from '../../../conf/pcre/translate.js';
import { decodeConf } from '../../../conf/syntax/source-text.js';

/** Why a command could not be carried out; a line for the error log. */
export class SsiProblem extends Error {}

/** Regular expressions of pages, compiled; forgotten when they become too many. */
const compiled = new Map<string, ReturnType<typeof translatePcre>>();
const MAX_COMPILED = 256;

/** Shared by a client's request and all its subrequests. Texts are bytes in latin1, names in lower case. */
export class SsiPage {
  readonly variables = new Map<string, string>();
  readonly blocks = new Map<string, Buffer[]>();
  private captures: readonly (string | undefined)[] = [];

  /** A variable that a page has set, or a group of its last match; null for one that isn't its own. */
  find(name: string): string | null {
    const isGroup = /^\d$/.test(name) && Number(name) < this.captures.length;
    return isGroup ? (this.captures[Number(name)] ?? '') : (this.variables.get(name) ?? null);
  }

  /** Whether `text` matches a pattern of PCRE; the groups become variables then. */
  match(pattern: string, text: string): boolean {
    const regex = compile(pattern);
    const match = regex.regexp.exec(text);
    if (match === null) return false;
    const captures = regex.groupIndexes.map((index) => match[index]);
    // Groups behind the last one that took part are none.
    while (captures.at(-1) === undefined) captures.pop();
    this.captures = captures;
    for (const [name, group] of regex.names) {
      this.variables.set(name.toLowerCase(), match[regex.groupIndexes[group]!] ?? '');
    }
    return true;
  }
}

function compile(pattern: string) {
  let regex = compiled.get(pattern);
  if (regex === undefined) {
    regex = translatePcre(decodeConf(Buffer.from(pattern, 'latin1')), false);
    if (compiled.size >= MAX_COMPILED) compiled.clear();
    compiled.set(pattern, regex);
  }
  if ('reason' in regex) throw new SsiProblem(regex.nginxText ?? `"${pattern}": ${regex.reason}`);
  return regex;
}

/** A name behind a dollar, in braces or not; or a stretch of text without any. */
const PIECE = /\$(?:\{(\w*)(\}?)|(\w*))|[^$\\]+|\\[\s\S]?/g;

/**
 * A parameter's value with its `$names` replaced. `read` gives a variable's value by its name in lower case, null
 * for one that isn't found.
 */
export function evaluateText(text: string, read: (name: string) => string | null): string {
  let result = '';
  for (const [piece, braced, brace, bare] of text.matchAll(PIECE)) {
    if (piece[0] === '\\') result += unescapeCharacter(piece);
    else if (piece[0] !== '$') result += piece;
    else {
      const name = braced ?? bare ?? '';
      if (braced !== undefined && brace === '') {
        throw new SsiProblem(`the closing bracket in "${name}" variable is missing`);
      }
      if (name === '') throw new SsiProblem(`invalid variable name in "${text}"`);
      result += read(name.toLowerCase()) ?? '';
    }
  }
  return result;
}

/** `\$` and escaped quotes lose their backslash; any other stays. */
function unescapeCharacter(piece: string): string {
  if (piece.length === 1) return '';
  return '\\\'"$'.includes(piece[1]!) ? piece[1]! : piece;
}
