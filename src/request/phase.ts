/*
 * The phases a request goes through before it is answered, and what a handler of one may say.
 */
import type { HttpRequest } from './http-request.js';

/** It is none of this handler's business: the next one's turn. */
export const DECLINED = -1;
/** This handler is content. In `access` that may decide (satisfy any); elsewhere it ends the phase. */
export const OK = 0;
/** The handler answers the request itself, now or later: nobody else does anything with it. */
export const DONE = -2;

/**
 * DECLINED, OK, DONE, or a status to answer with: 3xx with `response.location` set, 4xx and 5xx by error_page or a
 * page of ours; 444 closes the connection without a word.
 */
export type Outcome = number;

/**
 * One step. Called with the request in its location; a promise makes the request wait, and is never needed for what
 * is known at once. A promise may not reject: that is a defect, logged and answered with 500.
 */
export type PhaseHandler = (request: HttpRequest) => Outcome | Promise<Outcome>;

/** In nginx's order. Those before `rewrite` belong to the server, all others to the location. */
export type Phase =
  /** Right after the head: realip. */
  | 'postRead'
  /** set, rewrite, return, if in the server. */
  | 'serverRewrite'
  /** The same in the location; a changed URI looks for a location again. */
  | 'rewrite'
  /** limit_req, limit_conn. */
  | 'preaccess'
  /** allow, deny, auth_basic, auth_request: all of them, or by satisfy any of them. */
  | 'access'
  /** try_files, mirror. */
  | 'precontent'
  /** index, autoindex, static files; left out where a location has a handler of its own (proxy_pass, return ...). */
  | 'content'
  /** After the last byte; its outcome doesn't matter. */
  | 'log';
