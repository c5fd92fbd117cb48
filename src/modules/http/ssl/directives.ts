/*
 * The directives of nginx's http ssl module, as data, and `http2`, which is taken and not followed yet.
 */
import { rest } from '../../../conf/schema/arguments.js';
import { lineDirectives } from '../../../conf/schema/definition.js';
import { flag } from '../../../conf/values/flag.js';
import { keyword } from '../../../conf/values/keyword.js';
import { number } from '../../../conf/values/number.js';
import { oneOf } from '../../../conf/values/one-of.js';
import { size } from '../../../conf/values/size.js';
import { text } from '../../../conf/values/text.js';
import { timeMs } from '../../../conf/values/time.js';
import { Refusal, type ValueType } from '../../../conf/values/value-type.js';
import { zoneSize } from '../../../conf/values/zone.js';
import { TLS_PROTOCOLS } from '../../../net/tls/tls-context.js';

const simple = lineDirectives(['http', 'server']);

const MANY = { isRepeatable: true } as const;
const IDLE = { effect: 'none' } as const;

/** Where sessions are kept. */
export type SessionCachePlace =
  | { readonly kind: 'off' | 'none' }
  | { readonly kind: 'builtin'; readonly count: number }
  | { readonly kind: 'shared'; readonly name: string; readonly bytes: number };

/** What nginx keeps of its own unless told otherwise. */
const BUILTIN_COUNT = 20_480;

const sharedZone: ValueType<SessionCachePlace> = {
  label: 'shared:name:size',
  parse(value) {
    const invalid = (reason: string) =>
      new Refusal(`Cannot take "${value}": ${reason}`, () => `invalid session cache "${value}"`);
    if (!value.startsWith('shared:')) return invalid('use off, none, builtin[:count] or shared:name:size');
    const zone = zoneSize.parse(value.slice('shared:'.length));
    if (zone instanceof Refusal) return invalid(zone.message);
    return zone.name === '' ? invalid('the zone has no name') : { kind: 'shared', ...zone };
  },
};

const builtin: ValueType<SessionCachePlace> = {
  label: 'builtin[:count]',
  parse(value) {
    if (value === 'builtin') return { kind: 'builtin', count: BUILTIN_COUNT };
    const count = /^builtin:([1-9]\d{0,8})$/.exec(value)?.[1];
    return count === undefined ? new Refusal('') : { kind: 'builtin', count: Number(count) };
  },
};

const noCache: ValueType<SessionCachePlace> = {
  label: 'off | none',
  parse: (value) => (value === 'off' || value === 'none' ? { kind: value } : new Refusal('')),
};

// --- certificates -------------------------------------------------------------------------------------

export const sslCertificate = simple(
  'ssl_certificate',
  'file',
  [text('file')],
  null,
  "The server's certificate and those that vouch for it, in a PEM file; one for each kind of key.",
  { ...MANY, differs: 'The name of the file cannot have variables.' },
);
export const sslCertificateKey = simple(
  'ssl_certificate_key',
  'file',
  [text('file')],
  null,
  'The key of the certificate that is named at the same place, in a PEM file.',
  { ...MANY, differs: 'The name of the file cannot have variables, and OpenSSL engines cannot be used.' },
);
const sslCertificateCache = simple(
  'ssl_certificate_cache',
  'off | max=N [inactive=time] [valid=time]',
  [rest(text('parameter'), 1)],
  'off',
  'Keeps certificates whose names have variables; nothing here.',
  { ...IDLE, counts: [1, 2, 3] },
);
const sslCertificateCompression = simple(
  'ssl_certificate_compression',
  'on | off',
  [flag],
  'off',
  'Whether certificates are sent compressed; they are not here.',
  IDLE,
);
export const sslPasswordFile = simple(
  'ssl_password_file',
  'file',
  [text('file')],
  null,
  'A file with the passwords of keys, one a line; each is tried.',
);
export const sslRejectHandshake = simple(
  'ssl_reject_handshake',
  'on | off',
  [flag],
  'off',
  'Whether clients that name this server get no connection.',
);

// --- what is agreed upon ------------------------------------------------------------------------------

export const sslProtocols = simple(
  'ssl_protocols',
  '[SSLv2] [SSLv3] [TLSv1] [TLSv1.1] [TLSv1.2] [TLSv1.3]',
  [rest(keyword(...TLS_PROTOCOLS), 1)],
  'TLSv1.2 TLSv1.3',
  'The protocols that are offered.',
);
export const sslCiphers = simple(
  'ssl_ciphers',
  'ciphers',
  [text('ciphers')],
  'HIGH:!aNULL:!MD5',
  'The ciphers that are offered, as OpenSSL lists them.',
);
export const sslPreferServerCiphers = simple(
  'ssl_prefer_server_ciphers',
  'on | off',
  [flag],
  'off',
  "Whether the order of ssl_ciphers goes before the client's.",
);
export const sslEcdhCurve = simple(
  'ssl_ecdh_curve',
  'curve',
  [text('curve')],
  'auto',
  'The groups for keys of a session, by preference and with colons between them.',
);
export const sslDhparam = simple(
  'ssl_dhparam',
  'file',
  [text('file')],
  null,
  'A PEM file with parameters for DHE ciphers; without it there are none of these.',
);
export const sslConfCommand = simple(
  'ssl_conf_command',
  'name value',
  [text('name'), text('value')],
  null,
  'A setting of OpenSSL by its own name.',
  {
    ...MANY,
    differs:
      'Node lets through Ciphersuites, CipherString, MinProtocol, MaxProtocol, Groups, SignatureAlgorithms and some Options.',
  },
);
const sslBufferSize = simple(
  'ssl_buffer_size',
  'size',
  [size],
  '16k',
  'How much is sent at once; here it is always a TLS record of 16k.',
  IDLE,
);
export const sslEarlyData = simple(
  'ssl_early_data',
  'on | off',
  [flag],
  'off',
  'Whether requests may come before the handshake is over; only off is supported.',
);
const sslEchFile = simple(
  'ssl_ech_file',
  'file',
  [text('file')],
  null,
  'Keys for encrypted hellos, which Node does not know; nothing here.',
  { ...MANY, ...IDLE },
);
export const http2 = simple(
  'http2',
  'on | off',
  [flag],
  'off',
  'Whether HTTP/2 is spoken; it is not yet, and HTTP/1.1 is offered instead.',
  IDLE,
);

