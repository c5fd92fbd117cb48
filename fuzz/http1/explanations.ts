/*
 * The classes of disagreement between Sluice's codec and llhttp, Node's parser in strict mode, each with the
 * reason why Sluice is right. A disagreement that is of none of them is a bug of one of the two.
 */
import { METHODS } from 'node:http';
import { type Explanation, isWholeAt, laxer, stricter } from './disagreement.js';
import type { Fields, Message } from './reading.js';

/** What llhttp says of a line end without CR; that depends on where it stands. */
const LINE_END_CODES = [
  'HPE_CR_EXPECTED',
  'HPE_LF_EXPECTED',
  'HPE_INVALID_VERSION',
  'HPE_INVALID_STATUS',
  'HPE_INVALID_HEADER_TOKEN',
  'HPE_STRICT',
];

const CHUNK_CODES = ['HPE_STRICT', 'HPE_INVALID_CHUNK_SIZE', 'HPE_CR_EXPECTED', 'HPE_LF_EXPECTED'];

const FRAMING_CODES = [
  'HPE_INVALID_CONTENT_LENGTH',
  'HPE_INVALID_TRANSFER_ENCODING',
  'HPE_UNEXPECTED_CONTENT_LENGTH',
];

const TAB_AROUND_FRAMING = /^(?:content-length|transfer-encoding):[^\r\n]*\t/im;

/** The beginnings of messages, for the examples. */
const REQUEST = 'POST / HTTP/1.1\r\nHost: a\r\n';
const RESPONSE = 'HTTP/1.1 200 OK\r\n';
const EMPTY = 'Content-Length: 0\r\n\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n\r\n';

