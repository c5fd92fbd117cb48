/*
 * 437 malformed and tricky requests of other projects' test suites against a running proxy, judged by the
 * four rules that came with them. The data lies beside the checkout, not in it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { startProxy } from '../src/index.js';
import { RecordingOrigin } from './recording-origin.js';

const CORPUS = new URL('../../shared/http1-corpus/requests.json', import.meta.url);

interface CorpusCase {
  readonly id: string;
  /** base64 of the bytes on the connection. */
  readonly payload: string;
  readonly expect: 'accept' | 'reject' | 'timeout' | 'either';
  /** The label, and at least three of nginx, HAProxy, Caddy and Node, agree. */
  readonly agreed: boolean;
}

/** What became of one case. */
interface Outcome {
  /** Final statuses the client got. */
  readonly statuses: readonly number[];
  /** Requests that the origin got whole. */
  readonly requestCount: number;
  /** Whether the origin got any byte. */
  readonly isOriginReached: boolean;
  /** What was ambiguous in what the origin got. */
  readonly offence: string | null;
  readonly isAlive: boolean;
}

/**
 * Every case whose label Sluice misses, by reason: where a label is stricter or laxer than the RFCs or nginx
 * and what reaches the origin is unambiguous either way.
 */
const EXCEPTIONS: { reason: string; cases: string[] }[] = [
  {
    reason:
      'The body never ends. Its head was streamed to the origin, which gets no whole request; the client gets 408.',
    cases: [
      'llhttp/invalid-06',
      'llhttp/invalid-09',
      'gunicorn/invalid-rfc9112_chunked_missing_final_crlf_01',
      'gunicorn/valid-099',
    ],
  },
  {
    reason: 'Stricter than the label: the asterisk-form is for OPTIONS only (RFC 9112 section 3.2.4).',
    cases: ['llhttp/method-05'],
  },
  {
    reason: 'Lax like nginx: LF alone ends a line of a head (RFC 9112 section 2.2); the origin gets CRLF.',
    cases: ['llhttp/invalid-17', 'apache-strict/002'],
  },
  {
    reason: 'Lax like nginx: any method that is a token is passed on (nginx is content with capitals).',
    cases: ['llhttp/invalid-04', 'apache-strict/003', 'lighttpd/50'],
  },
  {
    reason: 'A whole request is served; what follows it is refused, or not read since the connection ends.',
    cases: ['llhttp/connection-03', 'llhttp/connection-04', 'llhttp/connection-12', 'llhttp/connection-13'],
  },
  {
    reason: 'Lax like nginx: an extension without a name is passed over, as no extension is passed on.',
    cases: ['llhttp/transfer-encoding-09'],
  },
  {
    reason: 'Trailer fields that frame or route are dropped, the rest of the request is served.',
    cases: [
      'gunicorn/invalid-rfc9110_trailer_forbidden_cl_01',
      'gunicorn/invalid-rfc9110_trailer_forbidden_host_01',
      'gunicorn/invalid-rfc9110_trailer_forbidden_te_01',
    ],
  },
  {
    reason: "Within the limits of Sluice, which are nginx's: 8 KB a line, 32 KB a head, 1000 lines.",
    cases: ['gunicorn/invalid-006', 'gunicorn/invalid-008', 'gunicorn/invalid-009'],
  },
  {
    reason: 'Lax like nginx: fields that neither frame nor route may stand twice.',
    cases: ['gunicorn/invalid-041', 'lighttpd/59', 'lighttpd/66', 'lighttpd/74'],
  },
  {
    reason:
      'Lax like nginx: Host need not be a name or address that exists, if its characters may stand there.',
    cases: [
      'apache-strict/044',
      'apache-strict/045',
      'apache-strict/047',
      'apache-strict/048',
      'apache-strict/060',
      'lighttpd/24',
      'lighttpd/26',
      'lighttpd/33',
      'lighttpd/35',
      'lighttpd/36',
    ],
  },
  {
    reason: 'Lax like nginx: a fragment in the target is dropped, so the origin never sees it.',
    cases: ['llhttp/uri-07'],
  },
  {
    reason: 'User information in the target is left out of Host (RFC 9110 section 4.2.4).',
    cases: ['apache-strict/055'],
  },
  {
    reason:
      'The authority of the target goes before Host (RFC 9112 section 3.2.2): the origin sees that one only.',
    cases: ['lighttpd/72'],
  },
  {
    reason: 'HTTP/1.1 without Host is answered 400, also when the target is absolute (RFC 9112 section 3.2).',
    cases: ['lighttpd/70'],
  },
  {
    reason: 'Lax like nginx: GET and HEAD may have a body, POST need not; framing says so without doubt.',
    cases: ['lighttpd/56', 'lighttpd/67', 'lighttpd/68'],
  },
  {
    reason: 'The label says how one server was configured: a field or a version it takes offence at.',
    cases: ['apache-strict/014', 'apache-strict/080'],
  },
  {
    reason: 'Stricter than the label: of transfer codings only chunked is known, the others get 501.',
    cases: [
      'gunicorn/valid-rfc9112_smuggle_gzip_chunked_01',
      'gunicorn/valid-rfc9112_smuggle_te_identity_chunked_01',
    ],
  },
  {
    reason: 'Stricter than the label: no tunnels to anywhere, CONNECT gets 405.',
    cases: [
      'gunicorn/valid-rfc9112_target_authority_connect_01',
      'gunicorn/valid-rfc9112_target_authority_ipv6_01',
    ],
  },
  {
    reason: 'Stricter than the label, like nginx: no folded lines (RFC 9112 section 5.2).',
    cases: ['lighttpd/44', 'lighttpd/45', 'lighttpd/46', 'lighttpd/55'],
  },
];

