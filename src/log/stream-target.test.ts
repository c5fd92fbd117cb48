import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { BufferedSink } from './buffered-sink.js';
import { testSinkContract } from './contract.js';
import { StreamTarget } from './stream-target.js';

/** Not open: no test lets a process end with lines unwritten. */
const NO_FD = -1;

/** A sink that writes into a process of the command. */
function openPipe(command: string, ...args: string[]) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  return { child, sink: new BufferedSink(new StreamTarget(child.stdin, NO_FD)) };
}

async function exitOf(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

describe('a pipe as a log', () => {
  testSinkContract(() => {
    const { child, sink } = openPipe('cat');
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    const closeSink = sink.close.bind(sink);
    sink.close = async () => {
      await closeSink();
      child.stdin.end();
      if (!child.stdout.closed) await once(child.stdout, 'close');
    };
    return { sink, readAll: () => text };
  });

  it('whose reader has gone throws nothing, flushes and closes at once', async () => {
    const { child, sink } = openPipe('true');
    await exitOf(child);
    for (let i = 0; i < 3; i++) {
      sink.write('x'.repeat(100_000));
      await sink.flush();
    }
    const startMs = performance.now();
    await sink.close();
    expect(performance.now() - startMs).toBeLessThan(500);
  });

  it('whose reader stands still does not keep close() for long', async () => {
    const { child, sink } = openPipe('sleep', '60');
    sink.write('x'.repeat(1_000_000));
    const startMs = performance.now();
    await sink.close();
    expect(performance.now() - startMs).toBeLessThan(3000);
    child.kill();
    await exitOf(child);
  });

  it('does not pile up listeners on a stream that several sinks share', () => {
    const { child } = openPipe('true');
    for (let i = 0; i < 20; i++) new StreamTarget(child.stdin, NO_FD);
    expect(child.stdin.listenerCount('error')).toBeLessThan(3);
  });
});
