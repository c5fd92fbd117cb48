/*
 * What stands between those who make a response and the client. A location's filters are put in order once; one
 * that its configuration does not need is not there.
 */
import type { BodyFilter } from './body-sink.js';
import type { HttpRequest } from './http-request.js';
import type { Response } from './response.js';

/**
 * Who comes first, both for head and body: nginx's order. What comes before `subrequests` sees the body of each
 * subrequest by itself; what comes behind it sees the whole as the client gets it, once.
 */
export const FilterOrder = {
  notModified: 0,
  headers: 10,
  userid: 20,
  gunzip: 30,
  addition: 40,
  sub: 50,
  charset: 60,
  ssi: 70,
  subrequests: 80,
  brotli: 84,
  zstd: 86,
  gzip: 90,
  range: 100,
} as const;

/** One filter with the settings of one location. Shared by requests: what belongs to one is in its BodyFilter. */
export interface ResponseFilter {
  /** Of FilterOrder. */
  readonly order: number;
  /** Whether it is also asked about the answers to subrequests. */
  readonly isForSubrequests: boolean;
  /** Whether its BodyFilter makes subrequests whose bodies become parts of this one. */
  readonly makesSubrequests?: boolean;
  /** Whether it never has anything to do with what an upstream answers (unless that is cached): range, not modified. */
  readonly skipsUpstreams?: boolean;
  /**
   * The head is complete and not sent: may change it. Returns what the body has to go through, null to stay out, or
   * a status that the client is answered instead (412, 416, 500).
   */
  begin(request: HttpRequest, response: Response): BodyFilter | null | number;
}
