import { describe, expect, it } from 'vitest';
import { BodyRecorder, describeRequest, KEPT_BODY_BYTES } from './echo-answer.js';

function record(...chunks: (string | Buffer)[]): BodyRecorder {
  const body = new BodyRecorder();
  for (const chunk of chunks) body.add(Buffer.from(chunk));
  return body;
}

const describeGet = (target: string, rawHeaders: string[] = []) =>
  describeRequest('GET', target, rawHeaders, new BodyRecorder());

describe('describeRequest', () => {
  it('holds method, path, query parameters, headers and body', () => {
    const answer = describeRequest('POST', '/a%20b?x=1', ['Host', 'h', 'X-Y', 'z'], record('héllo'));
    expect(JSON.parse(JSON.stringify(answer))).toEqual({
      method: 'POST',
      path: '/a%20b',
      query_params: { x: '1' },
      headers: { host: 'h', 'x-y': 'z' },
      body: 'héllo',
      body_bytes: 6,
    });
  });

  it.each([
    ['/', '/', {}],
    ['/?', '/', {}],
    ['/?a', '/', { a: '' }],
    ['/?a=1&a=2&b=%D1%8F+x', '/', { a: ['1', '2'], b: 'я x' }],
    ['/p?q=a?b', '/p', { q: 'a?b' }],
    ['*', '*', {}],
    ['http://h/p?a=1', 'http://h/p', { a: '1' }],
  ])('splits the target %j', (target, path, parameters) => {
    const answer = describeGet(target);
    expect(answer.path).toBe(path);
    expect({ ...answer.query_params }).toEqual(parameters);
  });

  it('makes an array of what came several times, of headers too', () => {
    const { headers } = describeGet('/', ['Accept', 'a', 'ACCEPT', 'b', 'accept', 'c', 'Host', 'h']);
    expect({ ...headers }).toEqual({ accept: ['a', 'b', 'c'], host: 'h' });
  });

  it('takes __proto__ for a name like any other', () => {
    expect(JSON.stringify(describeGet('/?__proto__=1').query_params)).toBe('{"__proto__":"1"}');
  });

  it('gives bytes that are not UTF-8 as base64 and says so', () => {
    const answer = describeRequest('POST', '/', [], record(Buffer.from([0xff, 0x00, 0x80])));
    expect(answer).toMatchObject({ body: '/wCA', body_encoding: 'base64', body_bytes: 3 });
  });

  it('decodes characters that arrive in pieces, and keeps a byte order mark', () => {
    const bytes = Buffer.from('\uFEFFя€😀');
    const pieces = [...bytes].map((byte) => Buffer.from([byte]));
    expect(describeRequest('POST', '/', [], record(...pieces)).body).toBe('\uFEFFя€😀');
  });

  it('keeps 1 MiB of the body and counts all of it', () => {
    const whole = describeRequest('PUT', '/', [], record('x'.repeat(KEPT_BODY_BYTES)));
    expect(whole.body_truncated).toBeUndefined();
    const larger = describeRequest('PUT', '/', [], record('x'.repeat(KEPT_BODY_BYTES - 1), 'yyy', 'z'));
    expect(larger).toMatchObject({ body_bytes: KEPT_BODY_BYTES + 3, body_truncated: true });
    expect(larger.body).toHaveLength(KEPT_BODY_BYTES);
    expect(larger.body.slice(-2)).toBe('xy');
  });

  it('stays text when the cut goes through a character', () => {
    const answer = describeRequest('PUT', '/', [], record('x', 'я'.repeat(KEPT_BODY_BYTES / 2)));
    expect(answer.body_encoding).toBeUndefined();
    expect(answer.body).toBe(`x${'я'.repeat(KEPT_BODY_BYTES / 2 - 1)}`);
  });

  it('is base64 when a body that was not cut ends inside a character', () => {
    expect(describeRequest('PUT', '/', [], record(Buffer.from([0xd1]))).body_encoding).toBe('base64');
  });
});
