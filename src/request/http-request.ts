/*
 * One request of a client, or a subrequest of one, and what becomes of it. Data only: what happens to it is the
 * lifecycle's, how it is answered is told by whoever answers.
 */
import { BodyDecoder } from '../http/h1/body-decoder.js';
import { IGNORES_ODD_NAMES, IGNORES_ODD_NAMES_BUT_UNDERSCORES } from '../http/h1/field-lines.js';
import type { HeadLimits } from '../http/h1/malformed.js';
import { RequestHead } from '../http/h1/request-head.js';
import { FieldId } from '../http/message/field-id.js';
import type { ZoneCounters } from '../metrics/zone-counters.js';
import type { VariableSubject } from '../variables/variable-table.js';
import { type BodySink, NullSink } from './body-sink.js';
import type { ClientSide } from './client-side.js';
import type { Location } from './location.js';
import type { Postponer } from './postponer.js';
import type { RequestBody } from './request-body.js';
import type { StateHolder } from './request-state.js';
import { Response } from './response.js';
import { UpstreamTries } from './upstream-tries.js';
import type { ListenPoint, ServiceContext, VirtualServer } from './virtual-server.js';

/** nginx's status for a client that closed before it was answered; seen in the access log only. */
export const CLIENT_CLOSED_REQUEST = 499;

/** How often a request may change its URI or its named location (nginx: NGX_HTTP_MAX_URI_CHANGES). */
const MAX_URI_CHANGES = 10;

/** Who answers a request, for what concerns it while it does. */
export interface Responder {
  /** The request is over before the answer was: let go of everything; nothing may be written any more. */
  abort(): void;
}

/** Something to be let go of when a client's request is over, however it ends. */
export interface RequestEnding {
  onRequestEnd(): void;
}

/** The request under way on a client's connection, or one that another request asked for. */
export class HttpRequest implements VariableSubject, StateHolder {
  /** A subrequest's is its parent's. */
  readonly head: RequestHead;
  /** Decodes the body as it comes in; a subrequest has its parent's. */
  readonly body: BodyDecoder;
  readonly context: ServiceContext;
  client: ClientSide;
  point: ListenPoint;
  server: VirtualServer;
  /** The server's own level until a location is found. */
  location: Location;
  /** The client's request; itself if that is this one. */
  main: HttpRequest;
  /** Null for the client's request. */
  parent: HttpRequest | null;
  /** How deep in subrequests; 0 for the client's. */
  depth: number;

  /** As it is served: error_page and subrequests make it GET. What the client sent is head.method. */
  method: string;
  /** Decoded and normalized (nginx: $uri). */
  path: string;
  /** Behind the '?', as received or rewritten; '' for none. */
  args: string;
  /** The path as the client sent it; '' once a rewrite or a redirect has changed `path`. */
  rawPath: string;
  /** Whether the path came with escapes; then what is sent on is escaped again (nginx: quoted_uri). */
  isPathQuoted: boolean;
  hasPlusInPath: boolean;
  /**
   * False once a rewrite with `break` has given it a path of its own: the URI of a proxy_pass then doesn't replace the
   * location's part of it (nginx: valid_location).
   */
  isPathOfLocation: boolean;
  /** Without port, lower case; the server's name when the client named none. '' only before the head is read. */
  host: string;
  /** The port the client named behind the host; 0: none. */
  hostPort: number;
  /** Of the last regular expression that matched: [0] the whole, then its groups by PCRE's numbers; null: none. */
  captures: (string | undefined)[] | null;
  /** An internal redirect or a subrequest: may see `internal` locations. */
  isInternal: boolean;
  /** Left of MAX_URI_CHANGES. */
  uriChanges: number;
  /** With an alias that replaces all of a path: try_files found the path itself under it. */
  addsPathToAlias: boolean;
  /** Set by a rewrite: another location is to be looked for. */
  isUriChanged: boolean;
  /** What the client is answered whatever the answer says: an error whose page is being made; 0 for none. */
  errorStatus: number;
  /** The page of an error is being made, so that errors in it make no other (unless recursive_error_pages). */
  isErrorPage: boolean;

