/*
 * What an explanation says, as `sluice explain --json` prints it. Its shape has a version, which grows when a field
 * goes or changes its meaning; new fields may come at any time.
 */

export const EXPLANATION_VERSION = 1;

/** Where a directive stands. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The directive as it is written, in one line and without its block. */
  readonly directive: string;
}

/**
 * What a step is about:
 * location: the search for a location, with its candidates; candidate: one of them;
 * directive: one of the rewrite module, in the order they ran; handler: what another module said in its phase;
 * filter: what a module does to the answer's head; variable: one that was read; match: a regular expression that was
 * tried; file: a file that was looked for; log: a line for the error log; upstream: a peer that is asked;
 * redirect: served again under another path or by a named location; subrequest: a request that this one makes.
 */
export type StepKind =
  | 'location'
  | 'candidate'
  | 'directive'
  | 'handler'
  | 'filter'
  | 'variable'
  | 'match'
  | 'file'
  | 'log'
  | 'upstream'
  | 'redirect'
  | 'subrequest';

/** One thing that happens to the request. */
export interface Step {
  readonly kind: StepKind;
  /** In words, one line. */
  readonly text: string;
  /** Of a candidate: won, lost, or not tried. Of a match: won or lost. */
  readonly result?: 'won' | 'lost' | 'not tried';
  /** Of a handler or a filter: nginx's name of the module. */
  readonly module?: string;
  /** The directives that it rests on, in the order of the file; may be none. */
  readonly places: readonly Place[];
  /** What happened meanwhile: variables, regular expressions, files, log lines. */
  readonly details: readonly Step[];
}

/** The server that was chosen. */
export interface ChosenServer {
  /** $server_name; '' for a server without. */
  readonly name: string;
  readonly reason: 'exact name' | 'wildcard' | 'regular expression' | 'default server' | 'only server';
  /** The name that fits, as it is written; null where none decided. */
  readonly matched: string | null;
  /** Of server_name, or of `server` where no name decided. */
  readonly place: Place;
}

/** The location that the answer comes from. */
export interface ChosenLocation {
  readonly kind: 'server' | 'exact' | 'prefix' | 'regex' | 'named' | 'if' | 'limit_except';
  /** As written, without its sign; '' for a server's own level. */
  readonly path: string;
  readonly place: Place;
}

/** Where the request would be sent. */
export interface AskedUpstream {
  /** The name of the group, or the address in proxy_pass. */
  readonly group: string;
  /** Null: the address in proxy_pass is no group. */
  readonly groupPlace: Place | null;
  /** The directive that says how a peer is chosen; round_robin where none does. */
  readonly balancer: string;
  /** The peer that a first request gets: host:port or unix:/path. A name that would be looked up stands for itself. */
  readonly peer: string;
  readonly peerPlace: Place | null;
  /** How many peers there are. */
  readonly peerCount: number;
  /** What is sent: request line and fields, without line ends. */
  readonly head: readonly string[];
}

/** What the client would get. */
export interface Answer {
  /** 0: the connection is closed without an answer. */
  readonly status: number;
  /** Status line and fields, without line ends. */
  readonly head: readonly string[];
  /** The file that is sent; null for none. */
  readonly file: string | null;
  /** Whether it rests on an upstream that is taken to answer with PRETENDED_ANSWER. */
  readonly isPretended: boolean;
  /** What of the configuration applies to it: add_header, gzip, proxy_cache ... */
  readonly settings: readonly Place[];
}

/** The whole. */
export interface Explanation {
  readonly version: typeof EXPLANATION_VERSION;
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly from: string;
    /** The head as it is taken to come in, without line ends. */
    readonly head: readonly string[];
    readonly bodyBytes: number;
  };
  readonly listen: {
    /** As `listen` has it: host:port. */
    readonly address: string;
    /** Null where the server has no `listen`. */
    readonly place: Place | null;
    /** Other addresses with the same port, for which another server may be the default. */
    readonly others: readonly string[];
  };
  readonly server: ChosenServer;
  readonly steps: readonly Step[];
  /** Null when the request is answered before there is one. */
  readonly location: ChosenLocation | null;
  readonly upstream: AskedUpstream | null;
  readonly answer: Answer;
}
