// The bytes of the transfer test: an endless stream, the same every time, of which no two blocks are
// alike, so that the receiver needs no copy of it to see whether a byte is wrong, missing, doubled or
// out of order. Made as it is sent, checked as it arrives. Pure.

const blockBytes = 256 * 1024;
const stampBytes = 8;
const filling = buildFilling(blockBytes - stampBytes);

/** The pieces of the stream's first `totalBytes`, in order. They are shared: not to be changed. */
export function* generatePattern(totalBytes: number): Generator<Buffer> {
  for (let offset = 0; offset < totalBytes; offset += blockBytes) {
    const missing = totalBytes - offset;
    yield stampFor(offset).subarray(0, missing);
    if (missing > stampBytes) yield filling.subarray(0, missing - stampBytes);
  }
}

/** Compares a stream with the pattern, piece by piece as it arrives. */
export class PatternCheck {
  /** Bytes that came so far, all of them right. */
  receivedBytes = 0;

  /** Takes the next piece. Throws at the first piece that is not what was sent. */
  add(piece: Buffer): void {
    let at = 0;
    while (at < piece.length) {
      const inBlock = this.receivedBytes % blockBytes;
      const isStamp = inBlock < stampBytes;
      const part = isStamp ? stampFor(this.receivedBytes - inBlock) : filling;
      const from = isStamp ? inBlock : inBlock - stampBytes;
      const length = Math.min(part.length - from, piece.length - at);
      if (part.compare(piece, at, at + length, from, from + length) !== 0) {
        throw new Error(
          `the ${length} bytes from byte ${this.receivedBytes} on are not those that were sent`,
        );
      }
      at += length;
      this.receivedBytes += length;
    }
  }
}

/** A block begins with its own offset. */
function stampFor(offset: number): Buffer {
  const stamp = Buffer.alloc(stampBytes);
  stamp.writeBigUInt64BE(BigInt(offset));
  return stamp;
}

/** Noise from a small generator (xorshift, 32 bits) that begins the same every time. */
function buildFilling(bytes: number): Buffer {
  const noise = Buffer.alloc(bytes);
  let state = 0x9e3779b9;
  for (let index = 0; index < bytes; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    noise[index] = state & 0xff;
  }
  return noise;
}
