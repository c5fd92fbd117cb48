/*
 * The lines of one map: equal texts first, then names with a '*', then regular expressions in their order.
 */
import type { Directive } from '../../../conf/syntax/ast.js';
import { lowerAscii } from '../../../core/ascii-case.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { RequestRegex } from '../../../request/request-regex.js';
import { ServerMatch, ServerNames } from '../../../request/server-names.js';
import type { Text } from '../../../variables/text.js';

type Value = Text<HttpRequest>;

/** A key that isn't used, and why. */
interface KeyProblem {
  readonly kind: 'conflict' | 'invalid';
  readonly key: string;
  readonly entry: Directive;
}

/** A key's line, or none: what a name stands for. */
interface Line {
  readonly value: Value | null;
  readonly entry: Directive | null;
}

const NO_LINE: Line = { value: null, entry: null };

/** Keys and values of a map. Texts are bytes in latin1; the case of ASCII letters in keys doesn't matter. */
export class MapTable {
  /** Null for none: then it is ''. */
  default: Value | null = null;
  private readonly texts: Map<string, Line> = new Map();
  /** With `hostnames`, instead of `texts`. */
  private readonly names: ServerNames<Line, RequestRegex> | null;
  private readonly match: ServerMatch<Line, RequestRegex> = new ServerMatch();
  private readonly regexes: { readonly regex: RequestRegex; readonly value: Value }[] = [];
  private readonly conflicts: KeyProblem[] = [];

  constructor(hasHostnames: boolean) {
    this.names = hasHostnames ? new ServerNames(NO_LINE) : null;
  }

  addText(key: string, value: Value, entry: Directive): void {
    const line = { value, entry };
    const lower = lowerAscii(key);
    if (this.names !== null) this.names.addName(lower, line);
    else if (this.texts.has(lower)) this.conflicts.push({ kind: 'conflict', key, entry });
    else this.texts.set(lower, line);
  }

  addRegex(regex: RequestRegex, value: Value): void {
    this.regexes.push({ regex, value });
  }

  get problems(): readonly KeyProblem[] {
    const names = this.names?.problems ?? [];
    return [
      ...this.conflicts,
      ...names.map(({ kind, name, server }) => ({ kind, key: name, entry: server.entry! })),
    ];
  }

  /** The value for a text, the default if there is no other; null for neither. */
  find(request: HttpRequest, text: string): Value | null {
    const subject = this.names !== null && text.endsWith('.') ? text.slice(0, -1) : text;
    const line = this.findLine(lowerAscii(subject));
    if (line !== NO_LINE) return line.value;
    if (subject !== '') {
      for (const { regex, value } of this.regexes) if (regex.match(request, subject)) return value;
    }
    return this.default;
  }

  private findLine(lower: string): Line {
    if (this.names !== null) return this.names.find(lower, this.match);
    return this.texts.get(lower) ?? NO_LINE;
  }
}
