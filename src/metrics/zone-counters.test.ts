import { describe, expect, it } from 'vitest';
import { ZoneCounters } from './zone-counters.js';

describe('ZoneCounters', () => {
  it('counts requests by class and code, and codes that nobody has registered by their class alone', () => {
    const zone = new ZoneCounters('a', new SharedArrayBuffer(ZoneCounters.bytes()));
    for (const status of [200, 200, 206, 301, 404, 418, 499, 503, 299, 597, 101, 999])
      zone.note(status, 10, 100);
    expect(zone.snapshot()).toEqual({
      processing: 0,
      requests: 12,
      responses: {
        '1xx': 1,
        '2xx': 4,
        '3xx': 1,
        '4xx': 3,
        '5xx': 2,
        codes: { 101: 1, 200: 2, 206: 1, 301: 1, 404: 1, 418: 1, 499: 1, 503: 1 },
        total: 12,
      },
      discarded: 0,
      received: 120,
      sent: 1200,
    });
  });

  it('has a request in processing from its begin to its end, wherever who reads it runs', () => {
    const memory = new SharedArrayBuffer(ZoneCounters.bytes({ index: 0, count: 2 }));
    const one = new ZoneCounters('a', memory, { index: 0, count: 2 });
    const other = new ZoneCounters('a', memory, { index: 1, count: 2 });
    one.begin();
    other.begin();
    expect(one.snapshot()).toMatchObject({ processing: 2, requests: 2, responses: { total: 0 } });
    one.end(0, 5, 0);
    expect(other.snapshot()).toMatchObject({ processing: 1, requests: 2, discarded: 1, received: 5 });
    one.forget(1);
    expect(one.snapshot()).toMatchObject({ processing: 0, requests: 2 });
  });
});
