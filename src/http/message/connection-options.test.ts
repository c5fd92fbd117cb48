import { describe, expect, it } from 'vitest';
import { ConnectionOptions } from './connection-options.js';

function read(...values: string[]): ConnectionOptions {
  const options = new ConnectionOptions();
  for (const value of values) options.add(value);
  return options;
}

describe('ConnectionOptions', () => {
  it.each([
    ['close', true, false, false],
    ['Close', true, false, false],
    ['keep-alive', false, true, false],
    ['Keep-Alive', false, true, false],
    ['Upgrade', false, false, true],
    ['keep-alive, Upgrade', false, true, true],
    ['x ,close\t,, upgrade ', true, false, true],
    ['', false, false, false],
    ['closed', false, false, false],
    ['"close"', false, false, false],
    ['close;a', false, false, false],
    ['\xa0close', false, false, false],
    ['x,\xa0close', false, false, false],
  ])('reads %j', (value, hasClose, hasKeepAlive, hasUpgrade) => {
    expect(read(value)).toMatchObject({ hasClose, hasKeepAlive, hasUpgrade });
  });

  it('gathers other names once, in lower case, over several fields', () => {
    expect(read('X-A, close', 'x-a,TE', 'keep-alive').named).toEqual(new Set(['x-a', 'te']));
    expect(read('close', 'keep-alive, upgrade').named).toBeNull();
  });

  it.each([
    'Host',
    'content-length',
    'Transfer-Encoding',
    'X-Forwarded-For',
    'X-Forwarded-Proto',
    'X-Forwarded-Host',
    'X-Forwarded-Port',
    'Forwarded',
    'X-Real-IP',
    'Authorization',
    'Cookie',
    'Set-Cookie',
    'Content-Type',
    'Content-Encoding',
    'Content-Range',
    'Cache-Control',
  ])('takes no notice of %s, which an origin relies on', (name) => {
    expect(read(name, `close, ${name.toLowerCase()}`).named).toBeNull();
  });

  it('is empty again after reset', () => {
    const options = read('close, keep-alive, upgrade, x-a');
    options.reset();
    expect(options).toEqual(new ConnectionOptions());
  });
});
