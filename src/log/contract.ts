/*
 * What every log sink must hold, whatever it writes to. Run by the sinks' own tests; not a test file
 * itself.
 */

import { describe, expect, it } from 'vitest';
import type { LogSink } from './sink.js';

/** A new sink, and what has arrived at its other end so far. */
export interface SinkUnderTest {
  sink: LogSink;
  readAll(): Promise<string> | string;
}

/** Runs the suite over the sinks that open() gives. */
export function testSinkContract(open: () => SinkUnderTest): void {
  describe('as a log sink', () => {
    it('writes each line with a line feed, in order', async () => {
      const { sink, readAll } = open();
      sink.write('first');
      sink.write('');
      await sink.flush();
      sink.write(Buffer.from('naïve ☃').toString('latin1'));
      await sink.close();
      expect(await readAll()).toBe('first\n\nnaïve ☃\n');
    });

    it('writes without being flushed', async () => {
      const { sink, readAll } = open();
      sink.write('first');
      await expect.poll(readAll).toBe('first\n');
      sink.write('second');
      await expect.poll(readAll).toBe('first\nsecond\n');
      await sink.close();
    });

    it('writes 100,000 lines of several batches whole and in order', async () => {
      const { sink, readAll } = open();
      const lines: string[] = [];
      for (let batch = 0; batch < 10; batch++) {
        for (let i = 0; i < 10_000; i++) {
          const line = `${batch} ${i} ${'x'.repeat(i % 60)}`;
          lines.push(line);
          sink.write(line);
        }
        await new Promise(setImmediate);
      }
      await sink.close();
      expect((await readAll()) === `${lines.join('\n')}\n`).toBe(true);
    });

    it('flushes what was written before, also when there is nothing', async () => {
      const { sink, readAll } = open();
      await sink.flush();
      sink.write('first');
      const flushed = [sink.flush(), sink.flush()];
      sink.write('second');
      flushed.push(sink.flush());
      await Promise.all(flushed);
      await expect.poll(readAll).toBe('first\nsecond\n');
      await sink.close();
    });

    it('loses nothing at reopen()', async () => {
      const { sink, readAll } = open();
      sink.write('first');
      sink.reopen();
      sink.write('second');
      await new Promise(setImmediate);
      sink.reopen();
      sink.write('third');
      await sink.close();
      expect(await readAll()).toBe('first\nsecond\nthird\n');
    });

    it('closed takes no line, does not throw and listens to the process no more', async () => {
      const listenersBefore = process.listenerCount('exit');
      const { sink, readAll } = open();
      await sink.close();
      sink.write('late');
      sink.reopen();
      await sink.flush();
      await sink.close();
      expect(await readAll()).toBe('');
      expect(process.listenerCount('exit')).toBe(listenersBefore);
    });
  });
}