/** Classes of disagreement on requests. */
export const REQUEST_EXPLANATIONS: readonly Explanation[] = [
  stricter({
    name: 'stricter: Host',
    reason: 'RFC 9112 section 3.2: one valid Host, or 400. llhttp leaves that to its user.',
    example: 'GET / HTTP/1.1\r\n\r\n',
    grounds: [
      '400 HTTP/1.1 request without "Host" header',
      '400 duplicate host header',
      '400 invalid host header',
    ],
  }),
  stricter({
    name: 'stricter: CONNECT',
    reason: 'This proxy opens no tunnels to anywhere.',
    example: 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n',
    grounds: ['405 CONNECT method'],
  }),
  stricter({
    name: 'stricter: transfer codings',
    reason: 'Of transfer codings only chunked, once, is known: RFC 9112 section 6.1 asks for 501.',
    example: `${REQUEST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    grounds: ['501 unknown "Transfer-Encoding"', '400 duplicate "Transfer-Encoding" header'],
  }),
  stricter({
    name: 'stricter: Transfer-Encoding in HTTP/1.0',
    reason: 'RFC 9112 section 6.1: its framing is faulty, however plain it looks.',
    example: `POST / HTTP/1.0\r\n${CHUNKED}0\r\n\r\n`,
    grounds: ['400 HTTP/1.0 request with "Transfer-Encoding" header'],
  }),
  stricter({
    name: 'stricter: the request line',
    reason:
      'One space between its parts, a version, a target in a form of RFC 9112 section 3.2, nothing in front but empty lines.',
    example: 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n',
    grounds: ['400 an invalid request target', '400 an invalid protocol version', '400 invalid method'],
  }),
  laxer({
    name: 'laxer: methods',
    reason: 'RFC 9110 section 9.1: any token; whether it is known is for the origin to say.',
    example: `FROB / HTTP/1.1\r\nHost: a\r\n${EMPTY}`,
    codes: ['HPE_INVALID_METHOD'],
    holds: ({ message }) => !METHODS.includes(message.start.slice(0, message.start.indexOf(' '))),
  }),
  laxer({
    name: 'laxer: bytes above 127 in a target',
    reason: 'Browsers and scripts send them, nginx passes them on, and no reader takes them for a delimiter.',
    example: 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n',
    codes: ['HPE_INVALID_URL'],
    holds: ({ message }) => /[\x80-\xff]/.test(message.start),
  }),
  {
    name: 'other: bytes behind the head of a request for an upgrade',
    reason: 'node:http looks at them no more; Sluice does, until the origin switches protocols.',
    example: `${REQUEST}Connection: upgrade\r\nUpgrade: a\r\n${EMPTY}GET / HTTP/1.1\r\nHost: a\r\n\r\n`,
    explains: ({ sluice, llhttp, at }) =>
      at > 0 &&
      llhttp.messages.length === at &&
      llhttp.end !== 'malformed' &&
      hasField(sluice.messages[at - 1]!.fields, 'upgrade'),
  },
  {
    name: 'other: a connection option with a tab behind it',
    reason:
      'White space around a value is spaces and tabs (RFC 9110 section 5.5); llhttp does not see the option.',
    example: `${REQUEST}Connection: close\t\r\n${EMPTY}GET / HTTP/1.1\r\nHost: a\r\n\r\n`,
    fixedIn: '9.4',
    explains: ({ sluice, llhttp, at }) =>
      at > 0 &&
      sluice.messages.length + llhttp.messages.length > 2 * at - 1 &&
      /^connection:.*\t\r?$/im.test(sluice.heads[at - 1]!),
  },
  {
    name: 'other: Connection in a trailer',
    reason:
      'llhttp obeys it; to Sluice it means nothing there, nor is it passed on (RFC 9110 section 6.5.1).',
    example: `${REQUEST}${CHUNKED}0\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n`,
    explains: ({ sluice, llhttp, at }) =>
      at > 0 && llhttp.messages.length === at && hasField(sluice.messages[at - 1]!.trailers, 'connection'),
  },
  {
    name: 'other: half of an empty line at the end',
    reason: 'llhttp passes over a CR between requests, Sluice waits for its LF.',
    example: `${REQUEST}${EMPTY}\r`,
    explains: ({ text, sluice, llhttp, at }) =>
      sluice.end === 'unfinished' &&
      llhttp.end === 'whole' &&
      sluice.messages.length === at &&
      llhttp.messages.length === at &&
      text.endsWith('\r'),
  },
  ...explainBoth(REQUEST),
];

/** Classes of disagreement on responses. */
export const RESPONSE_EXPLANATIONS: readonly Explanation[] = [
  stricter({
    name: 'stricter: transfer codings',
    reason: 'Only chunked, once, is asked for and known; nginx refuses anything else too.',
    example: `${RESPONSE}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    grounds: ['an unknown Transfer-Encoding', 'two Transfer-Encoding fields'],
  }),
  stricter({
    name: 'stricter: Transfer-Encoding in HTTP/1.0',
    reason: 'RFC 9112 section 6.1: its framing is faulty, however plain it looks.',
    example: `HTTP/1.0 200 OK\r\n${CHUNKED}0\r\n\r\n`,
    grounds: ['an HTTP/1.0 response with Transfer-Encoding'],
  }),
  stricter({
    name: 'stricter: the status line',
    reason: 'It is the first thing there, and holds no control characters: it is passed on to the client.',
    example: `HTTP/1.1 200 O\0K\r\n${EMPTY}`,
    grounds: ['no valid status line', 'an invalid status code', 'a control character in its status line'],
  }),
  stricter({
    name: 'stricter: CR without LF',
    reason:
      'RFC 9112 section 2.2: such a message is invalid. llhttp takes CR CR for a line end behind the reason.',
    example: `HTTP/1.1 200 OK\r\r${EMPTY}`,
    fixedIn: '9.4',
    grounds: ['a CR without LF'],
  }),
  {
    name: 'other: chunked with a tab behind it',
    reason:
      'llhttp reads such a response until it closes; Sluice reads chunks, and passes them on as its own.',
    example: `${RESPONSE}Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n`,
    explains: ({ sluice, llhttp, at }) =>
      TAB_AROUND_FRAMING.test(sluice.heads[at] ?? '') &&
      isChunked(sluice.messages[at]!) &&
      llhttp.end !== 'malformed',
  },
  {
    name: 'other: interim responses that end the connection',
    reason:
      'Those of HTTP/1.0, which knows none, and with Connection: close. node:http stops there; Sluice waits for the final one.',
    example: `HTTP/1.1 103 A\r\nConnection: close\r\n\r\n${RESPONSE}${EMPTY}`,
    explains: ({ sluice, llhttp, at }) =>
      at > 0 &&
      llhttp.messages.length === at &&
      llhttp.end === 'unfinished' &&
      sluice.heads.slice(0, at).some((head) => /^HTTP\/1\.0 1|^connection:.*close/im.test(head)),
  },
  {
    name: 'other: fields that an answer has once',
    reason: 'Of several Server, Date, Expires ... the first counts and the others are left out, as by nginx.',
    example: `${RESPONSE}Server: a\r\nServer: b\r\n${EMPTY}`,
    explains: ({ sluice, llhttp, at }) =>
      at < sluice.messages.length &&
      at < llhttp.messages.length &&
      sluice.messages[at]!.fields.length < llhttp.messages[at]!.fields.length &&
      isSame(sluice.messages[at]!.fields, withoutRepeated(llhttp.messages[at]!.fields)),
  },
  ...explainBoth(RESPONSE),
];

