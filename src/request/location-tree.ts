/*
 * Which location serves a path: the search of nginx's `location`, over one server or one location with others
 * inside. What a location is, and compiling its regular expression, is the caller's matter.
 */
import { PrefixTree } from '../core/prefix-tree.js';

/** A location with a regular expression, and what that matched. */
export interface RegexMatch<L> {
  readonly location: L;
  readonly captures: RegExpExecArray;
}

/** What a search found. One object can serve search after search. */
export class LocationMatch<L> {
  /** Null when no location fits. */
  location: L | null;
  /**
   * The matches of the regular expressions that decided, those of outer locations first. Empty when none did:
   * captures of before then stay valid, as they do in nginx.
   */
  readonly matches: RegexMatch<L>[];
  /** Whether the answer is a redirect to the location's own path, which is the one asked for and a '/'. */
  isRedirect: boolean;

  constructor() {
    this.location = null;
    this.matches = [];
    this.isRedirect = false;
  }
}

/** How a location with a path behaves. */
export interface PathRule<L> {
  readonly location: L;
  /** Whether its path without the final '/' is redirected to it: it ends in one and has proxy_pass or the like. */
  readonly hasAutoRedirect: boolean;
}

/** How a location whose path is a prefix behaves. */
export interface PrefixRule<L> extends PathRule<L> {
  /** Whether it was written with `^~`: regular expressions beside it are not tried. */
  readonly stopsRegexes: boolean;
  /** The locations inside it. */
  readonly nested: LocationTree<L> | null;
}

/** How a location with a regular expression behaves. */
export interface RegexRule<L> {
  readonly location: L;
  /** Without the flags g and y, which would make a search depend on the one before. */
  readonly regex: RegExp;
  /** The locations inside it; only those with regular expressions are ever found. */
  readonly nested: LocationTree<L> | null;
}

/** The locations of one level. Paths are decoded and compared byte by byte, upper and lower case apart. */
export class LocationTree<L> {
  private readonly exact: Map<string, L>;
  private readonly prefixes: PrefixTree<KnownPrefix<L>>;
  private readonly prefixPaths: Set<string>;
  /** By the path that is redirected. */
  private readonly redirects: Map<string, L>;
  private readonly regexes: RegexRule<L>[];
  private readonly named: Map<string, L>;

  constructor() {
    this.exact = new Map();
    this.prefixes = new PrefixTree();
    this.prefixPaths = new Set();
    this.redirects = new Map();
    this.regexes = [];
    this.named = new Map();
  }

  /** Adds `location = path`. False, and nothing is added, when there is one already. */
  addExact(path: string, rule: PathRule<L>): boolean {
    if (this.exact.has(path)) return false;
    this.exact.set(path, rule.location);
    // It also answers for a prefix location of the same path.
    if (rule.hasAutoRedirect || (path.endsWith('/') && this.redirects.has(path.slice(0, -1))))
      this.redirects.set(path.slice(0, -1), rule.location);
    return true;
  }

  /** Adds `location path` or `location ^~ path`. False, and nothing is added, when there is one already. */
  addPrefix(path: string, rule: PrefixRule<L>): boolean {
    if (this.prefixPaths.has(path)) return false;
    this.prefixPaths.add(path);
    this.prefixes.add(path, new KnownPrefix(path.length, rule));
    if (rule.hasAutoRedirect) this.redirects.set(path.slice(0, -1), this.exact.get(path) ?? rule.location);
    return true;
  }

  /** Adds `location ~ regex`, to be tried after those added before. */
  addRegex(rule: RegexRule<L>): void {
    this.regexes.push(rule);
  }

  /** Adds `location @name`; the first one of a name stays. */
  addNamed(name: string, location: L): void {
    if (!this.named.has(name)) this.named.set(name, location);
  }

  /** The location added as `name`, null if there is none. */
  findNamed(name: string): L | null {
    return this.named.get(name) ?? null;
  }

  /** The location for a path, null if none; `match` says the same and more. */
  find(path: string, match: LocationMatch<L>): L | null {
    match.location = null;
    match.matches.length = 0;
    match.isRedirect = false;
    this.search(path, match);
    return match.location;
  }

  /** Whether what was found is final; otherwise the regular expressions around this level are tried as well. */
  private search(path: string, match: LocationMatch<L>): boolean {
    if (this.exact.size > 0) {
      const location = this.exact.get(path);
      if (location !== undefined) {
        match.location = location;
        return true;
      }
    }
    const prefix = this.prefixes.longestPrefix(path);
    if (this.redirects.size > 0 && prefix?.length !== path.length) {
      const location = this.redirects.get(path);
      if (location !== undefined) {
        match.location = location;
        match.isRedirect = true;
        return true;
      }
    }
    if (prefix !== null) {
      match.location = prefix.location;
      if (prefix.nested?.search(path, match)) return true;
      if (prefix.stopsRegexes) return false;
    }
    return this.searchRegexes(path, match);
  }

  /** Also the whole search inside of a regular expression: nginx never finds a location with a path there. */
  private searchRegexes(path: string, match: LocationMatch<L>): boolean {
    for (let i = 0; i < this.regexes.length; i++) {
      const rule = this.regexes[i]!;
      const captures = rule.regex.exec(path);
      if (captures === null) continue;
      match.location = rule.location;
      match.matches.push({ location: rule.location, captures });
      rule.nested?.searchRegexes(path, match);
      return true;
    }
    return false;
  }
}

/** A prefix rule and how long its path is. */
class KnownPrefix<L> {
  readonly length: number;
  readonly location: L;
  readonly stopsRegexes: boolean;
  readonly nested: LocationTree<L> | null;

  constructor(length: number, rule: PrefixRule<L>) {
    this.length = length;
    this.location = rule.location;
    this.stopsRegexes = rule.stopsRegexes;
    this.nested = rule.nested;
  }
}
