/*
 * What an origin may be sent: requests that no two readers can take differently. A reader of its own, sharing
 * no code with the proxy's, that says what is wrong instead of making the best of it.
 */

/** One request as read, whole. */
export interface StrictRequest {
  readonly method: string;
  readonly target: string;
  /** In order, names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** What a connection carried: whole requests, then perhaps the beginning of one, or an offence. */
export interface StrictReading {
  readonly requests: readonly StrictRequest[];
  /** Bytes of a last request that isn't whole. */
  readonly unfinishedBytes: number;
  /** What made the bytes ambiguous; null when nothing did. */
  readonly offence: string | null;
}

/** What is wrong with a message: thrown while it is read. */
export class Offence extends Error {}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (\/[\x21\x22\x24-\x7e\x80-\xff]*|\*) HTTP\/1\.1$/;
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~%!$&'()*+,;=]+)(?::\d*)?$/;
/** Names that a CGI-like origin can't tell from those that frame a message. */
const LOOKALIKE = /^(?:content[^a-z0-9-]length|transfer[^a-z0-9-]encoding)$/;

/** Reads all that a connection carried from its beginning, as latin1 text. */
export function readStrictRequests(text: string): StrictReading {
  const requests: StrictRequest[] = [];
  let pos = 0;
  try {
    while (pos < text.length) {
      const next = readRequest(text, pos);
      if (next === null) break;
      requests.push(next.request);
      pos = next.end;
    }
  } catch (error) {
    if (!(error instanceof Offence)) throw error;
    return { requests, unfinishedBytes: text.length - pos, offence: error.message };
  }
  return { requests, unfinishedBytes: text.length - pos, offence: null };
}

/** The value of a field that stands once, or undefined. */
export function fieldOf(request: StrictRequest, lowerName: string): string | undefined {
  return request.fields.find(([name]) => name === lowerName)?.[1];
}

function readRequest(text: string, start: number): { request: StrictRequest; end: number } | null {
  const headEnd = text.indexOf('\r\n\r\n', start);
  if (headEnd < 0) {
    // What is there of it must already be lines of the right kind.
    const lines = text.slice(start).split('\r\n').slice(0, -1);
    if (lines.length > 0) checkHead(lines);
    return null;
  }
  const { method, target, fields } = checkHead(text.slice(start, headEnd).split('\r\n'));
  const bodyStart = headEnd + 4;
  const body = readBody(text, bodyStart, fields);
  return body === null ? null : { request: { method, target, fields, body: body.text }, end: body.end };
}

function checkHead(lines: string[]): Omit<StrictRequest, 'body'> {
  const line = REQUEST_LINE.exec(lines[0]!);
  if (line === null) throw new Offence(`request line ${JSON.stringify(lines[0])}`);
  const fields = lines.slice(1).map(checkField);
  const count = (name: string) => fields.filter(([each]) => each === name).length;
  if (count('host') > 1) throw new Offence('two Host fields');
  checkFraming(fields);
  for (const [name, value] of fields) {
    if (name === 'host' && !HOST.test(value)) throw new Offence(`Host ${JSON.stringify(value)}`);
    if (LOOKALIKE.test(name)) throw new Offence(`a field that looks like another: "${name}"`);
  }
  return { method: line[1]!, target: line[2]!, fields };
}

/** That at most one field says where the body ends, and says it plainly. */
export function checkFraming(fields: readonly (readonly [string, string])[]): void {
  const framing = fields.filter(([name]) => name === 'content-length' || name === 'transfer-encoding');
  if (framing.length > 1) throw new Offence(`both ${framing.map((field) => field.join(': ')).join(' and ')}`);
  for (const [name, value] of framing) {
    const isPlain = name === 'content-length' ? /^\d+$/.test(value) : value === 'chunked';
    if (!isPlain) throw new Offence(`${name}: ${JSON.stringify(value)}`);
  }
}

/** A field line without its end as name, in lower case, and value. */
export function checkField(line: string): [string, string] {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon);
  if (colon < 0 || !TOKEN.test(name)) throw new Offence(`field line ${JSON.stringify(line)}`);
  const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) throw new Offence(`field value ${JSON.stringify(line)}`);
  return [name.toLowerCase(), value];
}

function readBody(
  text: string,
  start: number,
  fields: StrictRequest['fields'],
): { text: string; end: number } | null {
  // Only a whole head says that there is no Host.
  if (!fields.some(([name]) => name === 'host')) throw new Offence('no Host');
  if (fields.some(([name]) => name === 'transfer-encoding')) return readChunks(text, start);
  const length = Number(fields.find(([name]) => name === 'content-length')?.[1] ?? 0);
  return text.length - start < length
    ? null
    : { text: text.slice(start, start + length), end: start + length };
}

/** A chunked body and its end; null when it isn't whole. */
export function readChunks(text: string, start: number): { text: string; end: number } | null {
  let pos = start;
  let body = '';
  for (;;) {
    const lineEnd = text.indexOf('\r\n', pos);
    if (lineEnd < 0) return null;
    const size = text.slice(pos, lineEnd);
    if (!/^[0-9a-f]{1,13}$/.test(size)) throw new Offence(`chunk size ${JSON.stringify(size)}`);
    const bytes = Number.parseInt(size, 16);
    const dataEnd = lineEnd + 2 + bytes;
    if (bytes === 0) return readTrailer(text, lineEnd + 2, body);
    if (text.length < dataEnd + 2) return null;
    if (text.slice(dataEnd, dataEnd + 2) !== '\r\n') throw new Offence('no CRLF behind a chunk');
    body += text.slice(lineEnd + 2, dataEnd);
    pos = dataEnd + 2;
  }
}

function readTrailer(text: string, start: number, body: string): { text: string; end: number } | null {
  let pos = start;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', pos);
    if (lineEnd < 0) return null;
    if (lineEnd === pos) return { text: body, end: pos + 2 };
    const [name] = checkField(text.slice(pos, lineEnd));
    if (/^(?:host|content-length|transfer-encoding)$/.test(name)) throw new Offence(`"${name}" in a trailer`);
    pos = lineEnd + 2;
  }
}
