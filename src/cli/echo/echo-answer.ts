/*
 * What the echo app answers: the request as JSON. Pure, apart from gathering body bytes;
 * the server around it is echo-server.ts.
 */

/** Body bytes kept for the answer; the rest of a larger upload is counted and let go. */
export const KEPT_BODY_BYTES = 1024 * 1024;

/** One value, or all of them in order when the name came more than once. */
type OneOrMany = string | string[];

/** The JSON object of an answer, in the order its members are printed. */
export interface EchoAnswer {
  method: string;
  /** The request target up to the question mark, as received. */
  path: string;
  query_params: Record<string, OneOrMany>;
  /** Names in lower case. */
  headers: Record<string, OneOrMany>;
  /** Text, or base64 when the bytes are not UTF-8. */
  body: string;
  body_encoding?: 'base64';
  /** Bytes received, also when `body` holds fewer. */
  body_bytes: number;
  body_truncated?: true;
}

/** Collects a body with bounded memory: the first `KEPT_BODY_BYTES` and a count of all. */
export class BodyRecorder {
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #totalBytes = 0;

  get totalBytes(): number {
    return this.#totalBytes;
  }

  get isTruncated(): boolean {
    return this.#totalBytes > this.#keptBytes;
  }

  add(chunk: Buffer): void {
    this.#totalBytes += chunk.length;
    const room = KEPT_BODY_BYTES - this.#keptBytes;
    if (room === 0) return;
    const part = chunk.length <= room ? chunk : chunk.subarray(0, room);
    this.#kept.push(part);
    this.#keptBytes += part.length;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#kept, this.#keptBytes);
  }
}

/**
 * @param target the request target as it stood in the request line
 * @param rawHeaders names and values in turn, as node:http gives them
 */
export function describeRequest(
  method: string,
  target: string,
  rawHeaders: readonly string[],
  body: BodyRecorder,
): EchoAnswer {
  const mark = target.indexOf('?');
  const headers = emptyRecord();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2)
    addValue(headers, rawHeaders[i]!.toLowerCase(), rawHeaders[i + 1]!);
  const query = emptyRecord();
  if (mark >= 0) {
    for (const [name, value] of new URLSearchParams(target.slice(mark + 1))) addValue(query, name, value);
  }
  const answer: EchoAnswer = {
    method,
    path: mark < 0 ? target : target.slice(0, mark),
    query_params: query,
    headers,
    body: '',
    body_bytes: body.totalBytes,
  };
  const text = decodeUtf8(body);
  if (text === null) {
    answer.body = body.bytes().toString('base64');
    answer.body_encoding = 'base64';
  } else {
    answer.body = text;
  }
  if (body.isTruncated) answer.body_truncated = true;
  return answer;
}

/** Null when the bytes are not UTF-8. A character that truncation cut in two is left out. */
function decodeUtf8(body: BodyRecorder): string | null {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    return decoder.decode(body.bytes(), { stream: body.isTruncated });
  } catch {
    return null;
  }
}

/** Without a prototype, so that a header or parameter named `__proto__` is one like any other. */
function emptyRecord(): Record<string, OneOrMany> {
  return Object.create(null) as Record<string, OneOrMany>;
}

function addValue(record: Record<string, OneOrMany>, name: string, value: string): void {
  const before = record[name];
  if (before === undefined) record[name] = value;
  else if (Array.isArray(before)) before.push(value);
  else record[name] = [before, value];
}