/** How long the proxy waits for what an unfinished request leaves open. */
const LIMIT_MS = 400;
const AT_A_TIME = 40;

const GOOD_REQUEST = 'GET /alive HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

/** Sends bytes, then only listens, until the proxy has ended its side. */
function converse(port: number, payload: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(payload));
    socket.setTimeout(10_000, () => reject(new Error(`no end after ${JSON.stringify(text)}`)));
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
    });
    socket.on('end', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(text));
  });
}

/** The statuses of a row of responses, interim ones left out; each has Content-Length or no body. */
function readStatuses(text: string): number[] {
  const statuses: number[] = [];
  for (let rest = text; rest !== ''; ) {
    const head = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n((?:[!-9;-~]+:[^\r\n]*\r\n)*)\r\n/.exec(rest);
    if (head === null) throw new Error(`no response: ${JSON.stringify(rest)}`);
    const status = Number(head[1]);
    if (status >= 200) statuses.push(status);
    const length = Number(/^content-length: *(\d+)/im.exec(head[2]!)?.[1] ?? 0);
    rest = rest.slice(head[0].length + length);
  }
  return statuses;
}

/** Runs one case against a proxy and an origin of its own. */
async function runCase({ payload }: CorpusCase): Promise<Outcome> {
  const origin = new RecordingOrigin();
  const originPort = await origin.listen();
  const proxy = await startProxy({
    listen: [{ host: '127.0.0.1', port: 0, path: null }],
    peers: [{ address: { host: '127.0.0.1', port: originPort, path: null } }],
    timeouts: { clientHeaderMs: LIMIT_MS, clientBodyMs: LIMIT_MS, keepaliveMs: LIMIT_MS },
    errorLog: 'off',
  });
  const { port } = proxy.addresses[0]!;
  const statuses = readStatuses(await converse(port, Buffer.from(payload, 'base64')));
  const { requestCount } = origin;
  const after = await converse(port, Buffer.from(GOOD_REQUEST));
  await proxy.stop();
  await origin.close();
  return {
    statuses,
    requestCount,
    isOriginReached: origin.connections.some(({ text }) => !text.startsWith('GET /alive')),
    offence: origin.offence,
    isAlive: after.startsWith('HTTP/1.1 200 '),
  };
}

/** Rule 1: what the label promises. */
function meetsLabel({ expect: label }: CorpusCase, outcome: Outcome): boolean {
  const { statuses, isOriginReached, requestCount } = outcome;
  switch (label) {
    case 'accept':
      return statuses[0] === 200;
    case 'reject':
      return !isOriginReached && statuses.every((status) => status >= 400);
    case 'timeout':
      return requestCount === 0 && statuses.every((status) => status === 408);
    default:
      return true;
  }
}

const cases: CorpusCase[] = existsSync(CORPUS) ? JSON.parse(readFileSync(CORPUS, 'utf8')) : [];
if (cases.length === 0) console.warn(`HTTP/1 corpus: skipped, there is no ${fileURLToPath(CORPUS)}`);

describe.skipIf(cases.length === 0)('A proxy that gets the HTTP/1 corpus', () => {
  const outcomes = new Map<CorpusCase, Outcome>();

  beforeAll(async () => {
    const waiting = [...cases];
    const work = async () => {
      for (let each = waiting.pop(); each !== undefined; each = waiting.pop()) {
        outcomes.set(each, await runCase(each));
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
  });

  /** The ids of the cases for which something holds. */
  function idsOf(holds: (each: CorpusCase, outcome: Outcome) => boolean): string[] {
    return cases.filter((each) => holds(each, outcomes.get(each)!)).map(({ id }) => id);
  }

  it('meets the label of at least 240 of the 251 agreed cases', () => {
    const agreed = cases.filter(({ agreed }) => agreed).length;
    const met = idsOf((each, outcome) => each.agreed && meetsLabel(each, outcome)).length;
    const missed = idsOf((each, outcome) => !meetsLabel(each, outcome)).length;
    console.log(
      `HTTP/1 corpus: ${met} of ${agreed} agreed labels met, ${missed} of all ${cases.length} missed`,
    );
    expect(agreed).toBe(251);
    expect(met).toBeGreaterThanOrEqual(240);
  });

  it('misses those labels that the table of exceptions gives a reason for, and no others', () => {
    const missed = idsOf((each, outcome) => !meetsLabel(each, outcome));
    expect(missed.sort()).toEqual(EXCEPTIONS.flatMap((each) => each.cases).sort());
  });

  it('sends the origin nothing ambiguous', () => {
    expect(idsOf((_, { offence }) => offence !== null)).toEqual([]);
  });

  it('lets no request reach the origin that its client gets no answer to', () => {
    const isSmuggled = ({ requestCount, statuses }: Outcome) =>
      requestCount > statuses.filter((status) => status === 200).length;
    expect(idsOf((_, outcome) => isSmuggled(outcome))).toEqual([]);
  });

  it('still serves after each of them', () => {
    expect(idsOf((_, { isAlive }) => !isAlive)).toEqual([]);
  });
});
