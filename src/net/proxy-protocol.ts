/*
 * The PROXY protocol, versions 1 and 2: the addresses of a client behind a proxy that knows no HTTP, said at the start
 * of a connection (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt). Bytes in, a header out; no I/O.
 */
import { formatIpAddress, parseIpv4, parseIpv6 } from '../core/ip-address.js';

/** What a header says: whose connection it was, and where it went. */
export interface ProxyProtocolHeader {
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly destinationAddress: string;
  readonly destinationPort: number;
  /** Of version 2, by type, the first of each; null for none. */
  readonly tlvs: ReadonlyMap<number, Buffer> | null;
}

/** What the start of a connection turned out to be. */
export type ProxyProtocolStart =
  /** More bytes are needed: call again with them behind those there are. */
  | { readonly kind: 'incomplete' }
  /** Completes "client sent ..." in the log. */
  | { readonly kind: 'malformed'; readonly reason: string }
  /** `after` is the offset past it; `header` is null when it names no addresses (UNKNOWN, LOCAL, a unix socket). */
  | { readonly kind: 'header'; readonly after: number; readonly header: ProxyProtocolHeader | null };

/** A line of version 1 with its CRLF, by the specification. */
const MAX_LINE_BYTES = 107;
/** security: what one connection may make us hold; real headers have a tenth of it. */
const MAX_V2_BYTES = 4096;

const V1_START = Buffer.from('PROXY ');
const V2_START = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V2_FIXED_BYTES = 16;

const CR = 13;
const LF = 10;

const INCOMPLETE: ProxyProtocolStart = { kind: 'incomplete' };

/** Reads the header that bytes[0,end) must begin with. What it keeps is copied. */
export function readProxyProtocol(bytes: Buffer, end: number): ProxyProtocolStart {
  if (startsLike(bytes, end, V2_START)) return end < V2_FIXED_BYTES ? INCOMPLETE : readV2(bytes, end);
  if (startsLike(bytes, end, V1_START)) return readV1(bytes, end);
  return malformed('no PROXY protocol header');
}

/** Whether what there is of bytes[0,end) is how `start` begins. */
function startsLike(bytes: Buffer, end: number, start: Buffer): boolean {
  const length = Math.min(end, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

function readV1(bytes: Buffer, end: number): ProxyProtocolStart {
  // Nothing behind the limit is looked at, so the outcome is the same however the bytes were split.
  const stop = Math.min(end, MAX_LINE_BYTES);
  const lf = bytes.subarray(0, stop).indexOf(LF);
  if (lf < 0) return stop < MAX_LINE_BYTES ? INCOMPLETE : malformed('too long a PROXY protocol header');
  if (bytes[lf - 1] !== CR) return malformed('a LF without CR in a PROXY protocol header');
  const line = bytes.toString('latin1', V1_START.length, lf - 1);
  const after = lf + 1;
  if (/^UNKNOWN(?: |$)/.test(line)) return { kind: 'header', after, header: null };
  const [family, source, destination, sourcePort, destinationPort, ...rest] = line.split(' ');
  const parse = family === 'TCP4' ? parseIpv4 : family === 'TCP6' ? parseIpv6 : null;
  if (parse === null) return malformed('an unknown family in a PROXY protocol header');
  if (rest.length > 0 || destinationPort === undefined) return malformed('a broken PROXY protocol header');
  if (parse(source!) === null || parse(destination!) === null)
    return malformed('an invalid address in a PROXY protocol header');
  const ports = [parsePort(sourcePort!), parsePort(destinationPort)] as const;
  if (ports[0] < 0 || ports[1] < 0) return malformed('an invalid port in a PROXY protocol header');
  const header: ProxyProtocolHeader = {
    sourceAddress: source!,
    sourcePort: ports[0],
    destinationAddress: destination!,
    destinationPort: ports[1],
    tlvs: null,
  };
  return { kind: 'header', after, header };
}

/** -1 for what is no port. */
function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  return port > 0xffff ? -1 : port;
}

/** Bytes of one address by the family in the upper half of the 14th byte; stream sockets only, as in nginx. */
const ADDRESS_BYTES: Readonly<Record<number, number>> = { 17: 4, 33: 16 };

const LOCAL = 0x20;
const PROXY = 0x21;

function readV2(bytes: Buffer, end: number): ProxyProtocolStart {
  const command = bytes[12]!;
  if (command >> 4 !== 2) return malformed('an unknown version of the PROXY protocol');
  const after = V2_FIXED_BYTES + bytes.readUInt16BE(14);
  if (after > MAX_V2_BYTES) return malformed('too large a PROXY protocol header');
  if (end < after) return INCOMPLETE;
  if (command !== PROXY) {
    if (command !== LOCAL) return malformed('an unknown command of the PROXY protocol');
    return { kind: 'header', after, header: null };
  }
  const size = ADDRESS_BYTES[bytes[13]!];
  if (size === undefined) return { kind: 'header', after, header: null };
  const ports = V2_FIXED_BYTES + 2 * size;
  if (ports + 4 > after) return malformed('a broken PROXY protocol header');
  const header: ProxyProtocolHeader = {
    sourceAddress: formatIpAddress(bytes.subarray(V2_FIXED_BYTES, V2_FIXED_BYTES + size)),
    sourcePort: bytes.readUInt16BE(ports),
    destinationAddress: formatIpAddress(bytes.subarray(V2_FIXED_BYTES + size, ports)),
    destinationPort: bytes.readUInt16BE(ports + 2),
    tlvs: readTlvs(bytes, ports + 4, after),
  };
  return { kind: 'header', after, header };
}

/** Those of bytes[start,end); one that goes beyond the end and what follows it count for nothing. */
function readTlvs(bytes: Buffer, start: number, end: number): ReadonlyMap<number, Buffer> | null {
  const tlvs = new Map<number, Buffer>();
  for (let at = start; at + 3 <= end; ) {
    const next = at + 3 + bytes.readUInt16BE(at + 1);
    if (next > end) break;
    const type = bytes[at]!;
    if (!tlvs.has(type)) tlvs.set(type, Buffer.from(bytes.subarray(at + 3, next)));
    at = next;
  }
  return tlvs.size === 0 ? null : tlvs;
}

function malformed(reason: string): ProxyProtocolStart {
  return { kind: 'malformed', reason };
}