  /** Of the client; realip changes them. */
  remoteAddress: string;
  remotePort: number;
  /** The user of Authorization: Basic, '' without. Set by who reads it. */
  remoteUser: string;

  readonly response: Response;
  /** Where the answer's body goes once its head is out: the first filter, or the client. */
  output: BodySink;
  isResponseStarted: boolean;
  /** Its last byte was written. */
  isResponseComplete: boolean;
  /** Whether only a close tells the client where the response ends, so that only a reset tells of its loss. */
  isResponseUntilClose: boolean;
  responder: Responder | null;
  /** The client's body, once somebody wants it; null before. */
  payload: RequestBody | null;
  /** What the access log says; response.status once that is known. */
  status: number;
  /** Of the answer: of everything that went out, and of its head. */
  bytesSent: number;
  headBytes: number;
  /** Of the request as it came in: its head, and what was read of its body with framing. */
  requestBytes: number;
  /** Bytes a second from now on; 0: no limit. -1: as the location says. */
  limitRate: number;
  limitRateAfter: number;
  /** Whether the connection may serve another request after this one. */
  keepsAlive: boolean;
  /** It was answered and is served once more for what that does: nobody gets the answer (nginx: post_action). */
  isPostAction: boolean;
  /** Answered and logged: whoever still holds it must do nothing. */
  isOver: boolean;
  /** Where in the phases it is, and which handler of the phase comes next. Owned by the lifecycle. */
  phase: number;
  handlerIndex: number;
  /**
   * Grows whenever it begins to be answered otherwise than it was, by an error or a redirect: who waits for something
   * compares it, and is no longer asked then.
   */
  turn: number;
  /** With `satisfy any`: what a handler refused it with; 0 for nothing. Owned by the lifecycle. */
  refusedStatus: number;
  /** Told when the head of an answer is there that was made here; its body follows. */
  whenAnswered: ((request: HttpRequest) => void) | null;
  /** A subrequest: told when it is over. */
  whenOver: ((request: HttpRequest) => void) | null;
  /** Of the client's request: subrequests that aren't over. */
  readonly subrequests: HttpRequest[];
  /** A subrequest: its body in the place of an error's page and of an empty one; null without. */
  stub: Buffer | null;
  /** A subrequest: where its body goes. */
  subrequestOutput: BodySink | null;
  /** A subrequest: what was kept of its body. */
  collected: Buffer[];
  /** A subrequest: whether its handlers may see the client's body. */
  hasPayload: boolean;
  /** Where bodies of subrequests find their place in its own; null where no filter makes any. */
  postponer: Postponer | null;
  /** Of the client's request: an upstream has got its body as it came in, and nobody else can have it. */
  isPayloadSpent: boolean;
  /** Of the client's request: its body can't be had whole (too large, broken off), so nobody gets any of it. */
  isBodyRefused: boolean;
  /** Answers when the body can't be had; set by who asked for it. */
  failBody: ((status: number) => void) | null;
  /** False once something may hold on to it longer than it lives: then it isn't used for another request. */
  isReusable: boolean;
  /** Has counted it as begun; null: nobody has. */
  zone: ZoneCounters | null;

  readonly tries: UpstreamTries;
  startMs: number;
  requestTimeMs: number;
  /** A subrequest shares its parent's. */
  variableValues: (string | null | undefined)[];
  states: unknown[];
  /** Of the client's request; see LastingState. */
  lastingStates: unknown[];
  /** Of the client's request; see whenEnded. */
  private endings: RequestEnding[];

