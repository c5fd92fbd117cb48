/*
 * PCRE's syntax to a tree, without UTF mode, as nginx compiles its patterns. What PCRE refuses is refused in
 * PCRE's words; what it takes and we cannot say in JavaScript is refused with the construct named.
 */
import { type ByteSet, ignoreCase, setOf } from './byte-set.js';
import { readClass } from './character-class.js';
import { Cursor } from './cursor.js';
import { readEscape } from './escape.js';
import { type Opening, readGroupOpening } from './group-opening.js';
import type { Branches, Node, Pattern, Repeat } from './pattern.js';

/** The letters of the flags that are set; they hold to the end of the group in which they were. */
type Flags = ReadonlySet<string>;

/** A backreference, which may come before its group or its name; both are looked up at the end. */
interface Reference {
  readonly name: string;
  readonly at: number;
  readonly node: { group: number };
}

const MAX_NESTING = 250;
const MAX_REPEAT = 65_535;
const RESET_IN_LOOK = '\\K is not allowed in lookarounds (but see PCRE2_EXTRA_ALLOW_LOOKAROUND_BSK)';
const ALL = setOf([0, 255]);
const ALL_BUT_LF = setOf([0, 9], [11, 255]);

/**
 * Parses a pattern whose characters are bytes. Throws PatternProblem.
 *
 * differs from nginx: lookbehind of any length is taken, since it depends on PCRE's version which is.
 */
export function parsePattern(text: string, isCaseless: boolean): Pattern {
  return new PatternParser(text, new Set(isCaseless ? 'i' : '')).parse();
}

class PatternParser {
  readonly #cursor: Cursor;
  #flags: Flags;
  #depth = 0;
  readonly #names = new Map<string, number>();
  readonly #references: Reference[] = [];
  /** How many lookarounds are open. */
  #lookDepth = 0;
  #resetsInLook = false;

  constructor(text: string, flags: Flags) {
    this.#cursor = new Cursor(text);
    this.#flags = flags;
  }

