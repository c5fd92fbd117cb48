/*
 * How requests are sent to an upstream and what becomes of its answers, decided once for each location. Made by the
 * module whose directives say it (proxy), read by the exchange, changed by nobody.
 */
import type { UpstreamTarget } from '../upstream/upstream-target.js';
import type { UpstreamTls } from '../upstream/upstream-tls.js';
import type { Text } from '../variables/text.js';
import type { CacheSettings } from './cache-settings.js';
import type { HttpRequest } from './http-request.js';
import type { NextUpstreamRules } from './next-upstream.js';
import type { TempPath } from './settings.js';
import type { StoreSettings } from './stored-copy.js';

/** Why another peer may be asked, as bits (nginx: proxy_next_upstream). */
export const NextUpstream = {
  error: 1,
  timeout: 2,
  invalidHeader: 4,
  http500: 8,
  http502: 16,
  http503: 32,
  http504: 64,
  http403: 128,
  http404: 256,
  http429: 512,
  /** Also if what was sent may have an effect twice. */
  nonIdempotent: 1024,
} as const;

/** What of an answer's fields is not obeyed, as bits (nginx: proxy_ignore_headers). */
export const IgnoredField = {
  accelRedirect: 1,
  accelExpires: 2,
  accelLimitRate: 4,
  accelBuffering: 8,
  accelCharset: 16,
  expires: 32,
  cacheControl: 64,
  setCookie: 128,
  vary: 256,
} as const;

/** Where a request goes, and by what name. */
export interface Destination {
  readonly target: UpstreamTarget;
  /** `http://`, for the log. */
  readonly schema: string;
  /** Whether it is asked by TLS. */
  readonly usesTls: boolean;
  /** What Host says unless it is set (nginx: $proxy_host). */
  readonly host: string;
  readonly port: string;
  /** The path and arguments to ask for; null: the request's own by RequestPlan.uri. */
  readonly uri: string | null;
}

/** A field that is set. */
export interface SetField {
  readonly name: string;
  /** The whole line where its value names no variable, else null. */
  readonly line: string | null;
  /** The line up to the value. */
  readonly prefix: string;
  /** One that is '' isn't sent. */
  readonly value: Text<HttpRequest>;
}

export function setField(name: string, value: Text<HttpRequest>): SetField {
  const prefix = `${name}: `;
  return { name, value, prefix, line: value.constant === null ? null : `${prefix}${value.constant}\r\n` };
}

/** How the head of a request for the upstream is made. */
export interface RequestPlan {
  /** Null: the request's. */
  readonly method: Text<HttpRequest> | null;
  readonly versionMinor: 0 | 1;
  /** Replaces the location's path at the start of the request's; null: the request's target as it came. */
  readonly uri: string | null;
  readonly locationPath: string;
  /** Null: the destination's. */
  readonly host: Text<HttpRequest> | null;
  readonly fields: readonly SetField[];
  /** Over FieldId: 1 for what isn't passed on of the client's fields. */
  readonly dropped: Uint8Array;
  /** Names without a FieldId that aren't, in lower case; null for none. */
  readonly droppedNames: ReadonlySet<string> | null;
  readonly passesFields: boolean;
  readonly passesBody: boolean;
  /** In place of the client's body. */
  readonly body: Text<HttpRequest> | null;
  /** Whether Expect goes to the upstream when the body does as it comes in. */
  readonly passesExpect: boolean;
}

/** One location's way to an upstream. The directive has the name of the field, behind proxy_. */
export interface UpstreamSettings extends NextUpstreamRules {
  /** Null: `choose` says for each request. */
  readonly destination: Destination | null;
  /** The destination, or a status to answer with. */
  readonly choose: ((request: HttpRequest) => Destination | number | Promise<Destination | number>) | null;
  readonly plan: RequestPlan;
  /** TLS for a destination that is asked so; null if it can't be had, which was logged. Null where none is. */
  readonly tls: ((request: HttpRequest, destination: Destination) => UpstreamTls | null) | null;
  /** Null: answers are never stored. */
  readonly cache: CacheSettings | null;
  /** Null: answers are not saved as files. */
  readonly store: StoreSettings | null;
  /** The local address of connections, perhaps with a port; null or '' for any. */
  readonly bind: Text<HttpRequest> | null;
  readonly connectTimeoutMs: number;
  readonly sendTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly buffersRequest: boolean;
  readonly buffersResponse: boolean;
  /** Of one buffer: what an answer's head may have. */
  readonly bufferSize: number;
  /** Of all buffers together. */
  readonly buffersSize: number;
  /** 0: none is used. */
  readonly maxTempFileSize: number;
  readonly tempPath: TempPath;
  readonly ignoresClientAbort: boolean;
  readonly interceptsErrors: boolean;
  /** Over FieldId: 1 for what isn't passed on of an answer's fields. */
  readonly hidden: Uint8Array;
  /** Names without a FieldId that aren't, in lower case; null for none. */
  readonly hiddenNames: ReadonlySet<string> | null;
  /** Over FieldId: 1 for fields that something here must look at. */
  readonly noted: Uint8Array;
  /** Of IgnoredField. */
  readonly ignored: number;
  /** Bytes a second that are read; null: no limit. */
  readonly limitRate: Text<HttpRequest> | null;
  /** A URL of Location or Refresh as the client shall see it; null: as it is. */
  readonly rewriteRedirect: ((request: HttpRequest, url: string) => string | null) | null;
  readonly rewriteCookie: ((request: HttpRequest, cookie: string) => string) | null;
  readonly forcesRanges: boolean;
  readonly passesTrailers: boolean;
}
