/*
 * Networks of IP addresses as people write them (10.0.0.0/8, 2001:db8::/32, a single address), and sets of them.
 */
import { parseIpAddress, unmapIpv4 } from './ip-address.js';

/** One network. */
export class Cidr {
  /** Of the network, host bits zero: 4 or 16 bytes. */
  readonly bytes: Uint8Array;
  readonly prefixLength: number;

  constructor(bytes: Uint8Array, prefixLength: number) {
    this.bytes = bytes;
    this.prefixLength = prefixLength;
  }

  /** Whether an address of the same family is in it; one of the other family isn't. */
  contains(address: Uint8Array): boolean {
    const { bytes, prefixLength } = this;
    if (address.length !== bytes.length) return false;
    const whole = prefixLength >> 3;
    for (let i = 0; i < whole; i++) if (address[i] !== bytes[i]) return false;
    const rest = prefixLength & 7;
    return rest === 0 || ((address[whole]! ^ bytes[whole]!) & (0xff00 >> rest)) === 0;
  }
}

/** What `parseCidr` found. */
export interface ParsedCidr {
  readonly cidr: Cidr;
  /** Bits behind the prefix were set in the text; they mean nothing. */
  readonly hadHostBits: boolean;
}

/** Reads a network or a single address; null for what is neither. */
export function parseCidr(text: string): ParsedCidr | null {
  const slash = text.indexOf('/');
  const bytes = parseIpAddress(slash < 0 ? text : text.slice(0, slash));
  if (bytes === null) return null;
  const bits = bytes.length * 8;
  const prefix = slash < 0 ? String(bits) : text.slice(slash + 1);
  const prefixLength = /^\d{1,3}$/.test(prefix) ? Number(prefix) : bits + 1;
  if (prefixLength > bits) return null;
  let hadHostBits = false;
  for (let i = 0; i < bytes.length; i++) {
    const kept = Math.min(8, Math.max(0, prefixLength - i * 8));
    const network = bytes[i]! & (0xff00 >> kept);
    if (network !== bytes[i]) hadHostBits = true;
    bytes[i] = network;
  }
  return { cidr: new Cidr(bytes, prefixLength), hadHostBits };
}

/** Networks, and perhaps all clients of unix sockets. */
export class CidrSet {
  readonly cidrs: readonly Cidr[];
  readonly hasUnix: boolean;

  constructor(cidrs: readonly Cidr[], hasUnix: boolean) {
    this.cidrs = cidrs;
    this.hasUnix = hasUnix;
  }

  /** Whether a client is in it, by its address in text; 'unix:' is that of all on unix sockets. */
  has(address: string): boolean {
    if (address.startsWith('unix:')) return this.hasUnix;
    const bytes = parseIpAddress(address);
    if (bytes === null) return false;
    const plain = unmapIpv4(bytes);
    for (const cidr of this.cidrs) if (cidr.contains(bytes) || cidr.contains(plain)) return true;
    return false;
  }
}
