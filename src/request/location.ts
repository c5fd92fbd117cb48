/*
 * A location as requests see it: its settings, and the handlers and filters that its configuration left in. Built
 * by compile/, read by the lifecycle.
 */
import type { Text } from '../variables/text.js';
import type { HttpRequest } from './http-request.js';
import type { LocationTree } from './location-tree.js';
import type { PhaseHandler } from './phase.js';
import type { RequestRegex } from './request-regex.js';
import type { ResponseFilter } from './response-filter.js';
import type { LocationSettings } from './settings.js';
import type { SetField } from './upstream-settings.js';

/** What a level of the configuration is. `server` is what holds where no location fits. */
export type LocationKind = 'server' | 'exact' | 'prefix' | 'regex' | 'named' | 'if' | 'limit_except';

/** One location, or what stands for one: a server's own level, an `if`, a `limit_except`. */
export class Location {
  readonly kind: LocationKind;
  /** As written: a path, a regular expression, '@name'; '' for a server, an `if` has its location's. */
  readonly path: string;
  settings: LocationSettings;
  /** What a path has to match; null for all kinds but `regex`. */
  regex: RequestRegex | null;
  /** Those of the phase, in the catalog's order. Phases without any are empty. */
  readonly postRead: PhaseHandler[];
  readonly serverRewrite: PhaseHandler[];
  readonly rewrite: PhaseHandler[];
  readonly preaccess: PhaseHandler[];
  readonly access: PhaseHandler[];
  readonly precontent: PhaseHandler[];
  readonly contentPhase: PhaseHandler[];
  readonly log: PhaseHandler[];
  /** The one that answers everything here (proxy_pass, stub_status ...), instead of the content phase; or null. */
  content: PhaseHandler | null;
  /** By their order. */
  readonly filters: ResponseFilter[];
  /** Whether its path without the final slash is redirected to it: it ends in one and an upstream answers here. */
  hasAutoRedirect: boolean;
  /** Whether a response of an upstream may go to the client as it is: nothing here looks at or changes one. */
  isTransparent: boolean;
  /** Whether a filter makes subrequests, which may send the client's body once more. */
  makesSubrequests: boolean;
  /** For any other method but these it is `limited` that counts. */
  limitedMethods: ReadonlySet<string> | null;
  limited: Location | null;
  /** Set in every request for an upstream, unless the configuration sets or drops a field of that name itself. */
  readonly upstreamFields: SetField[];
  /** Locations inside it. */
  nested: LocationTree<Location> | null;

  constructor(kind: LocationKind, path: string, settings: LocationSettings) {
    this.kind = kind;
    this.path = path;
    this.settings = settings;
    this.regex = null;
    this.postRead = [];
    this.serverRewrite = [];
    this.rewrite = [];
    this.preaccess = [];
    this.access = [];
    this.precontent = [];
    this.contentPhase = [];
    this.log = [];
    this.content = null;
    this.filters = [];
    this.hasAutoRedirect = false;
    this.isTransparent = true;
    this.makesSubrequests = false;
    this.limitedMethods = null;
    this.limited = null;
    this.upstreamFields = [];
    this.nested = null;
  }
}

/** For settings that hold a text with variables. */
export type RequestText = Text<HttpRequest>;
