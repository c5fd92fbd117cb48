import { describe, expect, it } from 'vitest';
import { TimerWheel } from '../core/timer-wheel.js';
import { FakeClock } from '../testing/fake-clock.js';
import { BodySink } from './body-sink.js';
import type { HttpRequest } from './http-request.js';
import { RateLimiter } from './rate-limiter.js';

const TICK_MS = 20;

/** What came through, and when. */
class Receiver extends BodySink {
  readonly bytes: Buffer[] = [];
  readonly times: number[] = [];
  readonly flushes: number[] = [];
  ends = 0;
  aborts = 0;
  isBlocked = false;
  private readonly clock: FakeClock;

  constructor(clock: FakeClock) {
    super();
    this.clock = clock;
  }

  write(bytes: Buffer): void {
    this.bytes.push(Buffer.from(bytes));
    this.times.push(this.clock.nowMs());
  }
  flush(): void {
    this.flushes.push(this.clock.nowMs());
  }
  end(): void {
    this.ends++;
  }
  abort(): void {
    this.aborts++;
  }

  get text(): string {
    return Buffer.concat(this.bytes).toString('latin1');
  }

  /** Bytes that had come by a time. */
  sizeAt(ms: number): number {
    return this.bytes.reduce((size, bytes, i) => (this.times[i]! <= ms ? size + bytes.length : size), 0);
  }
}

function makeLimiter(limitRate: number, limitRateAfter = 0, headBytes = 0) {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock, clock);
  clock.advance(777);
  const context = { wheel, clock };
  const request = {
    context,
    client: { connection: null },
    limitRate,
    limitRateAfter,
    startMs: clock.nowMs(),
  };
  const limiter = new RateLimiter(
    request as unknown as HttpRequest,
    request.limitRate,
    request.limitRateAfter,
    request.startMs,
    headBytes,
  );
  const receiver = new Receiver(clock);
  limiter.next = receiver;
  receiver.source = limiter;
  return { clock, wheel, limiter, receiver, startMs: clock.nowMs() };
}

/** Text of a length of which every part is different. */
function makeText(length: number): string {
  let text = '';
  for (let i = 0; text.length < length; i++) text += `${i},`;
  return text.slice(0, length);
}

describe('RateLimiter', () => {
  it('passes what a second allows and the rest second by second', () => {
    const { clock, limiter, receiver, startMs } = makeLimiter(1000, 200);
    const text = makeText(3500);
    limiter.write(Buffer.from(text), false);
    limiter.end();
    expect(receiver.sizeAt(startMs)).toBe(1200);
    expect(limiter.isBlocked).toBe(true);
    clock.advance(5000);
    expect(receiver.sizeAt(startMs + 999)).toBe(1200);
    expect(receiver.sizeAt(startMs + 1000 + TICK_MS)).toBe(2200);
    expect(receiver.sizeAt(startMs + 2000 + TICK_MS)).toBe(3200);
    expect(receiver.text).toBe(text);
    expect(receiver.ends).toBe(1);
  });

  it('asks its writer to go on only when nothing is held', () => {
    const { clock, limiter, receiver } = makeLimiter(100);
    let drains = 0;
    limiter.source = { onDrain: () => drains++ };
    limiter.write(Buffer.from(makeText(250)), false);
    clock.advance(1000 + TICK_MS);
    expect(drains).toBe(0);
    clock.advance(1000);
    expect(drains).toBe(1);
    expect(limiter.isBlocked).toBe(false);
    expect(receiver.ends).toBe(0);
    limiter.end();
    expect(receiver.ends).toBe(1);
  });

  it('copies what was lent to it before it holds it', () => {
    const { clock, limiter, receiver } = makeLimiter(4);
    const lent = Buffer.from('abcdefgh');
    limiter.write(lent, true);
    lent.fill('x');
    clock.advance(2000);
    expect(receiver.text).toBe('abcdefgh');
  });

  it('waits for a client that is slower than the limit', () => {
    const { clock, limiter, receiver } = makeLimiter(100);
    limiter.write(Buffer.from(makeText(300)), false);
    limiter.end();
    receiver.isBlocked = true;
    clock.advance(10_000);
    expect(receiver.text).toHaveLength(100);
    receiver.isBlocked = false;
    receiver.source.onDrain();
    expect(receiver.text).toBe(makeText(300));
    expect(receiver.ends).toBe(1);
  });

  it('counts the head, which goes out when its last byte may', () => {
    const { clock, limiter, receiver, startMs } = makeLimiter(100, 0, 250);
    limiter.flush();
    expect(limiter.isBlocked).toBe(true);
    clock.advance(1900);
    expect(receiver.flushes).toEqual([]);
    limiter.write(Buffer.from(makeText(80)), false);
    clock.advance(100 + TICK_MS);
    expect(receiver.text).toHaveLength(50);
    limiter.end();
    clock.advance(1000);
    expect(receiver.sizeAt(startMs + 3000 + TICK_MS)).toBe(80);
    expect(receiver.ends).toBe(1);
  });

  it('holds back the head of an empty answer too', () => {
    const { clock, limiter, receiver } = makeLimiter(100, 0, 150);
    limiter.end();
    expect(receiver.ends).toBe(0);
    clock.advance(1000 + TICK_MS);
    expect(receiver.ends).toBe(1);
  });

  it('leaves nothing behind when it is broken off', () => {
    const { clock, wheel, limiter, receiver } = makeLimiter(10);
    limiter.write(Buffer.from(makeText(100)), false);
    expect(wheel.size).toBe(1);
    limiter.abort();
    expect(wheel.size).toBe(0);
    clock.advance(60_000);
    expect(receiver.text).toHaveLength(10);
    expect(receiver.aborts).toBe(1);
    expect(receiver.ends).toBe(0);
  });

  it.each([
    { rate: 1, after: 0, length: 25 },
    { rate: 997, after: 0, length: 20_000 },
    { rate: 1000, after: 5000, length: 20_000 },
    { rate: 100_000, after: 7, length: 1_000_000 },
  ])('loses no byte and is never ahead of $rate a second ($after before)', ({ rate, after, length }) => {
    const { clock, limiter, receiver, startMs } = makeLimiter(rate, after);
    const text = makeText(length);
    let written = 0;
    let seed = 5;
    const writeSome = () => {
      while (written < length && !limiter.isBlocked) {
        seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
        const size = Math.min(1 + (seed % (rate * 2)), length - written);
        limiter.write(Buffer.from(text.slice(written, written + size)), true);
        written += size;
      }
      if (written === length) limiter.end();
    };
    limiter.source = { onDrain: writeSome };
    writeSome();
    while (receiver.ends === 0) {
      clock.advance(333);
      if (seed % 3 !== 0) continue;
      receiver.isBlocked = true;
      clock.advance(400);
      receiver.isBlocked = false;
      receiver.source.onDrain();
    }
    expect(receiver.text).toBe(text);
    expect(receiver.ends).toBe(1);
    for (const ms of receiver.times) {
      const allowed = rate * (Math.floor((ms - startMs) / 1000) + 1) + after;
      expect(receiver.sizeAt(ms)).toBeLessThanOrEqual(allowed);
    }
  });
});
