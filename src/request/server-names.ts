/*
 * Which virtual server of an address a host name means: nginx's `server_name`. Taking a Host apart is
 * request-host.ts; what a server is, and compiling its regular expressions, is the caller's matter.
 */

/** A server name that is not used, and why. */
export interface NameProblem<S> {
  /**
   * conflict: taken by a server before (nginx warns: conflicting server name, ignored); invalid: a '*' where
   * none may be, or a dot where no label is (nginx refuses to start).
   */
  readonly kind: 'conflict' | 'invalid';
  readonly name: string;
  readonly server: S;
}

/** A name's regular expression, as its owner keeps it. Without the flags g and y. */
export interface NameRegex {
  readonly regexp: RegExp;
}

/** What a search found. One object can serve search after search. */
export class ServerMatch<S, R extends NameRegex> {
  /** Null only before the first search. */
  server: S | null;
  /** The regular expression that decided; null if a name did. */
  regex: R | null;
  /** What it matched. */
  captures: RegExpExecArray | null;

  constructor() {
    this.server = null;
    this.regex = null;
    this.captures = null;
  }
}

/** The names of all servers of one address. */
export class ServerNames<S, R extends NameRegex> {
  private readonly defaultServer: S;
  private readonly servers: Set<S>;
  /** '.example.com' stands here as 'example.com' too. */
  private readonly exact: Map<string, S>;
  /** '*.example.com' and '.example.com', by 'example.com'. */
  private readonly bySuffix: Map<string, S>;
  /** 'www.example.*', by 'www.example'. */
  private readonly byPrefix: Map<string, S>;
  private readonly patterns: { readonly regex: R; readonly server: S }[];
  /** Names that a '.example.com' in conflict took along without getting them. */
  private readonly lost: Set<string>;
  private readonly found: NameProblem<S>[];

  /** `defaultServer` serves what no name fits. */
  constructor(defaultServer: S) {
    this.defaultServer = defaultServer;
    this.servers = new Set([defaultServer]);
    this.exact = new Map();
    this.bySuffix = new Map();
    this.byPrefix = new Map();
    this.patterns = [];
    this.lost = new Set();
    this.found = [];
  }

  /**
   * Adds a name, in any case: 'example.com', '*.example.com', '.example.com' (both of them), 'www.example.*'; ''
   * is a request without Host. The first server that asks for a name gets it. Regular expressions go to addRegex.
   */
  addName(name: string, server: S): void {
    this.servers.add(server);
    const kind = this.insert(name.toLowerCase(), server);
    if (kind !== null) this.found.push({ kind, name, server });
  }

  /** Adds `server_name ~regex`, to be tried after those added before. */
  addRegex(regex: R, server: S): void {
    this.servers.add(server);
    this.patterns.push({ regex, server });
  }

  /** Names that are not used. As in nginx none count where one server without regular expressions is alone. */
  get problems(): readonly NameProblem<S>[] {
    return this.servers.size > 1 || this.patterns.length > 0 ? this.found : [];
  }

  /**
   * The server for `name`: a RequestHost's, or '' when the request has no Host. An exact name comes first, then
   * the longest '*.suffix', the longest 'prefix.*', the first regular expression, the default server.
   */
  find(name: string, match: ServerMatch<S, R>): S {
    match.regex = null;
    match.captures = null;
    const server =
      this.exact.get(name) ??
      (this.bySuffix.size > 0 ? this.findBySuffix(name) : undefined) ??
      (this.byPrefix.size > 0 ? this.findByPrefix(name) : undefined) ??
      (this.patterns.length > 0 && name !== '' ? this.findByRegex(name, match) : undefined) ??
      this.defaultServer;
    match.server = server;
    return server;
  }

  private findBySuffix(name: string): S | undefined {
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      const server = this.bySuffix.get(name.substring(dot + 1));
      if (server !== undefined) return server;
    }
    return undefined;
  }

  private findByPrefix(name: string): S | undefined {
    for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
      const server = this.byPrefix.get(name.substring(0, dot));
      if (server !== undefined) return server;
    }
    return undefined;
  }

  private findByRegex(name: string, match: ServerMatch<S, R>): S | undefined {
    for (const { regex, server } of this.patterns) {
      match.captures = regex.regexp.exec(name);
      if (match.captures === null) continue;
      match.regex = regex;
      return server;
    }
    return undefined;
  }

  /** What is wrong with the name, or null. */
  private insert(name: string, server: S): NameProblem<S>['kind'] | null {
    const stars = name.split('*').length - 1;
    if (stars > 1 || name === '.' || name.includes('..')) return 'invalid';
    if (name.length > 1 && name.startsWith('.')) return this.insertBoth(name.substring(1), server);
    if (name.length > 2 && name.startsWith('*.')) return claim(this.bySuffix, name.substring(2), server);
    if (name.length > 2 && name.endsWith('.*')) return claim(this.byPrefix, name.slice(0, -2), server);
    if (stars > 0) return 'invalid';
    return this.lost.has(name) ? 'conflict' : claim(this.exact, name, server);
  }

  /** nginx checks the name itself first, and keeps it taken even if the wildcard then is in conflict. */
  private insertBoth(name: string, server: S): NameProblem<S>['kind'] | null {
    if (this.exact.has(name) || this.lost.has(name)) return 'conflict';
    if (this.bySuffix.has(name)) {
      this.lost.add(name);
      return 'conflict';
    }
    this.exact.set(name, server);
    this.bySuffix.set(name, server);
    return null;
  }
}

/** Puts a name into a map if it isn't there. */
function claim<S>(names: Map<string, S>, name: string, server: S): 'conflict' | null {
  if (names.has(name)) return 'conflict';
  names.set(name, server);
  return null;
}
