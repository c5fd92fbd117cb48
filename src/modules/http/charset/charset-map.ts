/*
 * The tables of `charset_map`: from one charset to another and back, by bytes. One of the two may be UTF-8, then its
 * characters are up to four bytes.
 */

/** How a body is converted, bytes by bytes. It keeps what an unfinished character needs. */
export interface Recoder {
  recode(bytes: Buffer): Buffer;
  /** The body is whole: what is left of a character that never ended. */
  finish(): Buffer;
}

/** A charset's conversion to another one; a recoder for each body. */
export interface Conversion {
  readonly changesLength: boolean;
  start(): Recoder;
}

const QUESTION_MARK = 0x3f;
const NOTHING = Buffer.alloc(0);

/** Both directions between two charsets of one byte a character; what isn't listed beyond ASCII is '?'. */
export class ByteMap {
  private readonly forth = asciiTable();
  private readonly back = asciiTable();

  add(from: number, to: number): void {
    this.forth[from] = to;
    this.back[to] = from;
  }

  get forward(): Conversion {
    return byteConversion(this.forth);
  }

  get backward(): Conversion {
    return byteConversion(this.back);
  }
}

function asciiTable(): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (byte < 128 ? byte : QUESTION_MARK));
}

function byteConversion(table: Uint8Array): Conversion {
  const recode = (bytes: Buffer): Buffer => {
    const recoded = Buffer.allocUnsafe(bytes.length);
    for (let i = 0; i < bytes.length; i++) recoded[i] = table[bytes[i]!]!;
    return recoded;
  };
  const recoder = { recode, finish: () => NOTHING };
  return { changesLength: false, start: () => recoder };
}

/** Both directions between a charset of one byte a character and UTF-8. */
export class Utf8Map {
  private readonly toUtf8: Buffer[];
  /** By code point. */
  private readonly fromUtf8 = new Map<number, number>();

  constructor() {
    const ascii = (byte: number) => Buffer.from([byte < 128 ? byte : QUESTION_MARK]);
    this.toUtf8 = Array.from({ length: 256 }, (_, byte) => ascii(byte));
    for (let byte = 0; byte < 128; byte++) this.fromUtf8.set(byte, byte);
  }

  /** False for bytes that are no character of the basic plane. */
  add(byte: number, utf8: Buffer): boolean {
    const { codePoint, length } = decodeUtf8(utf8, 0);
    if (codePoint < 0 || codePoint > 0xffff || length !== utf8.length) return false;
    this.toUtf8[byte] = utf8;
    this.fromUtf8.set(codePoint, byte);
    return true;
  }

  get forward(): Conversion {
    const { toUtf8 } = this;
    const isAscii = toUtf8.map((bytes, byte) => bytes.length === 1 && bytes[0] === byte);
    const recode = (bytes: Buffer): Buffer => {
      let size = 0;
      for (let i = 0; i < bytes.length; i++) size += toUtf8[bytes[i]!]!.length;
      const recoded = Buffer.allocUnsafe(size);
      let at = 0;
      for (let i = 0; i < bytes.length; i++) {
        const byte = bytes[i]!;
        if (isAscii[byte]) recoded[at++] = byte;
        else at += toUtf8[byte]!.copy(recoded, at);
      }
      return recoded;
    };
    const recoder = { recode, finish: () => NOTHING };
    return { changesLength: true, start: () => recoder };
  }

  get backward(): Conversion {
    return { changesLength: true, start: () => new FromUtf8(this.fromUtf8) };
  }
}

/** What has no byte becomes a reference by number (`&#1234;`), what is no UTF-8 becomes '?'. */
class FromUtf8 implements Recoder {
  private readonly table: ReadonlyMap<number, number>;
  /** The beginning of a character: at most three bytes. */
  private held: Buffer = NOTHING;

  constructor(table: ReadonlyMap<number, number>) {
    this.table = table;
  }

  recode(given: Buffer): Buffer {
    const bytes = this.held.length === 0 ? given : Buffer.concat([this.held, given]);
    this.held = NOTHING;
    // Three bytes at the least make a reference of up to ten.
    const recoded = Buffer.allocUnsafe(bytes.length * 4 + 16);
    let size = 0;
    for (let i = 0; i < bytes.length; ) {
      const byte = bytes[i]!;
      if (byte < 0x80) {
        recoded[size++] = byte;
        i++;
        continue;
      }
      const { codePoint, length } = decodeUtf8(bytes, i);
      if (length === 0) {
        this.held = Buffer.from(bytes.subarray(i));
        break;
      }
      i += length;
      const known = codePoint < 0 ? QUESTION_MARK : this.table.get(codePoint);
      if (known === undefined) size += recoded.write(`&#${codePoint};`, size, 'latin1');
      else recoded[size++] = known;
    }
    return recoded.subarray(0, size);
  }

  /** nginx drops it. */
  finish(): Buffer {
    return NOTHING;
  }
}

/** A character; `codePoint` -1: no UTF-8, `length` bytes to be skipped. `length` 0: its end is still to come. */
interface Decoded {
  readonly codePoint: number;
  readonly length: number;
}

function decodeUtf8(bytes: Uint8Array, start: number): Decoded {
  const lead = bytes[start]!;
  if (lead < 0x80) return { codePoint: lead, length: 1 };
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length === 0) return { codePoint: -1, length: 1 };
  let codePoint = lead & (0x7f >> length);
  for (let i = 1; i < length; i++) {
    if (start + i >= bytes.length) return { codePoint: 0, length: 0 };
    const byte = bytes[start + i]!;
    if ((byte & 0xc0) !== 0x80) return { codePoint: -1, length: i };
    codePoint = (codePoint << 6) | (byte & 0x3f);
  }
  const isOverlong = (length === 3 && codePoint < 0x800) || (length === 4 && codePoint < 0x10000);
  return { codePoint: isOverlong || codePoint > 0x10ffff ? -1 : codePoint, length };
}
