/*
 * Values by network: an address has that of the smallest network it is in. A look-up costs as many steps as there
 * are lengths of prefixes, however many networks there are. Rules that are tried in order are not for this.
 */
import type { Cidr } from './cidr-set.js';
import { toBinary } from './ip-address.js';

/** Values other than undefined, by network. */
export class CidrMap<T> {
  /** By family (4 or 16 bytes), longest prefix first. */
  private readonly lengths: Readonly<Record<number, number[]>> = { 4: [], 16: [] };
  private readonly values: Map<string, T> = new Map();

  /** What exactly that network was given; undefined for nothing. */
  get({ bytes, prefixLength }: Cidr): T | undefined {
    return this.values.get(keyOf(bytes, prefixLength));
  }

  /** Gives a network its value, in place of the one it had. */
  set({ bytes, prefixLength }: Cidr, value: T): void {
    const lengths = this.lengths[bytes.length]!;
    if (!lengths.includes(prefixLength)) {
      lengths.push(prefixLength);
      lengths.sort((a, b) => b - a);
    }
    this.values.set(keyOf(bytes, prefixLength), value);
  }

  /** Whether the network was there. */
  delete({ bytes, prefixLength }: Cidr): boolean {
    return this.values.delete(keyOf(bytes, prefixLength));
  }

  /** The value of the smallest network that an address is in; undefined if it is in none. */
  find(address: Uint8Array): T | undefined {
    for (const length of this.lengths[address.length]!) {
      const value = this.values.get(keyOf(address, length));
      if (value !== undefined) return value;
    }
    return undefined;
  }
}

/** A network's key, also from an address within it: only the first bits count. */
function keyOf(address: Uint8Array, prefixLength: number): string {
  const whole = prefixLength >> 3;
  const rest = prefixLength & 7;
  const family = address.length === 4 ? '' : ':';
  const key = `${family}${prefixLength}/${toBinary(address.subarray(0, whole))}`;
  return rest === 0 ? key : key + String.fromCharCode(address[whole]! & (0xff00 >> rest));
}