  constructor(point: ListenPoint, limits: HeadLimits, context: ServiceContext, parent: HttpRequest | null) {
    this.head = parent === null ? new RequestHead(limits, ignoredNames(point)) : parent.head;
    this.body = parent === null ? new BodyDecoder(limits) : parent.body;
    this.context = context;
    this.client = parent === null ? NO_CLIENT : parent.client;
    this.point = point;
    this.server = parent === null ? point.defaultServer : parent.server;
    this.location = this.server.base;
    this.main = parent === null ? this : parent.main;
    this.parent = parent;
    this.depth = parent === null ? 0 : parent.depth + 1;
    this.method = '';
    this.path = '';
    this.args = '';
    this.rawPath = '';
    this.isPathQuoted = false;
    this.hasPlusInPath = false;
    this.isPathOfLocation = true;
    this.host = '';
    this.hostPort = 0;
    this.captures = null;
    this.isInternal = false;
    this.uriChanges = MAX_URI_CHANGES;
    this.addsPathToAlias = false;
    this.isUriChanged = false;
    this.errorStatus = 0;
    this.isErrorPage = false;
    this.remoteAddress = '';
    this.remotePort = 0;
    this.remoteUser = '';
    this.response = new Response();
    this.output = NO_OUTPUT;
    this.isResponseStarted = false;
    this.isResponseComplete = false;
    this.isResponseUntilClose = false;
    this.responder = null;
    this.payload = null;
    this.status = 0;
    this.bytesSent = 0;
    this.headBytes = 0;
    this.requestBytes = 0;
    this.limitRate = -1;
    this.limitRateAfter = -1;
    this.keepsAlive = false;
    this.isPostAction = false;
    this.isOver = false;
    this.phase = 0;
    this.handlerIndex = 0;
    this.turn = 0;
    this.refusedStatus = 0;
    this.whenAnswered = null;
    this.whenOver = null;
    this.subrequests = [];
    this.stub = null;
    this.subrequestOutput = null;
    this.collected = [];
    this.hasPayload = parent === null;
    this.postponer = null;
    this.isPayloadSpent = false;
    this.isBodyRefused = false;
    this.failBody = null;
    this.isReusable = true;
    this.zone = null;
    this.tries = new UpstreamTries(context.clock);
    this.startMs = 0;
    this.requestTimeMs = 0;
    this.variableValues = parent === null ? [] : parent.variableValues;
    this.states = [];
    this.lastingStates = [];
    this.endings = [];
  }

  /** A new request of that client begins now. */
  begin(client: ClientSide): void {
    const { defaultServer } = this.point;
    this.head.reset();
    this.client = client;
    this.server = defaultServer;
    this.location = defaultServer.base;
    this.method = '';
    this.path = '';
    this.args = '';
    this.rawPath = '';
    this.isPathQuoted = false;
    this.hasPlusInPath = false;
    this.isPathOfLocation = true;
    this.host = '';
    this.hostPort = 0;
    this.captures = null;
    this.isInternal = false;
    this.uriChanges = MAX_URI_CHANGES;
    this.addsPathToAlias = false;
    this.isUriChanged = false;
    this.errorStatus = 0;
    this.isErrorPage = false;
    this.remoteAddress = client.remoteAddress;
    this.remotePort = client.remotePort;
    this.remoteUser = '';
    this.response.reset();
    this.output = NO_OUTPUT;
    this.isResponseStarted = false;
    this.isResponseComplete = false;
    this.isResponseUntilClose = false;
    this.responder = null;
    this.payload = null;
    this.status = 0;
    this.bytesSent = 0;
    this.headBytes = 0;
    this.requestBytes = 0;
    this.limitRate = -1;
    this.limitRateAfter = -1;
    this.keepsAlive = false;
    this.isPostAction = false;
    this.isOver = false;
    this.phase = 0;
    this.handlerIndex = 0;
    this.turn = 0;
    this.refusedStatus = 0;
    this.postponer = null;
    this.isPayloadSpent = false;
    this.isBodyRefused = false;
    this.failBody = null;
    this.zone = null;
    this.tries.reset();
    this.startMs = this.context.clock.nowMs();
    this.requestTimeMs = 0;
    // perf: the array has grown to what this configuration's variables need, and is used again.
    if (this.variableValues.length > 0) this.variableValues.fill(undefined);
  }

