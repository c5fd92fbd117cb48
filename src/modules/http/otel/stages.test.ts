import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../../request/http-request.js';
import { Timeline } from '../../../request/timeline.js';
import { Try } from '../../../request/upstream-tries.js';
import { stagesOf, stagesOfTry } from './stages.js';

/** The tenth request of its connection, from 100 to 200 by the clock, unless it says otherwise. */
function request(more: object, tries: Try[] = []): HttpRequest {
  return {
    startMs: 100,
    requestTimeMs: 100,
    client: { requestCount: 10, connectedMs: 0, tls: null },
    head: { method: 'GET', contentLength: -1 },
    tries: { count: tries.length, at: (i: number) => tries[i] },
    isResponseStarted: true,
    isPostAction: false,
    answeredStatus: 200,
    bodyBytesSent: 7,
    ...more,
  } as unknown as HttpRequest;
}

const triedBetween = (startMs: number, headerMs: number, endMs: number) =>
  Object.assign(new Try(), { startMs, connectedMs: startMs, headerMs, endMs });

const timelineWith = (more: Partial<Timeline>) => Object.assign(new Timeline(), more);

/** "name from-to", in order. */
function told(of: HttpRequest, timeline: Timeline, headMs = 100, beganMs = headMs): string[] {
  const stages = stagesOf(of, timeline, headMs, beganMs);
  return stages.map(({ name, startMs, endMs }) => `${name} ${startMs}-${endMs}`);
}

describe('the stages of a request', () => {
  it('are none where nothing took a millisecond', () => {
    const timeline = timelineWith({
      answeredMs: 100.7,
      waits: [{ phase: 'access', startMs: 100, endMs: 100.6 }],
    });
    expect(told(request({ requestTimeMs: 0.9 }), timeline)).toEqual([]);
    const quick = triedBetween(100.1, 100.4, 100.8);
    expect(told(request({ requestTimeMs: 0.9 }, [quick]), new Timeline())).toEqual([]);
    expect(stagesOfTry(quick, 100.8)).toEqual([]);
  });

  it('leave no time untold, and tell none twice', () => {
    const tries = [triedBetween(150, -1, 152), triedBetween(157, 170, 190)];
    const timeline = timelineWith({
      waits: [{ phase: 'preaccess', startMs: 102, endMs: 130 }],
      bodyStartMs: 135,
      bodyEndMs: 150,
    });
    expect(told(request({}, tries), timeline, 102)).toEqual([
      'request head 100-102',
      'preaccess 102-130',
      'request body 135-150',
      'content 130-135',
      'content 152-157',
      'response body 170-200',
    ]);
  });

  it('go on to the end of a request whose client left before it was answered', () => {
    const waiting = timelineWith({ waits: [{ phase: 'access', startMs: 100, endMs: -1 }] });
    const unanswered = { isResponseStarted: false, answeredStatus: 0 };
    expect(told(request(unanswered), waiting)).toEqual(['access 100-200']);
    expect(told(request(unanswered), timelineWith({ bodyStartMs: 110 }))).toEqual([
      'request body 110-200',
      'content 100-110',
    ]);
  });

  it('end a phase that waited when an error was the answer instead', () => {
    const timeline = timelineWith({
      waits: [{ phase: 'precontent', startMs: 100, endMs: -1 }],
      answeredMs: 150,
    });
    expect(told(request({}), timeline)).toEqual(['precontent 100-150', 'response body 150-200']);
  });

  it('have the connection with its first request alone, and a tunnel in the place of a body', () => {
    const client = { requestCount: 1, connectedMs: 40, tls: null };
    expect(told(request({ client }), timelineWith({ answeredMs: 100 }))).toEqual([
      'accept 40-100',
      'response body 100-200',
    ]);
    const switched = request({ answeredStatus: 101, isTunnel: true }, [triedBetween(100, 110, 200)]);
    expect(told(switched, new Timeline())).toEqual(['tunnel 110-200']);
  });
});
