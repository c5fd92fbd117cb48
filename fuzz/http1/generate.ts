/*
 * Well-formed messages at random, so that what is fuzzed isn't only what somebody thought of. Text is latin1.
 */
import type { Random } from '../random.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'PURGE'];
const NAMES = [
  'A',
  'x-b',
  'Accept',
  'User-Agent',
  'COOKIE',
  'If-None-Match',
  'X.Y|Z',
  "~!#$%&'*+",
  'X-Very-Long-Name',
];
const VALUES = [
  '',
  'a',
  'b c',
  '"d, e"',
  'f;g=h',
  '\xe9\xff',
  'i\tj',
  '0',
  'x'.repeat(60),
  'k: l',
  'GET / HTTP/1.1',
];
const SPACES = [' ', ' ', ' ', ' ', '', '  ', '\t', ' \t '];
const STATUSES = [
  '200 OK',
  '201 Created',
  '206 ',
  '204 No Content',
  '304 Not Modified',
  '404 Nicht \xe4',
  '500',
  '599 ?',
];
const BODIES = [
  '',
  'a',
  'hello',
  '0\r\n\r\n',
  '\r\n',
  'GET / HTTP/1.1\r\nHost: evil\r\n\r\n',
  '\0\xff'.repeat(20),
];

/** One to three requests, each but perhaps the last to be followed by another. */
export function generateRequests(random: Random): string {
  let text = '';
  for (let left = random.below(3); left > 0; left--) text += generateRequest(random, false);
  return text + generateRequest(random, random.oneIn(3));
}

/** Perhaps an interim response, and a final one. */
export function generateResponses(random: Random): string {
  const interim = random.oneIn(4) ? `HTTP/1.1 103 Early Hints\r\n${generateFields(random)}\r\n` : '';
  const version = random.oneIn(5) ? '1.0' : '1.1';
  const body = random.pick(BODIES);
  const start = `HTTP/${version} ${random.pick(STATUSES)}\r\n`;
  if (version === '1.0' || random.oneIn(4)) return `${interim}${start}${generateFields(random)}\r\n${body}`;
  return interim + start + generateFramed(random, generateFields(random), body);
}

function generateRequest(random: Random, isLast: boolean): string {
  const path = random.pick(['/', '/a', '/a/b?c=d&e=%20', '//x;y', '/*', '/a:b@c']);
  const target = random.oneIn(8) ? `http://b.example:8080${path}` : path;
  const start = `${random.oneIn(6) ? '\r\n' : ''}${random.pick(METHODS)} ${target} HTTP/1.1\r\n`;
  const close = isLast ? `Connection:${space(random)}close\r\n` : '';
  const fields = `Host:${space(random)}a.example${random.pick(['', ':80'])}\r\n${close}${generateFields(random)}`;
  return random.oneIn(3)
    ? `${start}${fields}\r\n`
    : start + generateFramed(random, fields, random.pick(BODIES));
}

function generateFields(random: Random): string {
  let fields = '';
  for (let left = random.below(4); left > 0; left--) {
    fields += `${random.pick(NAMES)}:${space(random)}${random.pick(VALUES)}${random.oneIn(5) ? ' ' : ''}\r\n`;
  }
  return fields;
}

function generateFramed(random: Random, fields: string, body: string): string {
  if (random.oneIn(2)) return `${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
  let chunks = '';
  for (let at = 0; at < body.length; ) {
    const size = 1 + random.below(body.length - at);
    const digits = size.toString(16);
    const extension = random.pick(['', '', '', ';a', ';a=b', ';a="b c";d']);
    chunks += `${random.oneIn(4) ? '0' : ''}${random.oneIn(2) ? digits : digits.toUpperCase()}${extension}\r\n`;
    chunks += `${body.slice(at, at + size)}\r\n`;
    at += size;
  }
  const trailers = random.oneIn(4) ? generateFields(random) : '';
  return `${fields}Transfer-Encoding: chunked\r\n\r\n${chunks}${random.pick(['0', '00', '0;a=b'])}\r\n${trailers}\r\n`;
}

function space(random: Random): string {
  return random.pick(SPACES);
}
