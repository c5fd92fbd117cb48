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

/** A line of the map. */
export interface MapLine {
  readonly value: Value;
  readonly entry: Directive;
}

/** Keys and values of a map. Texts are bytes in latin1; the case of ASCII letters in keys doesn't matter. */
export class MapTable {
  /** Null for none: then it is ''. */
  default: MapLine | null = null;
  private readonly texts: Map<string, MapLine> = new Map();
  /** With `hostnames`, instead of `texts`; null is what no name fits. */
  private readonly names: ServerNames<MapLine | null, RequestRegex> | null;
  private readonly match: ServerMatch<MapLine | null, RequestRegex> = new ServerMatch();
  private readonly regexes: { readonly regex: RequestRegex; readonly line: MapLine }[] = [];
  private readonly conflicts: KeyProblem[] = [];

  constructor(hasHostnames: boolean) {
    this.names = hasHostnames ? new ServerNames<MapLine | null, RequestRegex>(null) : null;
  }

  addText(key: string, line: MapLine): void {
    const { entry } = line;
    const lower = lowerAscii(key);
    if (this.names !== null) this.names.addName(lower, line);
    else if (this.texts.has(lower)) this.conflicts.push({ kind: 'conflict', key, entry });
    else this.texts.set(lower, line);
  }

  addRegex(regex: RequestRegex, line: MapLine): void {
    this.regexes.push({ regex, line });
  }

  get problems(): readonly KeyProblem[] {
    const names = this.names?.problems ?? [];
    return [
      ...this.conflicts,
      ...names.map(({ kind, name, server }) => ({ kind, key: name, entry: server!.entry })),
    ];
  }

  /** The line for a text, the default if there is no other; null for neither. */
  find(request: HttpRequest, text: string): MapLine | null {
    const subject = this.names !== null && text.endsWith('.') ? text.slice(0, -1) : text;
    const line = this.findLine(lowerAscii(subject));
    if (line !== null) return line;
    if (subject !== '') {
      for (const { regex, line } of this.regexes) if (regex.match(request, subject)) return line;
    }
    return this.default;
  }

  private findLine(lower: string): MapLine | null {
    if (this.names !== null) return this.names.find(lower, this.match);
    return this.texts.get(lower) ?? null;
  }
}
