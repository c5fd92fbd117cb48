/*
 * What a client may be sent: responses that no two readers can take differently, with nothing behind them.
 * Like strict-requests.ts a reader of its own that says what is wrong.
 */
import { checkField, checkFraming, Offence, readChunks } from './strict-requests.js';

/** What a connection carried. */
export interface StrictResponses {
  /** Final statuses, of whole responses. */
  readonly statuses: readonly number[];
  /** Whether a response was broken off. */
  readonly isCut: boolean;
  readonly offence: string | null;
}

/** Fields that concern one hop alone; Connection and Upgrade may be this hop's own. */
const HOP_BY_HOP = /^(?:keep-alive|proxy-connection|te)$/;

/** Reads all that a connection carried to its close, as latin1 text; `methods` are those of the requests. */
export function readStrictResponses(text: string, methods: readonly string[]): StrictResponses {
  const statuses: number[] = [];
  let pos = 0;
  try {
    while (pos < text.length) {
      const end = readResponse(text, pos, methods[statuses.length], statuses);
      if (end === null) return { statuses, isCut: true, offence: null };
      pos = end;
    }
  } catch (error) {
    if (!(error instanceof Offence)) throw error;
    return { statuses, isCut: false, offence: error.message };
  }
  return { statuses, isCut: false, offence: null };
}

function readResponse(
  text: string,
  start: number,
  method: string | undefined,
  statuses: number[],
): number | null {
  if (method === undefined)
    throw new Offence(`bytes that answer nothing: ${JSON.stringify(text.slice(start))}`);
  const headEnd = text.indexOf('\r\n\r\n', start);
  if (headEnd < 0) return null;
  const [line, ...fieldLines] = text.slice(start, headEnd).split('\r\n');
  const status = Number(/^HTTP\/1\.1 ([1-9]\d\d) [\t\x20-\x7e\x80-\xff]*$/.exec(line!)?.[1]);
  if (!(status >= 100)) throw new Offence(`status line ${JSON.stringify(line)}`);
  const fields = fieldLines.map(checkField);
  checkFraming(fields);
  const hop = fields.find(([name]) => HOP_BY_HOP.test(name));
  if (hop !== undefined) throw new Offence(`field "${hop[0]}"`);
  const framing = fields.find(([name]) => name === 'content-length' || name === 'transfer-encoding');
  const isBodyless = status < 200 || status === 204;
  if (isBodyless && framing !== undefined) throw new Offence(`field "${framing[0]}" with ${status}`);
  const end = readBody(
    text,
    headEnd + 4,
    isBodyless || status === 304 || method === 'HEAD' ? undefined : framing,
  );
  if (end !== null && status >= 200) statuses.push(status);
  return end;
}

/** A response without framing has no body here: the proxy frames every one for a client of HTTP/1.1. */
function readBody(text: string, start: number, framing: [string, string] | undefined): number | null {
  if (framing === undefined) return start;
  if (framing[0] === 'transfer-encoding') return readChunks(text, start)?.end ?? null;
  const end = start + Number(framing[1]);
  return end > text.length ? null : end;
}
