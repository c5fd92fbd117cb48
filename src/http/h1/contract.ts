/*
 * What every decoder of this folder must hold: its verdict does not depend on how the bytes were split, and it
 * keeps none of the memory they came in. Tests and fuzz/ feed decoders through here, as a connection would.
 */
import { isDeepStrictEqual } from 'node:util';
import { BodyDecoder } from './body-decoder.js';
import type { FieldLines } from './field-lines.js';
import { DEFAULT_HEAD_LIMITS, type HeadLimits, INCOMPLETE, MALFORMED, type Malformed } from './malformed.js';
import { RequestHead } from './request-head.js';
import { ResponseHead } from './response-head.js';

/** A decoder being fed. */
export interface Feed<Outcome> {
  /** Gives it what one read brought. */
  take(bytes: Buffer): void;
  /** What it says of all it was given. */
  outcome(): Outcome;
}

export type Fields = [name: string, value: string][];

export interface RequestOutcome {
  method: string;
  target: string;
  host: string;
  versionMinor: number;
  contentLength: number;
  isChunked: boolean;
  expectsContinue: boolean;
  upgrade: string;
  requestLine: string;
  isLineVerbatim: boolean;
  connection: { close: boolean; keepAlive: boolean; upgrade: boolean; named: string[] };
  fields: Fields;
  headBytes: number;
}

export interface ResponseOutcome {
  status: number;
  statusLine: string;
  versionMinor: number;
  contentLength: number;
  isChunked: boolean;
  connection: RequestOutcome['connection'];
  fields: Fields;
  headBytes: number;
}

export interface BodyOutcome {
  payload: string;
  trailers: Fields;
  isComplete: boolean;
  /** Bytes that belong to the body, framing included. */
  bodyBytes: number;
}

/** A body, or why it is none. */
export type BodyVerdict = BodyOutcome | { reason: string };

/** A head, why it is none, or null when it isn't whole. */
export type Verdict<Outcome> = Outcome | Malformed | null;

/** Above this, not every offset is a place to split at. */
const SPLIT_EVERYWHERE_BYTES = 1500;

/** The ways to split `bytes`: not at all, everywhere, and in two at every offset. */
function* everySplit(bytes: Buffer): Generator<Buffer[]> {
  yield [bytes];
  yield Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
  const step = bytes.length <= SPLIT_EVERYWHERE_BYTES ? 1 : Math.ceil(bytes.length / 50);
  for (let at = 1; at < bytes.length; at += step) yield [bytes.subarray(0, at), bytes.subarray(at)];
}

/** Feeds pieces one after the other; each lies in memory that is overwritten once it was taken. */
export function feed<Outcome>(pieces: Iterable<Buffer>, decoder: Feed<Outcome>): Outcome {
  for (const piece of pieces) {
    const borrowed = Buffer.from(piece);
    decoder.take(borrowed);
    borrowed.fill('?');
  }
  return decoder.outcome();
}

/** Feeds latin1 text in every way; the one outcome of them all, or an Error that shows the first that differs. */
export function feedEveryWay<Outcome>(text: string, open: () => Feed<Outcome>): Outcome {
  const bytes = Buffer.from(text, 'latin1');
  const whole = feed([bytes], open());
  for (const pieces of everySplit(bytes)) {
    const outcome = feed(pieces, open());
    if (isDeepStrictEqual(outcome, whole)) continue;
    const lengths = pieces.map((piece) => piece.length).join('+');
    throw new Error(
      `Split ${lengths}: ${JSON.stringify(outcome)}; whole: ${JSON.stringify(whole)}; bytes: ${JSON.stringify(text)}`,
    );
  }
  return whole;
}

/** A request head, with whatever follows left alone. */
export function requestHeadFeed(limits: HeadLimits = DEFAULT_HEAD_LIMITS): Feed<Verdict<RequestOutcome>> {
  const head = new RequestHead(limits);
  return headFeed(head, (headBytes) => describeRequest(head, headBytes));
}

/** A response head, likewise. */
export function responseHeadFeed(limits: HeadLimits = DEFAULT_HEAD_LIMITS): Feed<Verdict<ResponseOutcome>> {
  const head = new ResponseHead(limits);
  return headFeed(head, (headBytes) => ({
    status: head.status,
    statusLine: head.statusLine,
    versionMinor: head.versionMinor,
    contentLength: head.contentLength,
    isChunked: head.isChunked,
    connection: describeConnection(head),
    fields: listFields(head.fields),
    headBytes,
  }));
}

/** A body of a BodyKind. */
export function bodyFeed(
  kind: number,
  lengthBytes = 0,
  limits: HeadLimits = DEFAULT_HEAD_LIMITS,
): Feed<BodyVerdict> {
  const body = new BodyDecoder(limits);
  body.start(kind, lengthBytes);
  let payload = '';
  let bodyBytes = 0;
  let isMalformed = false;
  return {
    take(bytes) {
      if (isMalformed || body.isComplete) return;
      const after = body.decode(bytes, 0, bytes.length);
      isMalformed = after === MALFORMED;
      if (isMalformed) return;
      payload += bytes.toString('latin1', body.payloadStart, body.payloadEnd);
      bodyBytes += after;
    },
    outcome() {
      if (isMalformed) return { reason: body.reason };
      const trailers = body.trailers === null ? [] : listFields(body.trailers);
      return { payload, trailers, isComplete: body.isComplete, bodyBytes };
    },
  };
}

/** What a parsed request head says. */
function describeRequest(head: RequestHead, headBytes: number): RequestOutcome {
  return {
    method: head.method,
    target: head.target,
    host: head.host,
    versionMinor: head.versionMinor,
    contentLength: head.contentLength,
    isChunked: head.isChunked,
    expectsContinue: head.expectsContinue,
    upgrade: head.upgrade,
    requestLine: head.requestLine,
    isLineVerbatim: head.isLineVerbatim,
    connection: describeConnection(head),
    fields: listFields(head.fields),
    headBytes,
  };
}

/** The lines of a section as pairs. */
export function listFields(fields: FieldLines): Fields {
  return Array.from({ length: fields.count }, (_, i) => [fields.name(i), fields.value(i)]);
}

function headFeed<Outcome>(
  head: RequestHead | ResponseHead,
  describe: (headBytes: number) => Outcome,
): Feed<Verdict<Outcome>> {
  let held = Buffer.alloc(0);
  let verdict: Verdict<Outcome> = null;
  return {
    take(bytes) {
      if (verdict !== null) return;
      held = Buffer.concat([held, bytes]);
      // Somewhere else in each read: what a decoder remembers must be relative to where its head starts.
      const start = held.length % 7;
      const read = Buffer.concat([Buffer.alloc(start, '?'), held]);
      const after = head.parse(read, start, read.length);
      read.fill('?');
      if (after === MALFORMED) verdict = { ...head.malformed! };
      else if (after !== INCOMPLETE) verdict = describe(after - start);
    },
    outcome: () => verdict,
  };
}

function describeConnection({ connection }: RequestHead | ResponseHead): RequestOutcome['connection'] {
  return {
    close: connection.hasClose,
    keepAlive: connection.hasKeepAlive,
    upgrade: connection.hasUpgrade,
    named: [...(connection.named ?? [])],
  };
}
