/*
 * DNS messages (RFC 1035): a question to bytes, bytes to the answers they hold. What to ask whom is the resolver's.
 */

/** Types of records that are asked for or understood. */
export const RecordType = { a: 1, cname: 5, soa: 6, aaaa: 28, srv: 33, dname: 39 } as const;

/** Codes of answers that mean something here (RFC 1035 section 4.1.1). */
export const ResponseCode = { ok: 0, formatError: 1, serverFailure: 2, noSuchName: 3, refused: 5 } as const;

/** Of the records that were asked for, what they say. Times to live are seconds. */
export interface DnsAnswer {
  readonly id: number;
  /** Of ResponseCode, or a number that is none of them. */
  readonly code: number;
  readonly isTruncated: boolean;
  /** As asked, in lower case; '' when the answer repeats no question, as some do with an error. */
  readonly name: string;
  readonly type: number;
  /** Addresses as text. */
  readonly addresses: readonly string[];
  readonly services: readonly DnsService[];
  /** What the name is only another name for; null if it isn't. */
  readonly cname: string | null;
  /** The least of all records; -1 without any. */
  readonly ttl: number;
  /** How long the absence of an answer may be believed (RFC 2308); -1 when the answer doesn't say. */
  readonly negativeTtl: number;
}

/** One SRV record. */
export interface DnsService {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly host: string;
}

const HEADER_BYTES = 12;
const CLASS_IN = 1;
const FLAG_RESPONSE = 0x8000;
/** Response, opcode and the bits that must be zero. */
const FLAGS_CHECKED = 0xf870;
const FLAG_TRUNCATED = 0x0200;
const RECURSION_DESIRED = 0x0100;
const MAX_LABEL = 63;
/** More than RFC 1035 allows, since it is only about what is answered. */
const MAX_NAME = 1024;
/** security: pointers that lead in a circle would never end. */
const MAX_POINTERS = 128;

/** Whether a question can be asked about that name. */
export function isDnsName(name: string): boolean {
  if (name.length === 0 || name.length > MAX_NAME) return false;
  const labels = (name.endsWith('.') ? name.slice(0, -1) : name).split('.');
  return labels.every((label) => label.length > 0 && label.length <= MAX_LABEL);
}

/** The message that asks for records of `type` of a name that isDnsName holds for; latin1 text is its bytes. */
export function encodeQuestion(id: number, name: string, type: number): Buffer {
  const labels = (name.endsWith('.') ? name.slice(0, -1) : name).split('.');
  const message = Buffer.alloc(HEADER_BYTES + labels.reduce((sum, label) => sum + label.length + 1, 0) + 5);
  message.writeUInt16BE(id, 0);
  message.writeUInt16BE(RECURSION_DESIRED, 2);
  message.writeUInt16BE(1, 4);
  let at = HEADER_BYTES;
  for (const label of labels) {
    message[at] = label.length;
    message.write(label, at + 1, 'latin1');
    at += label.length + 1;
  }
  message.writeUInt16BE(type, at + 1);
  message.writeUInt16BE(CLASS_IN, at + 3);
  return message;
}

/** Why a message is no answer. */
export class DnsMalformed extends Error {}

/** Reads an answer. Throws DnsMalformed for what is none. */
export function decodeAnswer(bytes: Uint8Array): DnsAnswer {
  const reader = new Reader(bytes);
  const id = reader.uint16();
  const flags = reader.uint16();
  if ((flags & FLAGS_CHECKED) !== FLAG_RESPONSE) throw new DnsMalformed(`invalid DNS response ${id}`);
  const code = flags & 0xf;
  const isTruncated = (flags & FLAG_TRUNCATED) !== 0;
  const questionCount = reader.uint16();
  const answerCount = reader.uint16();
  const authorityCount = reader.uint16();
  reader.uint16();
  const empty = { id, code, isTruncated, addresses: [], services: [], cname: null, ttl: -1, negativeTtl: -1 };
  // Who does not understand a question need not repeat it.
  if (code === ResponseCode.formatError || code > ResponseCode.refused)
    return { ...empty, name: '', type: 0 };
  if (questionCount !== 1) throw new DnsMalformed('invalid number of questions in DNS response');
  const name = reader.name().toLowerCase();
  const type = reader.uint16();
  if (name === '') throw new DnsMalformed('zero-length domain name in DNS response');
  if (reader.uint16() !== CLASS_IN) throw new DnsMalformed('unknown query class in DNS response');
  const records = new Records(reader, type);
  if (!isTruncated) records.read(answerCount, authorityCount);
  const { addresses, services, cname, ttl, negativeTtl } = records;
  return { id, code, isTruncated, name, type, addresses, services, cname, ttl, negativeTtl };
}

