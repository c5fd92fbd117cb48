import { expect, it } from 'vitest';
import { fieldOf, readStrictRequests } from './strict-requests.js';

const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\n';

it('reads whole requests one after the other, by length and chunked', () => {
  const text =
    `${HEAD}Content-Length: 2\r\n\r\nhi` +
    `${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nb\r\nhello world\r\n0\r\nA: b\r\n\r\n` +
    'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\nGET / HT';
  const { requests, unfinishedBytes, offence } = readStrictRequests(text);
  expect(requests.map(({ method, target, body }) => [method, target, body])).toEqual([
    ['POST', '/', 'hi'],
    ['POST', '/', 'hihello world'],
    ['OPTIONS', '*', ''],
  ]);
  expect(fieldOf(requests[0]!, 'content-length')).toBe('2');
  expect([unfinishedBytes, offence]).toEqual([8, null]);
});

it.each([
  'GET /\r\n\r\n',
  'GET / HTTP/1.0\r\nHost: a\r\n\r\n',
  'GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET  / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n',
  '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET / HTTP/1.1\nHost: a\n\r\n\r\n',
  'GET / HTTP/1.1\r\nA: b\r\n\r\n',
  `${HEAD}Host: a\r\n\r\n`,
  `${HEAD}Content-Length: 0\r\nContent-Length: 0\r\n\r\n`,
  `${HEAD}Content-Length: +1\r\n\r\n`,
  `${HEAD}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n`,
  `${HEAD}Transfer-Encoding: chunked, chunked\r\n\r\n`,
  `${HEAD}Content_Length: 0\r\n\r\n`,
  `${HEAD}A : b\r\n\r\n`,
  `${HEAD} A: b\r\n\r\n`,
  `${HEAD}A: b\nC: d\r\n\r\n`,
  `${HEAD}A: b\rC: d\r\n\r\n`,
  `${HEAD}A: \x7f\r\n\r\n`,
  `${HEAD}A\r\n\r\n`,
  `${HEAD}Transfer-Encoding: chunked\r\n\r\n2;a\r\nhi\r\n0\r\n\r\n`,
  `${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\nhi!\r\n0\r\n\r\n`,
  `${HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\nHost: b\r\n\r\n`,
  // Nothing of it is whole, and yet it is wrong already.
  'GET / HTTP/1.1\r\nA b\r\n',
])('takes offence at %j', (text) => {
  expect(readStrictRequests(text).offence).not.toBeNull();
});
