import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BufferedSink } from './buffered-sink.js';
import type { LogTarget, OnWritten } from './log-target.js';

/** A target whose writes end when the test says so. */
class FakeTarget implements LogTarget {
  readonly canRecover: boolean;
  text = '';
  writeCount = 0;
  isClosed = false;
  takesNowBytes = Number.POSITIVE_INFINITY;
  #bytes: Buffer = Buffer.alloc(0);
  #onWritten: OnWritten | null = null;

  constructor(canRecover = true) {
    this.canRecover = canRecover;
  }

  get isWriting(): boolean {
    return this.#onWritten !== null;
  }

  write(bytes: Buffer, offset: number, onWritten: OnWritten): void {
    if (this.#onWritten !== null) throw new Error('two writes at a time');
    this.#bytes = bytes.subarray(offset);
    this.#onWritten = onWritten;
    this.writeCount++;
  }

  /** Ends the write with so many bytes gone, all by default, and perhaps an error. */
  end(writtenBytes = this.#bytes.length, errorCode?: string): void {
    const onWritten = this.#onWritten!;
    this.#onWritten = null;
    this.text += this.#bytes.toString('utf8', 0, writtenBytes);
    onWritten(
      errorCode === undefined ? null : Object.assign(new Error(errorCode), { code: errorCode }),
      writtenBytes,
    );
  }

  writeNow(bytes: Buffer): number {
    const taken = bytes.subarray(0, this.takesNowBytes);
    this.text += taken.toString();
    return taken.length;
  }

  reopen(): void {
    this.text += '<reopened>';
  }

  close(): void {
    this.isClosed = true;
  }
}

function setUp(canRecover?: boolean) {
  const target = new FakeTarget(canRecover);
  return { target, sink: new BufferedSink(target) };
}

/** 64 of them are less than the 8 MiB a sink holds, 128 are more. */
const LONG_LINE = 'x'.repeat(100_000);

describe('a buffered sink', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('writes the lines of one turn of the event loop at once', () => {
    const { target, sink } = setUp();
    sink.write('a');
    sink.write('b');
    expect(target.isWriting).toBe(false);
    vi.advanceTimersByTime(0);
    target.end();
    expect([target.text, target.writeCount]).toEqual(['a\nb\n', 1]);
  });

  it('has a line behind the one in whose middle it came, and nothing of one that could not be made', () => {
    const { target, sink } = setUp();
    sink.writeFormatted((subject, line) => {
      line.text('a ');
      sink.write('what reading a value had to say');
      line.text(subject);
    }, 'whole');
    const fail = () => {
      sink.writeFormatted((_, line) => {
        line.text('half of ');
        throw new Error('no value');
      }, null);
    };
    expect(fail).toThrow('no value');
    sink.write('b');
    vi.advanceTimersByTime(0);
    target.end();
    expect(target.text).toBe('a whole\nwhat reading a value had to say\nb\n');
  });

  it('gathers lines while a write is under way and for a moment after it', () => {
    const { target, sink } = setUp();
    sink.write('a');
    vi.advanceTimersByTime(0);
    sink.write('b');
    target.end();
    sink.write('c');
    expect(target.isWriting).toBe(false);
    vi.advanceTimersByTime(10);
    target.end();
    expect([target.text, target.writeCount]).toEqual(['a\nb\nc\n', 2]);
  });

  it('writes the first line after a quiet time without a pause', () => {
    const { target, sink } = setUp();
    sink.write('a');
    vi.advanceTimersByTime(0);
    target.end();
    vi.advanceTimersByTime(1000);
    sink.write('b');
    vi.advanceTimersByTime(0);
    expect(target.isWriting).toBe(true);
  });

  it('goes on where a partial write ended, also within a character', () => {
    const { target, sink } = setUp();
    sink.write(Buffer.from('snow ☃').toString('latin1'));
    vi.advanceTimersByTime(0);
    target.end(5);
    target.end(0);
    target.end();
    expect(target.text).toBe('snow ☃\n');
  });

  it('tries again soon when the reader is slow', () => {
    const { target, sink } = setUp();
    sink.write('abc');
    vi.advanceTimersByTime(0);
    target.end(0, 'EAGAIN');
    expect(target.isWriting).toBe(false);
    vi.advanceTimersByTime(10);
    target.end();
    expect(target.text).toBe('abc\n');
  });

  it('holds what a failing target does not take and tries again every second', () => {
    const { target, sink } = setUp();
    sink.write('abc');
    vi.advanceTimersByTime(0);
    target.end(2, 'ENOSPC');
    sink.write('def');
    vi.advanceTimersByTime(999);
    expect(target.isWriting).toBe(false);
    vi.advanceTimersByTime(1);
    target.end(0, 'ENOSPC');
    vi.advanceTimersByTime(1000);
    target.end();
    vi.advanceTimersByTime(10);
    target.end();
    expect(target.text).toBe('abc\ndef\n');
  });

  it('holds 8 MiB at most and says how many lines it lost, and why, when it recovers', async () => {
    const { target, sink } = setUp();
    sink.write('first');
    vi.advanceTimersByTime(0);
    target.end(0, 'ENOSPC');
    for (let i = 0; i < 128; i++) sink.write(LONG_LINE);
    sink.write('lost too, though it is short');
    const flushed = sink.flush();
    target.end();
    target.end();
    await flushed;
    const lines = target.text.split('\n');
    expect(lines.filter((line) => line === LONG_LINE)).toHaveLength(83);
    expect(lines.slice(-2)).toEqual(['# sluice: lines lost here: 46 (No space left on device)', '']);
    sink.write('taken again');
    vi.advanceTimersByTime(10);
    target.end();
    expect(target.text).toMatch(/\ntaken again\n$/);
  });

  it('flushes also the line that says how many were lost', async () => {
    const { target, sink } = setUp();
    for (let i = 0; i < 83; i++) sink.write(LONG_LINE);
    let isFlushed = false;
    const flushed = sink.flush().then(() => {
      isFlushed = true;
    });
    sink.write(LONG_LINE);
    target.end();
    await Promise.resolve();
    expect(isFlushed).toBe(false);
    target.end();
    await flushed;
    expect(target.text).toMatch(/\n# sluice: lines lost here: 1 \(they came too fast\)\n$/);
  });

  it('flush() and close() do not wait for a target that fails', async () => {
    const { target, sink } = setUp();
    sink.write('abc');
    const flushed = sink.flush();
    target.end(0, 'ENOSPC');
    await flushed;
    const closed = sink.close();
    target.end(0, 'ENOSPC');
    await closed;
    expect(target.isClosed).toBe(true);
  });

  it('close() waits a second for a target that takes nothing, and leaves it its descriptor', async () => {
    const { target, sink } = setUp();
    sink.write('abc');
    const closed = sink.close();
    await vi.advanceTimersByTimeAsync(1000);
    await closed;
    expect([target.isWriting, target.isClosed]).toEqual([true, false]);
  });

  it('reopens between two batches', () => {
    const { target, sink } = setUp();
    sink.write('abc');
    vi.advanceTimersByTime(0);
    sink.reopen();
    target.end(2);
    target.end();
    expect(target.text).toBe('abc\n<reopened>');
  });

  it('tries again at once after reopen() when the target failed', () => {
    const { target, sink } = setUp();
    sink.write('abc');
    vi.advanceTimersByTime(0);
    target.end(0, 'ENOSPC');
    sink.reopen();
    target.end();
    expect(target.text).toBe('<reopened>abc\n');
  });

  it('is silent for good after an error of a target that cannot recover', async () => {
    const { target, sink } = setUp(false);
    sink.write('a');
    vi.advanceTimersByTime(0);
    const flushed = sink.flush();
    target.end(0, 'EPIPE');
    await flushed;
    sink.write('b');
    await sink.close();
    expect([target.writeCount, target.isWriting]).toEqual([1, false]);
  });

  it('writes the rest when the process exits', () => {
    const { target, sink } = setUp();
    sink.write('a');
    vi.advanceTimersByTime(0);
    target.end(1, 'ENOSPC');
    sink.write('b');
    sink.writeRemainder();
    expect(target.text).toBe('a\nb\n');
  });

  it('writes the first lines of a prompt log at once, and a flood when the event loop is through with what has come', () => {
    const target = new FakeTarget();
    const sink = new BufferedSink(target, { isPrompt: true });
    for (let i = 0; i < 40; i++) sink.write(`${i}`);
    expect(target.text.split('\n')).toHaveLength(33);
    vi.advanceTimersByTime(0);
    expect(target.text).toBe(`${Array.from({ length: 40 }, (_, i) => i).join('\n')}\n`);
    sink.write('later');
    expect(target.text).toMatch(/\n39\n$/);
    vi.advanceTimersByTime(0);
    expect(target.text).toMatch(/\n39\nlater\n$/);
    vi.advanceTimersByTime(10);
    sink.write('after a pause');
    vi.advanceTimersByTime(10);
    sink.write('at once');
    expect(target.text).toMatch(/\nlater\nafter a pause\nat once\n$/);
    expect(target.writeCount).toBe(0);
  });

  it('gathers the flood of a prompt log whose reader could stand still', () => {
    const target = new FakeTarget(false);
    const sink = new BufferedSink(target, { isPrompt: true });
    for (let i = 0; i < 40; i++) sink.write(`${i}`);
    vi.advanceTimersByTime(0);
    expect(target.text.split('\n')).toHaveLength(33);
    vi.advanceTimersByTime(10);
    target.end();
    expect(target.text).toBe(`${Array.from({ length: 40 }, (_, i) => i).join('\n')}\n`);
  });

  it('goes on as a log that gathers where a flood could not be written', () => {
    const target = new FakeTarget();
    const sink = new BufferedSink(target, { isPrompt: true });
    for (let i = 0; i < 33; i++) sink.write(`${i}`);
    target.takesNowBytes = 1;
    vi.advanceTimersByTime(0);
    target.end(0, 'ENOSPC');
    sink.write('held');
    vi.advanceTimersByTime(500);
    expect(target.text).toMatch(/\n31\n3$/);
    vi.advanceTimersByTime(500);
    target.end();
    vi.advanceTimersByTime(10);
    if (target.isWriting) target.end();
    expect(target.text).toMatch(/\n31\n32\nheld\n$/);
  });

  it('gathers what could not be written at once', () => {
    const target = new FakeTarget();
    target.takesNowBytes = 3;
    const sink = new BufferedSink(target, { isPrompt: true });
    sink.write('first');
    sink.write('second');
    expect(target.text).toBe('fir');
    vi.advanceTimersByTime(10);
    target.end();
    expect(target.text).toBe('first\nsecond\n');
  });

  it('holds lines until the buffer is full', () => {
    const target = new FakeTarget();
    const sink = new BufferedSink(target, { bufferBytes: 10 });
    sink.write('aaaa');
    sink.write('bbb');
    vi.advanceTimersByTime(60_000);
    expect(target.isWriting).toBe(false);
    sink.write('cccc');
    target.end();
    expect(target.text).toBe('aaaa\nbbb\n');
    sink.write('longer than the buffer');
    target.end();
    target.end();
    expect(target.text).toBe('aaaa\nbbb\ncccc\nlonger than the buffer\n');
  });

  it('holds a line no longer than the flush time', () => {
    const target = new FakeTarget();
    const sink = new BufferedSink(target, { bufferBytes: 1000, flushMs: 500 });
    sink.write('a');
    vi.advanceTimersByTime(400);
    sink.write('b');
    expect(target.isWriting).toBe(false);
    vi.advanceTimersByTime(100);
    target.end();
    expect([target.text, target.writeCount]).toEqual(['a\nb\n', 1]);
  });

  it('writes what it holds before it goes on in another file', () => {
    const target = new FakeTarget();
    const sink = new BufferedSink(target, { bufferBytes: 1000 });
    sink.write('a');
    sink.reopen();
    target.end();
    expect(target.text).toBe('a\n<reopened>');
  });
});
