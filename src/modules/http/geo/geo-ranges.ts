/*
 * The lines of a geo with ranges: the one that an IPv4 address is in decides; all other addresses have the default.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import type { Directive, Word } from '../../../conf/syntax/ast.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import { parseIpAddress, parseIpv4, unmapIpv4 } from '../../../core/ip-address.js';
import { Ipv4Ranges } from '../../../core/ipv4-ranges.js';
import type { EntryReporter, GeoLine, GeoTable } from './geo.js';
import { warning } from './geo-networks.js';

/** What stands for anything that is no IPv4 address. */
const NO_ADDRESS = 0xffff_ffff;

export class GeoRanges implements GeoTable {
  private readonly ranges: Ipv4Ranges<GeoLine> = new Ipv4Ranges();
  private default: GeoLine | null = null;

  add(entry: Directive, report: EntryReporter): void {
    const [word] = entry.args;
    const value = toByteString(word!.text);
    if (entry.name === 'default') {
      if (this.default !== null) {
        const what = `duplicate default geo range value: "${value}", old value: "${this.default.value}"`;
        report(entry, warning('geo-duplicate', what));
      }
      this.default = { value, entry };
      return;
    }
    const isDelete = entry.name === 'delete';
    const at = isDelete ? word! : entry.word;
    const range = readRange(at, report);
    if (range === null) return;
    if (isDelete) {
      if (!this.ranges.delete(range.start, range.end)) {
        report(at, warning('geo-delete', `no address range "${at.text}" to delete`));
      }
      return;
    }
    const added = this.ranges.add(range.start, range.end, { value, entry });
    if (added.kind === 'replaced') {
      const what = `duplicate range "${at.text}", value: "${value}", old value: "${added.old.value}"`;
      report(at, warning('geo-duplicate', what));
    } else if (added.kind === 'overlaps') {
      const other = `${format(added.start)}-${format(added.end)}`;
      report(at, finding('geo-overlap', `range "${at.text}" overlaps "${other}"`, 'cut one of them'));
    }
  }

  find(address: string): GeoLine | null {
    const bytes = parseIpAddress(address);
    const plain = bytes === null ? null : unmapIpv4(bytes);
    const number = plain?.length === 4 ? toNumber(plain) : NO_ADDRESS;
    return this.ranges.find(number) ?? this.default;
  }
}

function readRange(word: Word, report: EntryReporter): { start: number; end: number } | null {
  const dash = word.text.indexOf('-');
  const start = dash < 0 ? null : parseIpv4(word.text.slice(0, dash));
  const end = dash < 0 ? null : parseIpv4(word.text.slice(dash + 1));
  if (start !== null && end !== null && toNumber(start) <= toNumber(end)) {
    return { start: toNumber(start), end: toNumber(end) };
  }
  report(word, finding('geo-range', `invalid range "${word.text}"`, 'write it like 10.0.0.0-10.0.0.255'));
  return null;
}

function toNumber(bytes: Uint8Array): number {
  return bytes.reduce((number, byte) => number * 256 + byte, 0);
}

function format(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}
