/*
 * The first bytes of a connection on a port for TLS: whether they are TLS at all, and what the ClientHello asks for
 * (RFC 8446 section 4.1.2, RFC 6066 section 3). Read by us and not by OpenSSL, since the virtual server that is named decides
 * which protocols, ciphers and certificates OpenSSL may offer. Bytes in, a reading out; no I/O.
 */

/** What the ClientHello says, as far as it is of use here. */
export interface ClientHello {
  /** In lower case; '' for none. */
  readonly serverName: string;
  /** Cipher suites by their numbers. */
  readonly ciphers: readonly number[];
  /** Groups ("curves") by their numbers. */
  readonly groups: readonly number[];
  /** The session that it would go on with: of TLS 1.3 what stands for it, else its id; null for none. */
  readonly sessionId: Buffer | null;
}

/** `plain`: no TLS, to be read as it is. A hello that makes no sense has no name: OpenSSL says what is wrong with it. */
export type FirstBytes = 'incomplete' | 'plain' | ClientHello;

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const RECORD_HEAD_BYTES = 5;
const HELLO_HEAD_BYTES = 4;

/** security: what may be held of a client that has said nothing yet; a hello with a post-quantum key has 2 KB. */
const MAX_HELLO_BYTES = 16_384;

const EXTENSION_SERVER_NAME = 0;
const EXTENSION_GROUPS = 10;
const EXTENSION_PRE_SHARED_KEY = 41;

const NO_HELLO: ClientHello = { serverName: '', ciphers: [], groups: [], sessionId: null };

/** Reads bytes[0,end), which is all that has come. */
export function readFirstBytes(bytes: Buffer, end: number): FirstBytes {
  if (end === 0) return 'incomplete';
  // The upper bit: a hello of SSL 2, which OpenSSL refuses in its own words.
  if ((bytes[0]! & 0x80) !== 0) return NO_HELLO;
  if (bytes[0] !== HANDSHAKE_RECORD) return 'plain';
  const message = joinRecords(bytes, end);
  if (message === null) return NO_HELLO;
  if (message.length < HELLO_HEAD_BYTES) return 'incomplete'; // Of records that aren't empty, so it is soon more.
  const length = message.readUIntBE(1, 3);
  if (message[0] !== CLIENT_HELLO || length > MAX_HELLO_BYTES) return NO_HELLO;
  if (message.length < HELLO_HEAD_BYTES + length) return end < MAX_HELLO_BYTES ? 'incomplete' : NO_HELLO;
  return readHello(new Reader(message, HELLO_HEAD_BYTES, HELLO_HEAD_BYTES + length)) ?? NO_HELLO;
}

/** What the records so far carry of handshake messages; null if one is none, or empty as only an attacker's is. */
function joinRecords(bytes: Buffer, end: number): Buffer | null {
  const parts: Buffer[] = [];
  for (let at = 0; at + RECORD_HEAD_BYTES <= end; ) {
    const length = bytes.readUInt16BE(at + 3);
    if (bytes[at] !== HANDSHAKE_RECORD || length === 0) return null;
    const next = at + RECORD_HEAD_BYTES + length;
    parts.push(bytes.subarray(at + RECORD_HEAD_BYTES, Math.min(next, end)));
    at = next;
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

/** Reads numbers and vectors (RFC 8446 section 3.4). What isn't there reads as null or 0, and sets `isShort`. */
class Reader {
  at: number;
  isShort: boolean;
  private readonly bytes: Buffer;
  private readonly end: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.isShort = false;
  }

  get hasMore(): boolean {
    return !this.isShort && this.at < this.end;
  }

  number(byteCount: number): number {
    const start = this.skip(byteCount);
    return this.isShort ? 0 : this.bytes.readUIntBE(start, byteCount);
  }

  /** Past so many bytes; where they begin. */
  skip(byteCount: number): number {
    const start = this.at;
    if (start + byteCount > this.end) this.isShort = true;
    else this.at += byteCount;
    return start;
  }

  /** What a vector holds whose length has so many bytes. */
  vector(lengthBytes: number): Reader {
    const length = this.number(lengthBytes);
    const start = this.skip(length);
    return new Reader(this.bytes, start, this.isShort ? start : start + length);
  }

  numbers(byteCount: number): number[] {
    const list: number[] = [];
    while (this.hasMore) list.push(this.number(byteCount));
    return list;
  }

  get rest(): Buffer {
    return this.bytes.subarray(this.at, this.end);
  }
}

function readHello(reader: Reader): ClientHello | null {
  reader.skip(2 + 32); // Version and random.
  const legacyId = Buffer.from(reader.vector(1).rest);
  const ciphers = reader.vector(2).numbers(2);
  reader.vector(1); // Compression.
  if (reader.isShort) return null;
  let serverName = '';
  let groups: number[] = [];
  let sessionId = legacyId.length > 0 ? legacyId : null;
  const extensions = reader.vector(2);
  while (extensions.hasMore) {
    const type = extensions.number(2);
    const content = extensions.vector(2);
    if (type === EXTENSION_SERVER_NAME) serverName = readServerName(content.vector(2));
    else if (type === EXTENSION_GROUPS) groups = content.vector(2).numbers(2);
    else if (type === EXTENSION_PRE_SHARED_KEY) sessionId = Buffer.from(content.vector(2).vector(2).rest);
  }
  return { serverName, ciphers, groups, sessionId };
}

/** The first host name of a list. */
function readServerName(list: Reader): string {
  while (list.hasMore) {
    const type = list.number(1);
    const name = list.vector(2).rest.toString('latin1');
    // A name is ASCII (RFC 6066 section 3); OpenSSL refuses one with NUL.
    if (type === 0) return /^[\x21-\x7e]*$/.test(name) ? name.toLowerCase() : '';
  }
  return '';
}
