import { expect, it } from 'vitest';
import { readStrictResponses } from './strict-responses.js';

const OK = 'HTTP/1.1 200 OK\r\n';

it('reads responses one after the other, by length, chunked and without body', () => {
  const text =
    `HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n${OK}Content-Length: 2\r\n\r\nok` +
    `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n` +
    `${OK}Content-Length: 2\r\n\r\nHTTP/1.1 204 \r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n`;
  expect(readStrictResponses(text, ['GET', 'GET', 'HEAD', 'GET', 'GET'])).toEqual({
    statuses: [200, 200, 200, 204, 304],
    isCut: false,
    offence: null,
  });
});

it.each([
  'HTTP/1.1 2',
  `${OK}A: b\r\n`,
  `${OK}Content-Length: 3\r\n\r\nok`,
  `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n`,
])('sees that %j is cut', (text) => {
  expect(readStrictResponses(text, ['GET'])).toEqual({ statuses: [], isCut: true, offence: null });
});

it.each([
  'HTTP/1.0 200 OK\r\n\r\n',
  'HTTP/1.1 200\r\n\r\n',
  'HTTP/1.1 200 O\x00K\r\n\r\n',
  'ok\r\n\r\n',
  `${OK}\r\nok`,
  `${OK}Content-Length: 0\r\n\r\n${OK}Content-Length: 0\r\n\r\n`,
  `${OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n`,
  `${OK}Content-Length: 2\t\r\nContent-Length: 2\r\n\r\nok`,
  `${OK}A: b\nC: d\r\n\r\n`,
  `${OK}Keep-Alive: timeout=5\r\n\r\n`,
  `${OK}Transfer-Encoding: chunked\r\n\r\n2;a\r\nok\r\n0\r\n\r\n`,
  'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n',
  'HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n',
])('takes offence at %j', (text) => {
  expect(readStrictResponses(text, ['GET']).offence).not.toBeNull();
});
