/*
 * IP addresses between text and bytes. No names, no ports, no zones ("%eth0").
 */

const MAPPED_PREFIX_BYTES = 12;

/** The bytes of an address, 4 or 16 in network order; null for what is none. */
export function parseIpAddress(text: string): Uint8Array | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** Four numbers up to 255 with dots between them. */
export function parseIpv4(text: string): Uint8Array | null {
  const bytes = new Uint8Array(4);
  return readIpv4(text, 0, bytes, 0) ? bytes : null;
}

/** Eight groups of up to four hexadecimal digits, the last two perhaps as IPv4, one run of zeros left out. */
export function parseIpv6(text: string): Uint8Array | null {
  const bytes = new Uint8Array(16);
  let filled = 0;
  let gap = -1;
  let at = 0;
  if (text.startsWith('::')) {
    gap = 0;
    at = 2;
  }
  while (at < text.length) {
    if (filled === 16) return null;
    const start = at;
    let group = 0;
    let digit = hexDigit(text.charCodeAt(at));
    while (digit >= 0) {
      group = group * 16 + digit;
      digit = hexDigit(text.charCodeAt(++at));
    }
    if (text[at] === '.') {
      if (filled > MAPPED_PREFIX_BYTES || !readIpv4(text, start, bytes, filled)) return null;
      filled += 4;
      break;
    }
    if (at === start || at - start > 4) return null;
    bytes[filled++] = group >> 8;
    bytes[filled++] = group & 0xff;
    if (at === text.length) break;
    if (text[at++] !== ':') return null;
    if (text[at] === ':') {
      if (gap >= 0) return null;
      gap = filled;
      at++;
    } else if (at === text.length) return null;
  }
  if (gap < 0) return filled === 16 ? bytes : null;
  if (filled === 16) return null;
  bytes.copyWithin(16 - (filled - gap), gap, filled);
  bytes.fill(0, gap, 16 - (filled - gap));
  return bytes;
}

/** The IPv4 address within ::ffff:0:0/96, as its last four bytes; any other address as it is. */
export function unmapIpv4(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== 16 || bytes[10] !== 0xff || bytes[11] !== 0xff) return bytes;
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return bytes;
  return bytes.subarray(MAPPED_PREFIX_BYTES);
}

/** The bytes as a text of as many characters (latin1). */
export function toBinary(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** `127.0.0.1`, `2001:db8::1`, `::ffff:1.2.3.4`: the shortest way to write it (RFC 5952). */
export function formatIpAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (unmapIpv4(bytes) !== bytes) return `::ffff:${bytes.subarray(MAPPED_PREFIX_BYTES).join('.')}`;
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i]! << 8) | bytes[2 * i + 1]!).toString(16));
  const [start, length] = longestZeros(groups);
  if (length < 2) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

/** Where the longest run of zero groups begins, and how many they are. */
function longestZeros(groups: readonly string[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === '0') end++;
    if (end - start > best[1]) best = [start, end - start];
  }
  return best;
}

/** Reads from `at` to the end of the text. */
function readIpv4(text: string, at: number, bytes: Uint8Array, to: number): boolean {
  for (let i = 0; i < 4; i++) {
    const start = at;
    let octet = 0;
    for (let code = text.charCodeAt(at); code >= 0x30 && code <= 0x39; code = text.charCodeAt(++at)) {
      octet = octet * 10 + code - 0x30;
      if (octet > 255) return false;
    }
    if (at === start) return false;
    bytes[to + i] = octet;
    if (i < 3 && text[at++] !== '.') return false;
  }
  return at === text.length;
}

/** -1 for what is none; also for the NaN behind the end of a text. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
