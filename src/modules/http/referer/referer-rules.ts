/*
 * Which pages may link to a location, and whether a Referer field names one of them.
 */
import { lowerAscii } from '../../../core/ascii-case.js';
import { type NameProblem, type NameRegex, ServerMatch, ServerNames } from '../../../request/server-names.js';

/** A page's path begins with this; null: any path. */
interface Page {
  readonly path: string | null;
}

const NO_PAGE: Page = { path: null };

const SCHEME = /^https?:\/\//i;
/** nginx doesn't look at what is shorter than "http://i.ru". */
const SHORTEST_URL = 11;
const LONGEST_HOST = 256;

/** The rules of one location. Texts are bytes in latin1. */
export class RefererRules {
  acceptsNone = false;
  /** A field that is there, but no URL: something on the way has blanked it. */
  acceptsBlocked = false;
  private readonly hosts: ServerNames<Page, NameRegex> = new ServerNames(NO_PAGE);
  private readonly match: ServerMatch<Page, NameRegex> = new ServerMatch();
  private readonly hostPatterns: RegExp[] = [];
  /** For all behind the scheme. */
  private readonly patterns: RegExp[] = [];
  private pageCount = 0;

  /** `example.com`, `*.example.com/path` ... */
  addPage(text: string): void {
    const slash = text.indexOf('/');
    const path = slash < 0 ? null : text.slice(slash);
    this.hosts.addName(lowerAscii(slash < 0 ? text : text.slice(0, slash)), { path });
    this.pageCount++;
  }

  addHostPattern(regexp: RegExp): void {
    this.hostPatterns.push(regexp);
  }

  addPattern(regexp: RegExp): void {
    this.patterns.push(regexp);
  }

  get problems(): readonly NameProblem<Page>[] {
    return this.hosts.problems;
  }

  /** nginx refuses rules about referers that are none without any about those that are. */
  get isWithoutPages(): boolean {
    return (this.acceptsNone || this.acceptsBlocked) && this.pageCount === 0;
  }

  /** `referer` is null when the client sent no such field. */
  accepts(referer: string | null): boolean {
    if (referer === null) return this.acceptsNone;
    const scheme = referer.length < SHORTEST_URL ? null : SCHEME.exec(referer);
    if (scheme === null) return this.acceptsBlocked;
    const rest = referer.slice(scheme[0].length);
    const end = rest.search(/[/:]/);
    const host = lowerAscii(end < 0 ? rest : rest.slice(0, end));
    if (host.length > LONGEST_HOST) return false;
    const page = this.hosts.find(host, this.match);
    if (page !== NO_PAGE) return page.path === null || pathOf(rest).startsWith(page.path);
    return (
      this.hostPatterns.some((regexp) => regexp.test(host)) ||
      this.patterns.some((regexp) => regexp.test(rest))
    );
  }
}

function pathOf(rest: string): string {
  const slash = rest.indexOf('/');
  return slash < 0 ? '' : rest.slice(slash);
}
