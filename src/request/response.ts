/*
 * The head of a response before it is sent: what handlers fill in and filters change. Writing it down is
 * response-writer.ts.
 */
import { FieldList } from './field-list.js';

/** Bytes [start, end) of a body. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What will be said to the client. Texts are bytes in latin1. */
export class Response {
  status: number;
  /** The phrase behind the status where it isn't the usual one; with a status unknown to us may be ''. */
  reason: string;
  /** Without charset; '' sends no Content-Type. */
  contentType: string;
  /** '' for none. Added to Content-Type by the writer. */
  charset: string;
  /** What the charset filter is to convert to, whatever the configuration says (X-Accel-Charset); '' for none. */
  overrideCharset: string;
  /** -1: not known, so chunked or until close. */
  contentLength: number;
  /** Seconds since 1970, as HTTP dates have no more; -1: none. */
  lastModified: number;
  /** With its quotes, W/ before it if weak; '' for none. */
  etag: string;
  /** Value of Location; the writer makes it absolute where absolute_redirect says so. '' for none. */
  location: string;
  /** '' for none; filters that compress set it, others keep off what is encoded. */
  contentEncoding: string;
  /** Whether parts of it may be asked for (Range); Accept-Ranges says so. */
  allowsRanges: boolean;
  /** With `allowsRanges`: one range at most, since its body comes in order (nginx: single_range). */
  allowsOneRange: boolean;
  /**
   * Its handler can begin its body anywhere. Where `parts` is set once the head is out, it writes the bytes of these
   * and no others, in their order.
   */
  isSeekable: boolean;
  /** What of the body is wanted, for a seekable one; null: all of it. */
  parts: readonly ByteRange[] | null;
  /** Its handler wants no If-* applied to it (nginx: disable_not_modified): an answer of an origin that isn't cached. */
  ignoresConditions: boolean;
  /** All other fields, also Expires and Cache-Control. Never: Connection, Transfer-Encoding, Keep-Alive, and those above. */
  readonly fields: FieldList;
  /** Sent behind a chunked body; null for none. */
  trailers: FieldList | null;
  /** Whether it has no body by its nature or the method's: HEAD, 204, 304. Set when the head goes out. */
  isHeadOnly: boolean;
  /** Replaces our own Server field; null for ours. */
  server: string | null;
  /** Replaces our own Date; null for ours. */
  date: string | null;
  /** Lines of an upstream's that went to the client as they were, past everything above; '' for none. */
  passedFields: string;

  constructor() {
    this.status = 0;
    this.reason = '';
    this.contentType = '';
    this.charset = '';
    this.overrideCharset = '';
    this.contentLength = -1;
    this.lastModified = -1;
    this.etag = '';
    this.location = '';
    this.contentEncoding = '';
    this.allowsRanges = false;
    this.allowsOneRange = false;
    this.isSeekable = false;
    this.parts = null;
    this.ignoresConditions = false;
    this.fields = new FieldList();
    this.trailers = null;
    this.isHeadOnly = false;
    this.server = null;
    this.date = null;
    this.passedFields = '';
  }

  /** As new: nothing of what a handler or a filter said stays. */
  reset(): void {
    this.status = 0;
    this.reason = '';
    this.contentType = '';
    this.charset = '';
    this.overrideCharset = '';
    this.contentLength = -1;
    this.lastModified = -1;
    this.etag = '';
    this.location = '';
    this.contentEncoding = '';
    this.allowsRanges = false;
    this.allowsOneRange = false;
    this.isSeekable = false;
    this.parts = null;
    this.ignoresConditions = false;
    this.fields.clear();
    this.trailers = null;
    this.isHeadOnly = false;
    this.server = null;
    this.date = null;
    this.passedFields = '';
  }

  /** For a filter that will change the body's length: no length, no ranges. What else it changes it says itself. */
  forgetLength(): void {
    this.contentLength = -1;
    this.allowsRanges = false;
    // An upstream's own.
    this.fields.remove('accept-ranges');
  }

  /** For a filter that makes other bytes of the same meaning. */
  weakenEtag(): void {
    if (this.etag !== '' && !this.etag.startsWith('W/')) this.etag = `W/${this.etag}`;
  }
}
