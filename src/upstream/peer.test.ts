import { describe, expect, it } from 'vitest';
import { Peer } from './peer.js';

const ADDRESS = { host: '::1', port: 9001, path: null };

describe('a peer', () => {
  it('is named by its address and has the defaults of the server directive', () => {
    const peer = new Peer({ address: ADDRESS });
    expect(peer).toMatchObject({
      name: '[::1]:9001',
      weight: 1,
      effectiveWeight: 1,
      maxFails: 1,
      failTimeoutMs: 10_000,
      isBackup: false,
      isDown: false,
    });
    expect(peer.isUsable(0)).toBe(true);
  });

  it.each([
    [{ weight: 0 }, 'weight "0" is not a whole number from 1'],
    [{ weight: 1.5 }, 'weight "1.5" is not a whole number from 1'],
    [{ maxFails: -1 }, 'max_fails "-1" is not a whole number from 0'],
    [{ maxFails: Number.NaN }, 'max_fails "NaN" is not a whole number from 0'],
    [{ failTimeoutMs: -1 }, 'fail_timeout "-1" ms is not a time from 0'],
    [{ failTimeoutMs: Number.NaN }, 'fail_timeout "NaN" ms is not a time from 0'],
  ])('refuses %j and says why', (options, reason) => {
    expect(() => new Peer({ address: ADDRESS, ...options })).toThrow(
      new Error(`Cannot use peer "[::1]:9001": ${reason}`),
    );
  });
});
