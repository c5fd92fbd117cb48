import { describe, expect, it } from 'vitest';
import { whyNot } from './visitors.js';

describe('a dashboard for this machine', () => {
  it.each([
    ['127.0.0.1', 'localhost'],
    ['127.0.0.1', '127.0.0.1'],
    ['127.8.8.8', 'sluice.localhost'],
    ['::1', '[::1]'],
    ['unix:', 'localhost'],
  ])('is shown to %s who asks for %s', (address, host) => {
    expect(whyNot(address, host)).toBeNull();
  });

  it.each([
    ['10.0.0.5', 'localhost', 'you come from 10.0.0.5'],
    ['::2', 'localhost', 'you come from ::2'],
    ['127.0.0.1', 'evil.example', 'use localhost'],
    ['127.0.0.1', '127.0.0.1.evil.example', 'use localhost'],
    ['127.0.0.1', 'localhost.evil.example', 'use localhost'],
    ['127.0.0.1', '10.0.0.5', 'use localhost'],
  ])('is not shown to %s who asks for %s', (address, host, why) => {
    expect(whyNot(address, host)).toContain(why);
  });
});