/** Of these the codec keeps the first. */
const SINGLE_FIELDS: ReadonlySet<string> = new Set([
  'content-type',
  'date',
  'last-modified',
  'etag',
  'server',
  'location',
  'refresh',
  'expires',
  'x-accel-redirect',
  'x-accel-expires',
  'x-accel-limit-rate',
]);

function withoutRepeated(fields: Fields): Fields {
  const seen = new Set<string>();
  return fields.filter(([name]) => {
    const lower = name.toLowerCase();
    if (!SINGLE_FIELDS.has(lower)) return true;
    const isFirst = !seen.has(lower);
    seen.add(lower);
    return isFirst;
  });
}

function isSame(a: Fields, b: Fields): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Classes that requests and responses share; `head` is the beginning of one. */
function explainBoth(head: string): readonly Explanation[] {
  return [
    stricter({
      name: 'stricter: very long numbers',
      reason:
        'More than 15 digits of Content-Length or 16 of a chunk size, be they zeros, or a chunk above 2^53 bytes.',
      example: `${head}Content-Length: 0000000000000001\r\n\r\na`,
      grounds: ['400 invalid "Content-Length" header', 'an invalid Content-Length', 'too large a chunk size'],
    }),
    stricter({
      name: 'stricter: limits',
      reason: 'A line of 8 KB, a head of 32 KB, an extension of 1 KB; llhttp counts the head alone.',
      example: `${head}A: ${'a'.repeat(9000)}\r\n${EMPTY}`,
      grounds: [
        '414 too long URI',
        '494 too large a field section',
        'too long a status line',
        'too large a field section',
        'too large a field section in its trailer',
        'too long a chunk extension',
      ],
    }),
    laxer({
      name: 'laxer: LF alone ends a line of a head',
      reason: 'RFC 9112 section 2.2 allows it and nginx does it; what is passed on ends in CRLF.',
      example: `${head}A: b\n${EMPTY}`,
      codes: LINE_END_CODES,
      holds: (taken) => /(?:^|[^\r])\n/.test(taken.head),
    }),
    laxer({
      name: 'laxer: HTTP/1.2 to 1.9',
      reason:
        'RFC 9110 section 2.5: a higher minor version is taken as the highest known one; passed on as 1.1.',
      example: `${head.replace('HTTP/1.1', 'HTTP/1.2')}${EMPTY}`,
      codes: ['HPE_INVALID_VERSION'],
      holds: (taken) => /HTTP\/1\.[2-9]/.test(taken.head.split('\n')[0]!),
    }),
    laxer({
      name: 'laxer: the grammar of chunk extensions',
      reason: 'They are passed over to the CRLF that no reading of them can hide, and never passed on.',
      example: `${head}${CHUNKED}1;="\r\na\r\n0\r\n\r\n`,
      codes: CHUNK_CODES,
      holds: ({ message, text }) => isChunked(message) && /\r\n[0-9a-f]+;[^\r\n]*\r\n/i.test(text),
    }),
    laxer({
      name: 'laxer: framing fields in a trailer',
      reason: 'RFC 9110 section 6.5.1: they mean nothing there, and are not passed on.',
      example: `${head}${CHUNKED}0\r\nContent-Length: 5\r\n\r\n`,
      codes: FRAMING_CODES,
      holds: ({ message: { trailers } }) =>
        hasField(trailers, 'content-length') || hasField(trailers, 'transfer-encoding'),
    }),
    laxer({
      name: 'laxer: a tab around the value of a framing field',
      reason: 'White space around a value is spaces and tabs (RFC 9110 section 5.5); it is not passed on.',
      example: `${head}Content-Length: 0\t\r\n\r\n`,
      fixedIn: '9.4',
      codes: FRAMING_CODES,
      holds: (taken) => TAB_AROUND_FRAMING.test(taken.head),
    }),
    {
      name: 'later: what is refused only once it is whole',
      reason:
        'llhttp looks at each byte; Sluice waits for the end of the line or the head, having passed on nothing.',
      example: `${head}Content-Length: x`,
      explains: ({ sluice, llhttp, at }) =>
        sluice.end === 'unfinished' &&
        sluice.messages.length === at &&
        llhttp.end === 'malformed' &&
        !isWholeAt(llhttp, at),
    },
  ];
}

function isChunked({ fields }: Message): boolean {
  return fields.some(([name, value]) => /^transfer-encoding$/i.test(name) && /^chunked$/i.test(value));
}

function hasField(fields: Fields, lowerName: string): boolean {
  return fields.some(([name]) => name.toLowerCase() === lowerName);
}
