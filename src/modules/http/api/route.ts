/*
 * What the API is made of: a route for each thing that can be asked for, with what may be done to it.
 */
import type { HttpRequest } from '../../../request/http-request.js';
import type { ServerList } from '../../../upstream/server-list.js';
import type { UpstreamTarget } from '../../../upstream/upstream-target.js';

/** The newest version of NGINX Plus's API that is spoken; all before it are too. */
export const LAST_VERSION = 9;

/** A group whose servers can be told and changed: one with a zone. */
export interface ServedGroup extends UpstreamTarget {
  readonly servers: ServerList;
}

/** One call of a client. */
export interface ApiCall {
  readonly request: HttpRequest;
  /** Of the API, from 1. */
  readonly version: number;
  /** The groups that there are, by name. */
  readonly groups: ReadonlyMap<string, ServedGroup>;
  /** What stands for the `{...}` of the route's path, in order. */
  readonly names: readonly string[];
  /** What the client sent, parsed; undefined for calls without a body. */
  readonly body: unknown;
}

/** What a change is answered with. */
export interface ApiAnswer {
  readonly status: number;
  /** Undefined for no body. */
  readonly body?: unknown;
  /** What was made: the last part of its path, behind the one that was called. */
  readonly made?: string;
}

/** A thing that can be asked for. Each call throws an ApiError for what can't be. */
export interface Route {
  /** From behind the version, as in NGINX Plus's reference, without a slash at the end; '' for the version itself. */
  readonly path: string;
  /** The first version that has it. */
  readonly since: number;
  /** An object of objects, by name: `fields` is about each of them. */
  readonly isMap?: boolean;
  get(call: ApiCall): unknown;
  post?(call: ApiCall): ApiAnswer;
  patch?(call: ApiCall): ApiAnswer;
  delete?(call: ApiCall): ApiAnswer;
}

/** For what begins to count anew. */
export const NOTHING: ApiAnswer = { status: 204 };