/** What the records of one answer say. */
class Records {
  readonly addresses: string[] = [];
  readonly services: DnsService[] = [];
  cname: string | null = null;
  ttl = -1;
  negativeTtl = -1;
  private readonly reader: Reader;
  private readonly type: number;

  constructor(reader: Reader, type: number) {
    this.reader = reader;
    this.type = type;
  }

  read(answerCount: number, authorityCount: number): void {
    for (let i = 0; i < answerCount; i++) this.readAnswer();
    for (let i = 0; i < authorityCount; i++) this.readAuthority();
  }

  private readAnswer(): void {
    const { reader } = this;
    reader.name();
    const type = reader.uint16();
    const recordClass = reader.uint16();
    if (recordClass !== CLASS_IN)
      throw new DnsMalformed(`unexpected RR class ${recordClass} in DNS response`);
    const ttl = reader.ttl();
    this.ttl = this.ttl < 0 ? ttl : Math.min(this.ttl, ttl);
    const end = reader.startData();
    if (type === this.type) this.readAsked(end - reader.at);
    else if (type === RecordType.cname) this.cname = reader.name();
    else if (type === RecordType.a || type === RecordType.aaaa) {
      throw new DnsMalformed(`unexpected ${type === RecordType.a ? 'A' : 'AAAA'} record in DNS response`);
    }
    reader.at = end;
  }

  private readAsked(length: number): void {
    const { reader } = this;
    if (this.type === RecordType.a) {
      if (length !== 4) throw new DnsMalformed('invalid A record in DNS response');
      this.addresses.push(reader.bytes(4).join('.'));
    } else if (this.type === RecordType.aaaa) {
      if (length !== 16) throw new DnsMalformed('invalid AAAA record in DNS response');
      this.addresses.push(formatIpv6(reader.bytes(16)));
    } else if (this.type === RecordType.srv) {
      const priority = reader.uint16();
      const weight = reader.uint16();
      this.services.push({ priority, weight, port: reader.uint16(), host: reader.name().toLowerCase() });
    }
  }

  private readAuthority(): void {
    const { reader } = this;
    reader.name();
    const type = reader.uint16();
    reader.uint16();
    const ttl = reader.ttl();
    const end = reader.startData();
    if (type === RecordType.soa) {
      reader.name();
      reader.name();
      reader.bytes(16);
      this.negativeTtl = Math.min(ttl, reader.ttl());
    }
    reader.at = end;
  }
}

/** Reads a message from the front; what lies beyond its end is malformed. */
class Reader {
  at = 0;
  private readonly message: Uint8Array;

  constructor(message: Uint8Array) {
    this.message = message;
  }

  uint16(): number {
    const [high, low] = this.bytes(2);
    return high! * 256 + low!;
  }

  /** Seconds; what would be negative is 0. */
  ttl(): number {
    const high = this.uint16();
    const low = this.uint16();
    return high < 0x8000 ? high * 0x10000 + low : 0;
  }

  bytes(count: number): Uint8Array {
    const start = this.at;
    this.at += count;
    if (this.at > this.message.length) throw new DnsMalformed('short DNS response');
    return this.message.subarray(start, this.at);
  }

  /** The length in front of a record's data: where the data ends. */
  startData(): number {
    const length = this.uint16();
    const end = this.at + length;
    if (end > this.message.length) throw new DnsMalformed('short DNS response');
    return end;
  }

  /** A name as latin1 text with dots; '' for the root. */
  name(): string {
    const labels: string[] = [];
    let length = 0;
    let behind = -1;
    for (let pointers = 0; ; ) {
      const [size] = this.bytes(1);
      if (size === 0) break;
      if (size! >= 0xc0) {
        if (++pointers > MAX_POINTERS) throw new DnsMalformed('compression pointers loop in DNS response');
        const [low] = this.bytes(1);
        if (behind < 0) behind = this.at;
        this.at = (size! & 0x3f) * 256 + low!;
        continue;
      }
      if (size! > MAX_LABEL) throw new DnsMalformed('invalid label in DNS response');
      labels.push(String.fromCharCode(...this.bytes(size!)));
      length += size! + 1;
      if (length > MAX_NAME) throw new DnsMalformed('too long name in DNS response');
    }
    if (behind >= 0) this.at = behind;
    return labels.join('.');
  }
}

/** The shortest form, the longest run of zeros left out (RFC 5952). */
function formatIpv6(bytes: Uint8Array): string {
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes[i]! * 256 + bytes[i + 1]!).toString(16));
  const runs = groups.join(':').match(/(?:^|:)0(?::0)+(?=:|$)/g);
  if (runs === null) return groups.join(':');
  const longest = runs.reduce((best, run) => (count(run) > count(best) ? run : best));
  const text = groups.join(':');
  const at = text.indexOf(longest);
  return `${text.slice(0, at)}::${text.slice(at + longest.length).replace(/^:/, '')}`;
}

function count(run: string): number {
  return run.split('0').length;
}
