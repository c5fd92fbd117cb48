import { describe, expect, it } from 'vitest';
import { MemorySink } from './memory-sink.js';

describe('a log in memory', () => {
  it('keeps the last lines that fit', () => {
    const sink = new MemorySink(10);
    for (const line of ['aaaa', 'bbbb', 'cc']) sink.write(line);
    expect(sink.lines).toEqual(['bbbb', 'cc']);
  });

  it('keeps nothing of a line that is longer than it', () => {
    const sink = new MemorySink(10);
    sink.write('a');
    sink.write('longer than ten');
    expect(sink.lines).toEqual([]);
    sink.write('b');
    expect(sink.lines).toEqual(['b']);
  });

  it('stays bounded over many lines', () => {
    const sink = new MemorySink(1000);
    for (let i = 0; i < 100_000; i++) sink.write(`line ${i}`);
    expect(sink.lines.join('\n').length).toBeLessThanOrEqual(1000);
    expect(sink.lines.at(-1)).toBe('line 99999');
  });
});
