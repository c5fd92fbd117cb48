/*
 * Regular expressions that requests are matched against: what they match stays with the request, as $1 to $9 and as
 * variables with the names of the groups.
 */
import { assignVariable, type Variable } from '../variables/variable-table.js';
import type { HttpRequest } from './http-request.js';

/** A named group and the variable that gets its text. */
export interface NamedGroup {
  /** PCRE's number of the group. */
  readonly group: number;
  readonly variable: Variable<HttpRequest>;
}

/** One regular expression. Texts are bytes in latin1. */
export class RequestRegex {
  readonly regexp: RegExp;
  /** As written. */
  readonly pattern: string;
  /** By PCRE's number of a group its index in a match. */
  private readonly groupIndexes: readonly number[];
  private readonly named: readonly NamedGroup[];

  constructor(
    regexp: RegExp,
    pattern: string,
    groupIndexes: readonly number[],
    named: readonly NamedGroup[],
  ) {
    this.regexp = regexp;
    this.pattern = pattern;
    this.groupIndexes = groupIndexes;
    this.named = named;
  }

  /** Whether `text` matches; then the request's captures are this match's. */
  match(request: HttpRequest, text: string): boolean {
    const match = this.regexp.exec(text);
    if (match === null) return false;
    this.take(request, match);
    return true;
  }

  /** A match of `regexp` that was made elsewhere becomes the request's captures. */
  take(request: HttpRequest, match: RegExpExecArray): void {
    request.captures = this.groupIndexes.map((index) => match[index]);
    for (const { group, variable } of this.named) {
      assignVariable(variable, request, match[this.groupIndexes[group]!] ?? '');
    }
  }
}
