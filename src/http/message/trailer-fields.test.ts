import { describe, expect, it } from 'vitest';
import { FieldId } from './field-id.js';
import { FORBIDDEN_IN_TRAILER } from './trailer-fields.js';

describe('FORBIDDEN_IN_TRAILER', () => {
  it.each([
    'host',
    'contentLength',
    'transferEncoding',
    'connection',
    'upgrade',
    'te',
    'trailer',
    'expect',
    'authorization',
    'cookie',
    'setCookie',
    'forwardedFor',
    'forwarded',
    'realIp',
    'contentType',
    'contentEncoding',
    'contentRange',
    'cacheControl',
  ] as const)('holds %s', (key) => {
    expect(FORBIDDEN_IN_TRAILER[FieldId[key]]).toBe(1);
  });

  it('lets unknown fields pass', () => {
    expect(FORBIDDEN_IN_TRAILER[FieldId.other]).toBe(0);
  });
});
