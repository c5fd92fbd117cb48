/*
 * One line per request: nginx's combined format, followed by what the upstream did. Where the line
 * goes is the sink's business; other formats come with log_format.
 */

import { type Clock, systemClock } from '../core/clock.js';
import { formatSeconds } from './seconds.js';
import type { LogSink } from './sink.js';
import { formatTimeLocal, TimeStamp } from './time-stamp.js';

/** What is known of a request when it is over. Texts are as received: escaping happens here. */
export interface AccessEntry {
  remoteAddress: string;
  /** '' without one. */
  remoteUser: string;
  /** As the client sent it; '' when none could be read. */
  requestLine: string;
  status: number;
  /** Body bytes sent to the client, framing not counted. */
  bodyBytesSent: number;
  referer: string;
  userAgent: string;
  /** From the first byte of the request to the last of the answer. */
  requestTimeMs: number;
  /** "127.0.0.1:9001", "a, b" when several were tried, '' when none was. The lists below likewise. */
  upstreamAddresses: string;
  upstreamStatuses: string;
  /** Seconds as formatSeconds() gives them, "-" where a try did not get so far. */
  upstreamConnectTimes: string;
  upstreamHeaderTimes: string;
  upstreamResponseTimes: string;
}

/** What nginx's default escaping replaces: all but printable ASCII, and of that the quote and the backslash. */
const NEEDS_ESCAPE = /[^ !#-[\]-~]/;
/** The same by whole characters, since one beyond U+FFFF is two units of a string. */
const ESCAPED_CHARACTERS = /[^ !#-[\]-~]/gu;

/**
 * Writes
 *
 *     ADDRESS - USER [23/Nov/2026:17:22:12 +0000] "REQUEST" STATUS BYTES "REFERER" "AGENT"
 *     upstream=127.0.0.1:9001, 127.0.0.1:9002 ustatus=502, 200 rt=0.005 uct=-, 0.001 uht=-, 0.004 urt=0.000, 0.005
 *
 * as one line. The first part is nginx's combined format. The second always has these six fields in
 * this order: upstream, the peer's address ($upstream_addr); ustatus, what it answered
 * ($upstream_status); rt, the seconds the whole request took ($request_time); uct, uht and urt, the
 * seconds to connect, to the end of the response's head and to the end of the response
 * ($upstream_connect_time, $upstream_header_time, $upstream_response_time). All but rt have one value
 * for each try, separated by ", ". What is empty prints "-".
 */
export class AccessLog {
  readonly #sink: LogSink;
  readonly #time: TimeStamp;

  constructor(sink: LogSink, clock: Clock = systemClock) {
    this.#sink = sink;
    this.#time = new TimeStamp(clock, formatTimeLocal);
  }

  log(entry: AccessEntry): void {
    const client = `${orDash(entry.remoteAddress)} - ${orDash(entry.remoteUser)} [${this.#time.text()}]`;
    const answer = `"${orDash(entry.requestLine)}" ${entry.status} ${entry.bodyBytesSent}`;
    const agent = `"${orDash(entry.referer)}" "${orDash(entry.userAgent)}"`;
    const peers = `upstream=${orDash(entry.upstreamAddresses)} ustatus=${entry.upstreamStatuses || '-'}`;
    const connectTimes = `uct=${entry.upstreamConnectTimes || '-'}`;
    const headerTimes = `uht=${entry.upstreamHeaderTimes || '-'}`;
    const times = `rt=${formatSeconds(entry.requestTimeMs)} ${connectTimes} ${headerTimes} urt=${entry.upstreamResponseTimes || '-'}`;
    this.#sink.write(`${client} ${answer} ${agent} ${peers} ${times}`);
  }
}

function orDash(text: string): string {
  if (text === '') return '-';
  return NEEDS_ESCAPE.test(text) ? text.replace(ESCAPED_CHARACTERS, escapeCharacter) : text;
}

/** \xXX, a character beyond Latin-1 as its bytes in UTF-8. */
function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) as number;
  if (code < 256) return escapeByte(code);
  return Array.from(Buffer.from(character), escapeByte).join('');
}

function escapeByte(byte: number): string {
  return `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