  /** Has `ending` told once when the client's request is over: logged, all its subrequests over, or broken off. */
  whenEnded(ending: RequestEnding): void {
    this.main.endings.push(ending);
  }

  /** The client's request is over: tells those who wait for that. */
  end(): void {
    const { endings } = this;
    if (endings.length === 0) return;
    this.endings = [];
    for (const ending of endings) ending.onRequestEnd();
  }

  /** It is over: keeps nobody alive until it is used again. */
  letGo(): void {
    this.client = NO_CLIENT;
    this.output = NO_OUTPUT;
    this.responder = null;
    this.payload = null;
    this.failBody = null;
    this.postponer = null;
    if (this.states.length > 0) this.states = [];
    if (this.lastingStates.length > 0) this.lastingStates = [];
  }

  /** Of the client's connection, for the error log. */
  get connectionNumber(): number {
    return this.client.connectionNumber;
  }

  /** Of the answer's body, with the framing of its chunks, as nginx counts it. */
  get bodyBytesSent(): number {
    return Math.max(0, this.bytesSent - this.headBytes);
  }

  /** The Connection line of the response, as the client's version needs it; '' where it says nothing new. */
  get connectionField(): string {
    if (!this.keepsAlive) return 'Connection: close\r\n';
    return this.head.versionMinor === 0 ? 'Connection: keep-alive\r\n' : '';
  }

  /** For an error log line: who asked what, and the URL of the upstream if one is asked for it. */
  describe(upstream = ''): string {
    let text = `client: ${this.remoteAddress}, server: ${this.server.settings.serverName}`;
    const { head, referer } = this;
    if (head.requestLine !== '') text += `, request: "${head.requestLine}"`;
    if (this.parent !== null) text += `, subrequest: "${this.path}"`;
    if (upstream !== '') text += `, upstream: "${upstream}"`;
    if (head.host !== '') text += `, host: "${head.host}"`;
    return referer === '' ? text : `${text}, referrer: "${referer}"`;
  }

  /** The value of a field the client sent, the first of that name, in lower case; null without one. */
  field(lowerName: string): string | null {
    return this.head.fields.find(lowerName);
  }

  /** The values of all lines of a field the client sent, by its name in lower case, in order. */
  fieldLines(lowerName: string): string[] {
    return this.head.fields.findAll(lowerName);
  }

  /** Of the answer that the client got, whole or not; 0 for none. */
  get answeredStatus(): number {
    return this.isResponseStarted ? this.status : 0;
  }

  /** Whether bytes of any kind went both ways behind the head of its answer. */
  get isTunnel(): boolean {
    const { answeredStatus } = this;
    const isOpened = this.head.method === 'CONNECT' && answeredStatus >= 200 && answeredStatus < 300;
    return answeredStatus === 101 || isOpened;
  }

  get requestLine(): string {
    return this.head.requestLine;
  }
  get referer(): string {
    return this.head.fields.valueOf(FieldId.referer);
  }
  get userAgent(): string {
    return this.head.fields.valueOf(FieldId.userAgent);
  }
  get upstreamAddresses(): string {
    return this.tries.addresses;
  }
  get upstreamStatuses(): string {
    return this.tries.statuses;
  }
  get upstreamConnectTimes(): string {
    return this.tries.connectTimes;
  }
  get upstreamHeaderTimes(): string {
    return this.tries.headerTimes;
  }
  get upstreamResponseTimes(): string {
    return this.tries.responseTimes;
  }
}

/** By ignore_invalid_headers and underscores_in_headers. */
function ignoredNames({ defaultServer }: ListenPoint): number {
  const { ignoreInvalidHeaders, underscoresInHeaders } = defaultServer.settings;
  if (!ignoreInvalidHeaders) return 0;
  return underscoresInHeaders ? IGNORES_ODD_NAMES_BUT_UNDERSCORES : IGNORES_ODD_NAMES;
}

const NO_OUTPUT: BodySink = new NullSink();
const NO_CLIENT = null as unknown as ClientSide;