// --- sessions -----------------------------------------------------------------------------------------

export const sslSessionCache = simple(
  'ssl_session_cache',
  'off | none | [builtin[:size]] [shared:name:size]',
  [rest(oneOf(noCache, builtin, sharedZone), 1)],
  'none',
  'Where sessions are kept that clients may go on with.',
  {
    counts: [1, 2],
    differs: 'It is used where ssl_session_tickets is off; tickets need none.',
  },
);
export const sslSessionTimeout = simple(
  'ssl_session_timeout',
  'time',
  [timeMs],
  '5m',
  'For how long a client may go on with a session.',
);
export const sslSessionTickets = simple(
  'ssl_session_tickets',
  'on | off',
  [flag],
  'on',
  'Whether clients keep their sessions themselves, in tickets.',
);
export const sslSessionTicketKey = simple(
  'ssl_session_ticket_key',
  'file',
  [text('file')],
  null,
  'A file of 48 or 80 bytes that tickets are encrypted by; without it a key of chance is.',
  { ...MANY, differs: 'Of several only the first is used.' },
);

// --- clients' certificates ----------------------------------------------------------------------------

export const sslVerifyClient = simple(
  'ssl_verify_client',
  'on | off | optional | optional_no_ca',
  [keyword('on', 'off', 'optional', 'optional_no_ca')],
  'off',
  'Whether clients are asked for certificates.',
);
export const sslVerifyDepth = simple(
  'ssl_verify_depth',
  'number',
  [number()],
  '1',
  "How many authorities may stand between a client's certificate and a trusted one.",
);
export const sslClientCertificate = simple(
  'ssl_client_certificate',
  'file',
  [text('file')],
  null,
  "The authorities that vouch for clients' certificates, in a PEM file; clients are told of them.",
);
export const sslTrustedCertificate = simple(
  'ssl_trusted_certificate',
  'file',
  [text('file')],
  null,
  "More authorities that vouch for clients' certificates, in a PEM file.",
  { differs: 'Clients are told of these too.' },
);
export const sslCrl = simple(
  'ssl_crl',
  'file',
  [text('file')],
  null,
  "A PEM file with revoked certificates, for clients'.",
);
export const sslOcsp = simple(
  'ssl_ocsp',
  'on | off | leaf',
  [keyword('on', 'off', 'leaf')],
  'off',
  "Whether authorities are asked about clients' certificates; only off is supported.",
);
const sslOcspResponder = simple(
  'ssl_ocsp_responder',
  'url',
  [text('url')],
  null,
  'Who is asked; nothing here.',
  IDLE,
);
const sslOcspCache = simple(
  'ssl_ocsp_cache',
  'off | shared:name:size',
  [text('off | shared:name:size')],
  'off',
  'Where answers of authorities are kept; nothing here.',
  IDLE,
);
export const sslStapling = simple(
  'ssl_stapling',
  'on | off',
  [flag],
  'off',
  'Whether clients get the word of the authority that the certificate holds; they do not yet.',
  IDLE,
);
const sslStaplingFile = simple(
  'ssl_stapling_file',
  'file',
  [text('file')],
  null,
  'That word, from a file; nothing here.',
  IDLE,
);
const sslStaplingResponder = simple(
  'ssl_stapling_responder',
  'url',
  [text('url')],
  null,
  'Who is asked for it; nothing here.',
  IDLE,
);
const sslStaplingVerify = simple(
  'ssl_stapling_verify',
  'on | off',
  [flag],
  'off',
  'Whether it is checked; nothing here.',
  IDLE,
);

/** All of them. */
export const SSL_DIRECTIVES = [
  sslCertificate,
  sslCertificateKey,
  sslCertificateCache,
  sslCertificateCompression,
  sslPasswordFile,
  sslRejectHandshake,
  sslProtocols,
  sslCiphers,
  sslPreferServerCiphers,
  sslEcdhCurve,
  sslDhparam,
  sslConfCommand,
  sslBufferSize,
  sslEarlyData,
  sslEchFile,
  http2,
  sslSessionCache,
  sslSessionTimeout,
  sslSessionTickets,
  sslSessionTicketKey,
  sslVerifyClient,
  sslVerifyDepth,
  sslClientCertificate,
  sslTrustedCertificate,
  sslCrl,
  sslOcsp,
  sslOcspResponder,
  sslOcspCache,
  sslStapling,
  sslStaplingFile,
  sslStaplingResponder,
  sslStaplingVerify,
] as const;
