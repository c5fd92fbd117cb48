/*
 * What nginx's http core module lets a level of the configuration say, as request/ reads it. Built by
 * modules/http/core, shared by all levels that say the same, changed by nobody while it serves.
 */
import type { HeadLimits } from '../http/h1/malformed.js';
import type { ErrorLog } from '../log/error-log.js';
import type { Resolver } from '../net/resolver/resolver.js';
import type { Text } from '../variables/text.js';
import type { FileAccess } from './file-access.js';
import type { HttpRequest } from './http-request.js';

/** Of a server: what must be known before there is a location. The directive has the name of the field. */
export interface ServerSettings {
  readonly serverName: string;
  readonly clientHeaderTimeoutMs: number;
  readonly headLimits: HeadLimits;
  readonly ignoreInvalidHeaders: boolean;
  readonly underscoresInHeaders: boolean;
  readonly mergeSlashes: boolean;
}

/** Where an error is sent instead of our own page: one code of `error_page`. */
export interface ErrorPage {
  /** A path (internal redirect), '@name' or a URL. */
  readonly uri: Text<HttpRequest>;
  /** What the client is answered: a code, or that of the page's own answer (`=`); -1: the error's. */
  readonly status: number | 'own';
}

/** Of a location, or a server where no location fits. Sizes in bytes; the directive has the name of the field. */
export interface LocationSettings {
  /** Without alias: to be put before the path. With it: what replaces the location's own path. */
  readonly root: Text<HttpRequest>;
  readonly isAlias: boolean;
  /** With an alias: how much of a path it replaces; Infinity: all of it, in a location with a regular expression. */
  readonly aliasLength: number;
  readonly files: FileAccess;
  readonly isInternal: boolean;
  readonly types: ReadonlyMap<string, string>;
  readonly defaultType: string;
  readonly errorPages: ReadonlyMap<number, ErrorPage>;
  readonly recursiveErrorPages: boolean;
  readonly postAction: string;
  /** Of these one that says yes lets a 103 through; null for none. */
  readonly earlyHints: readonly Text<HttpRequest>[] | null;
  readonly satisfiesAny: boolean;
  readonly keepaliveTimeoutMs: number;
  /** The seconds of a Keep-Alive field; 0 sends none. */
  readonly keepaliveHeaderSeconds: number;
  readonly keepaliveRequests: number;
  readonly keepaliveTimeMs: number;
  readonly keepaliveMinTimeoutMs: number;
  readonly keepaliveDisabledFor: 'none' | 'msie6' | 'safari' | 'both';
  readonly lingeringClose: 'off' | 'on' | 'always';
  readonly lingeringTimeMs: number;
  readonly lingeringTimeoutMs: number;
  readonly resetTimedoutConnection: boolean;
  readonly sendTimeoutMs: number;
  readonly clientBodyTimeoutMs: number;
  /** 0: no limit. */
  readonly clientMaxBodySize: number;
  readonly clientBodyBufferSize: number;
  readonly clientBodyTempPath: TempPath;
  readonly clientBodyInFileOnly: 'off' | 'on' | 'clean';
  readonly clientBodyInSingleBuffer: boolean;
  /** Bytes a second, as text with variables; null: no limit. */
  readonly limitRate: Text<HttpRequest> | null;
  readonly limitRateAfter: Text<HttpRequest> | null;
  /** What the Server field and error pages say; '' for no field. */
  readonly serverTokens: Text<HttpRequest>;
  readonly etag: boolean;
  readonly ifModifiedSince: 'off' | 'exact' | 'before';
  readonly maxRanges: number;
  readonly absoluteRedirect: boolean;
  readonly serverNameInRedirect: boolean;
  readonly portInRedirect: boolean;
  readonly msiePadding: boolean;
  readonly msieRefresh: boolean;
  readonly chunkedTransferEncoding: boolean;
  readonly subrequestOutputBufferSize: number;
  readonly authDelayMs: number;
  readonly logNotFound: boolean;
  readonly logSubrequest: boolean;
  /** Who is asked for names that only requests bring; null for nobody. */
  readonly resolver: Resolver | null;
  readonly resolverTimeoutMs: number;
  readonly errorLog: ErrorLog;
}

/** A folder for temporary files, with its levels of subfolders (nginx: client_body_temp_path). */
export interface TempPath {
  readonly path: string;
  /** Characters of each level's name, up to three; empty for none. */
  readonly levels: readonly number[];
}
