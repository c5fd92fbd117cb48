import { describe, expect, it } from 'vitest';
import type { RecentRequest, RecentTry } from '../src/modules/http/dashboard/recent-request.js';
import { linesOf } from './waterfall.js';

const TRY: RecentTry = {
  peer: 'a:1',
  isRetry: false,
  startMs: 0,
  connectedMs: -1,
  headerMs: -1,
  endMs: -1,
  status: 0,
  bytes: 0,
  failure: '',
};

function request(durationMs: number, ...tries: Partial<RecentTry>[]): RecentRequest {
  return {
    atMs: 0,
    durationMs,
    method: 'GET',
    host: 'h',
    uri: '/',
    status: 200,
    bytes: 1,
    client: '127.0.0.1',
    server: '',
    location: '/',
    tries: tries.map((each) => ({ ...TRY, ...each })),
    otherTries: 0,
  };
}

const part = (kind: string, fromMs: number, toMs: number) => ({ kind, fromMs, toMs });

describe('the waterfall of a request', () => {
  it('has the wait for a server, the connection, the first byte, the body, and what the client took', () => {
    const lines = linesOf(request(20, { startMs: 2, connectedMs: 3, headerMs: 10, endMs: 15, status: 200 }));
    expect(lines).toEqual([
      {
        label: 'a:1',
        outcome: '200',
        isFailed: false,
        parts: [part('wait', 0, 2), part('connect', 2, 3), part('first byte', 3, 10), part('body', 10, 15)],
      },
      { label: 'to the client', outcome: '200', isFailed: false, parts: [part('answer', 15, 20)] },
    ]);
  });

  it('tells what ended a try, and that the next one is a retry', () => {
    const failure = 'connect() failed (111: Connection refused)';
    const [first, second, ...others] = linesOf(
      request(
        9,
        { endMs: 0, status: 502, failure },
        { peer: 'b:2', isRetry: true, startMs: 1, connectedMs: 1, headerMs: 9, endMs: 9, status: 200 },
      ),
    );
    expect(first).toEqual({ label: 'a:1', outcome: failure, isFailed: true, parts: [part('failed', 0, 0)] });
    expect(second).toMatchObject({ label: 'retry: b:2', isFailed: false });
    expect(second!.parts).toEqual([part('wait', 0, 1), part('first byte', 1, 9)]);
    expect(others).toEqual([]);
  });

  it('of an answer with an error, or one broken off, says so', () => {
    const [error] = linesOf(request(5, { connectedMs: 0, headerMs: 5, endMs: 5, status: 503 }));
    expect(error).toMatchObject({ outcome: '503', isFailed: true, parts: [part('first byte', 0, 5)] });
    const [cut] = linesOf(
      request(5, { connectedMs: 0, headerMs: 1, endMs: 5, status: 200, failure: 'recv() failed' }),
    );
    expect(cut).toMatchObject({ outcome: 'recv() failed', isFailed: true });
    expect(cut!.parts.at(-1)).toEqual(part('failed', 1, 5));
  });

  it('without tries is the answer alone', () => {
    expect(linesOf(request(3))).toEqual([
      { label: 'to the client', outcome: '200', isFailed: false, parts: [part('answer', 0, 3)] },
    ]);
  });
});