  parse(): Pattern {
    const cursor = this.#cursor;
    this.#skipSettings();
    const body = this.#readBranches();
    if (!cursor.isAtEnd) throw cursor.problem('unmatched closing parenthesis');
    for (const { name, at, node } of this.#references) {
      node.group = this.#names.get(name) ?? Number(name);
      if (!(node.group > 0 && node.group <= cursor.groupCount)) {
        throw cursor.problem('reference to non-existent subpattern', at);
      }
    }
    if (this.#resetsInLook) throw cursor.problem(RESET_IN_LOOK);
    return { body, groupCount: cursor.groupCount, names: this.#names };
  }

  /** Settings that are PCRE's default or only bound its work mean nothing here. */
  #skipSettings(): void {
    const setting =
      /\(\*(?:LF|BSR_UNICODE|NO_AUTO_POSSESS|NO_START_OPT|NO_JIT|LIMIT_(?:MATCH|DEPTH|RECURSION|HEAP)=\d+)\)/y;
    while (this.#cursor.take(setting) !== null);
  }

  /** Up to a `)` or the end. */
  #readBranches(): Branches {
    const cursor = this.#cursor;
    const outerFlags = this.#flags;
    if (++this.#depth > MAX_NESTING) throw cursor.problem('parentheses are too deeply nested');
    let branch: Node[] = [];
    const branches = [branch];
    while (!cursor.isAtEnd && cursor.peek() !== ')') {
      if (cursor.take(/\|/y) !== null) {
        branch = [];
        branches.push(branch);
      } else this.#readItem(branch);
    }
    this.#depth--;
    this.#flags = outerFlags;
    return branches;
  }

  #readItem(branch: Node[]): void {
    const cursor = this.#cursor;
    if (this.#skipIgnored()) return;
    const start = cursor.at;
    if (/[*+?]/.test(cursor.peek()) || this.#takeBraces() !== null) {
      throw cursor.problem('quantifier does not follow a repeatable item', Math.max(cursor.at - 1, start));
    }
    const character = cursor.text[cursor.at++]!;
    if (character === '(') this.#readGroup(branch);
    else if (character === '\\') this.#readBackslash(branch, start);
    else if (character === '[') this.#readClass(branch, start);
    else if (character === '.') {
      this.#addRepeatable(branch, { kind: 'set', set: this.#flags.has('s') ? ALL : ALL_BUT_LF });
    } else if (character === '^') this.#addAssertion(branch, 'start');
    else if (character === '$') this.#addAssertion(branch, 'end');
    else this.#addByte(branch, character.charCodeAt(0));
  }

  #addAssertion(branch: Node[], what: 'start' | 'end'): void {
    branch.push({ kind: 'assertion', what: this.#flags.has('m') ? `line-${what}` : what });
  }

  /** Comments, stray `\E`, and whitespace under the x flag. */
  #skipIgnored(): boolean {
    const cursor = this.#cursor;
    const start = cursor.at;
    for (;;) {
      const before = cursor.at;
      if (this.#flags.has('x')) cursor.take(/(?:[\t-\r ]|#[^\n]*)+/y);
      cursor.take(/(?:\\E)+/y);
      if (cursor.take(/\(\?#[^)]*/y) !== null) {
        if (cursor.isAtEnd) throw cursor.problem('missing ) after (?# comment');
        cursor.at++;
      }
      if (cursor.at === before) return cursor.at > start;
    }
  }

  #readBackslash(branch: Node[], start: number): void {
    const cursor = this.#cursor;
    const literal = cursor.take(/Q(.*?)(?:\\E|$)/sy);
    if (literal !== null) {
      const bytes = [...literal[1]!];
      bytes.forEach((byte, index) => {
        if (index < bytes.length - 1) branch.push(this.#byte(byte.charCodeAt(0)));
        else this.#addByte(branch, byte.charCodeAt(0));
      });
      return;
    }
    const read = readEscape(cursor, false);
    if (read.kind === 'byte') this.#addByte(branch, read.byte);
    else if (read.kind === 'set' || read.kind === 'newline') this.#addRepeatable(branch, read);
    else if (read.kind === 'assertion') branch.push(read);
    else if (read.kind === 'reference') this.#addReference(branch, read.name, start, read.at);
    else if (this.#lookDepth > 0) this.#resetsInLook = true;
  }

  #readClass(branch: Node[], start: number): void {
    const cursor = this.#cursor;
    if (/^\[([:.=])[^\\\]]*\1\]/.test(cursor.text.slice(start))) {
      throw cursor.problem('POSIX named classes are supported only within a class', start);
    }
    const set = readClass(cursor, this.#flags.has('i'), this.#flags.has('xx'));
    this.#addRepeatable(branch, { kind: 'set', set });
  }

  #readGroup(branch: Node[]): void {
    const start = this.#cursor.at - 1;
    const opening = readGroupOpening(this.#cursor);
    if (opening.kind === 'flags') this.#applyFlags(branch, opening);
    else if (opening.kind === 'reference') this.#addReference(branch, opening.name, start, opening.at);
    else if (opening.kind === 'fail') branch.push({ kind: 'set', set: setOf() });
    else if (opening.kind === 'capture' || opening.kind === 'group') {
      const capture = opening.kind === 'group' ? null : this.#openCapture(opening);
      this.#addRepeatable(branch, { kind: 'group', capture, body: this.#readGroupBody() });
    } else if (opening.kind === 'look') {
      this.#lookDepth++;
      const body = this.#readGroupBody();
      this.#lookDepth--;
      this.#addRepeatable(branch, { ...opening, body });
    } else this.#addRepeatable(branch, { ...opening, body: this.#readGroupBody() });
  }

  #openCapture({ name }: Opening & { kind: 'capture' }): number | null {
    if (name === null && this.#flags.has('n')) return null;
    const group = ++this.#cursor.groupCount;
    if (name === null) return group;
    if (this.#names.has(name)) {
      const reason = 'two named subpatterns have the same name (PCRE2_DUPNAMES not set)';
      throw this.#cursor.problem(reason);
    }
    this.#names.set(name, group);
    return group;
  }

  #readGroupBody(): Branches {
    const body = this.#readBranches();
    if (this.#cursor.isAtEnd) throw this.#cursor.problem('missing closing parenthesis');
    this.#cursor.at++;
    return body;
  }

  #applyFlags(branch: Node[], { on, off, isScoped }: Opening & { kind: 'flags' }): void {
    const outerFlags = this.#flags;
    const flags = new Set(outerFlags);
    for (const letter of off) flags.delete(letter);
    if (off.includes('x') || on.includes('x')) flags.delete('xx');
    for (const letter of on) flags.add(letter);
    if (on.includes('xx')) flags.add('xx');
    this.#flags = flags;
    if (!isScoped) return;
    this.#addRepeatable(branch, { kind: 'group', capture: null, body: this.#readGroupBody() });
    this.#flags = outerFlags;
  }

  #addReference(branch: Node[], name: string, at: number, reportAt: number): void {
    const node = { kind: 'backreference' as const, group: 0, isCaseless: this.#flags.has('i'), at };
    this.#references.push({ name, at: reportAt, node });
    this.#addRepeatable(branch, node);
  }

  #addByte(branch: Node[], byte: number): void {
    this.#addRepeatable(branch, this.#byte(byte));
  }

  #byte(byte: number): Node {
    const set: ByteSet = setOf([byte, byte]);
    return { kind: 'set', set: this.#flags.has('i') ? ignoreCase(set) : set };
  }

  /** Adds a node, with the quantifier that follows it if there is one. */
  #addRepeatable(branch: Node[], node: Node): void {
    const cursor = this.#cursor;
    this.#skipIgnored();
    const symbol = cursor.take(/[*+?]/y)?.[0];
    const counts = symbol === undefined ? this.#takeBraces() : countsOf(symbol);
    if (counts === null) {
      branch.push(node);
      return;
    }
    this.#skipIgnored();
    const suffix = cursor.take(/[?+]/y)?.[0];
    branch.push({ kind: 'repeat', node, min: counts[0], max: counts[1], mode: this.#modeOf(suffix) });
  }

  #modeOf(suffix: string | undefined): Repeat['mode'] {
    if (suffix === '+') return 'possessive';
    return (suffix === '?') !== this.#flags.has('U') ? 'lazy' : 'greedy';
  }

  /** `{2}`, `{2,}` or `{2,3}`; anything else in braces stands for itself. */
  #takeBraces(): [min: number, max: number] | null {
    const cursor = this.#cursor;
    const match = cursor.take(/\{(\d+)(?:(,)(\d*))?\}/y);
    if (match === null) return null;
    const min = Number(match[1]);
    const max = match[2] === undefined ? min : match[3] === '' ? Number.POSITIVE_INFINITY : Number(match[3]);
    if (min > MAX_REPEAT || (max > MAX_REPEAT && max !== Number.POSITIVE_INFINITY)) {
      throw cursor.problem('number too big in {} quantifier', cursor.at - 1);
    }
    if (min > max) throw cursor.problem('numbers out of order in {} quantifier', cursor.at - 1);
    return [min, max];
  }
}

function countsOf(symbol: string): [min: number, max: number] {
  if (symbol === '?') return [0, 1];
  return [symbol === '+' ? 1 : 0, Number.POSITIVE_INFINITY];
}
