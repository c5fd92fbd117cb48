/*
 * The lines of a geo with networks: the smallest one that an address is in decides.
 */
import { type Finding, finding } from '../../../conf/diagnostics/catalogue.js';
import type { Directive, Word } from '../../../conf/syntax/ast.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import { CidrMap } from '../../../core/cidr-map.js';
import { type Cidr, parseCidr } from '../../../core/cidr-set.js';
import { parseIpAddress, unmapIpv4 } from '../../../core/ip-address.js';
import type { EntryReporter, GeoLine, GeoTable } from './geo.js';

const ALL_IPV4 = parseCidr('0.0.0.0/0')!.cidr;
const ALL_IPV6 = parseCidr('::/0')!.cidr;
const NO_ADDRESS = parseIpAddress('255.255.255.255')!;

/** Reads a network; null when it is none, which has been reported then. */
export function readNetwork(word: Word, report: EntryReporter): Cidr | null {
  const parsed = parseCidr(word.text);
  if (parsed === null) {
    report(
      word,
      finding('geo-network', `invalid network "${word.text}"`, 'write it like 10.0.0.0/8 or 2001:db8::/32'),
    );
    return null;
  }
  if (parsed.hadHostBits)
    report(word, warning('geo-network', `low address bits of ${word.text} are meaningless`));
  return parsed.cidr;
}

/** A finding that leaves the configuration usable. */
export function warning(code: string, message: string): Finding {
  return { ...finding(code, message, null), severity: 'warning' };
}

export class GeoNetworks implements GeoTable {
  private readonly map: CidrMap<GeoLine> = new CidrMap();

  add(entry: Directive, report: EntryReporter): void {
    const [word] = entry.args;
    if (entry.name === 'delete') {
      const cidr = readNetwork(word!, report);
      if (cidr !== null && !this.map.delete(cidr)) {
        report(word!, warning('geo-delete', `no network "${word!.text}" to delete`));
      }
      return;
    }
    const networks = entry.name === 'default' ? [ALL_IPV4, ALL_IPV6] : [readNetwork(entry.word, report)];
    for (const cidr of networks) {
      if (cidr === null) continue;
      const value = toByteString(word!.text);
      const old = this.map.get(cidr);
      if (old !== undefined) {
        const what = `duplicate network "${entry.name}", value: "${value}", old value: "${old.value}"`;
        report(entry, warning('geo-duplicate', what));
      }
      this.map.set(cidr, { value, entry });
    }
  }

  find(address: string): GeoLine | null {
    const bytes = parseIpAddress(address);
    return this.map.find(bytes === null ? NO_ADDRESS : unmapIpv4(bytes)) ?? null;
  }
}
