/*
 * Variables of nginx's http ssl module: what was agreed upon with the client, and its certificate.
 */
import type { X509Certificate } from 'node:crypto';
import type { ClientTls } from '../../../request/client-tls.js';
import { VerifyMode } from '../../../request/client-tls.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { escapeUri } from '../../../request/uri-escape.js';
import type { VariableTable } from '../../../variables/variable-table.js';
import { legacyName, rfc2253Name } from './distinguished-name.js';
import { cipherName, groupName } from './hello-names.js';

const MS_PER_DAY = 86_400_000;

/** Of the connection, read once a request. */
const OF_CONNECTION: Readonly<Record<string, (tls: ClientTls) => string | null>> = {
  protocol: ({ socket }) => socket.getProtocol(),
  cipher: ({ socket }) => socket.getCipher()?.name ?? null,
  ciphers: ({ hello }) =>
    hello.ciphers
      .map(cipherName)
      .filter((name) => name !== '')
      .join(':'),
  curves: ({ hello }) =>
    hello.groups
      .map(groupName)
      .filter((name) => name !== '')
      .join(':'),
  // differs from nginx: Node tells a server neither of these.
  curve: () => null,
  sigalg: () => null,
  client_sigalg: () => null,
  server_name: ({ hello }) => hello.serverName || null,
  alpn_protocol: ({ socket }) => socket.alpnProtocol || null,
  session_id: ({ socket }) => sessionId(socket.getSession()),
  session_reused: ({ socket }) => (socket.isSessionReused() ? 'r' : '.'),
  early_data: () => null,
};

/** Of the client's certificate. */
const OF_CERTIFICATE: Readonly<Record<string, (certificate: X509Certificate) => string | null>> = {
  raw_cert: pemOf,
  cert: (certificate) => pemOf(certificate).replaceAll('\n', '\n\t'),
  escaped_cert: (certificate) => escapeUri(pemOf(certificate), 'component'),
  fingerprint: ({ fingerprint }) => fingerprint.replaceAll(':', '').toLowerCase(),
  s_dn: ({ subject }) => rfc2253Name(subject),
  i_dn: ({ issuer }) => rfc2253Name(issuer),
  s_dn_legacy: ({ subject }) => legacyName(subject),
  i_dn_legacy: ({ issuer }) => legacyName(issuer),
  serial: ({ serialNumber }) => serialNumber,
  v_start: ({ validFrom }) => validFrom,
  v_end: ({ validTo }) => validTo,
  v_remain: ({ validTo }) => String(Math.max(0, Math.floor((Date.parse(validTo) - Date.now()) / MS_PER_DAY))),
};

/** $ssl_protocol, $ssl_client_s_dn ... */
export function addSslVariables(table: VariableTable<HttpRequest>): void {
  for (const [name, get] of Object.entries(OF_CONNECTION)) {
    const read = ({ client }: HttpRequest) => (client.tls === null ? null : get(client.tls));
    table.define({ name: `ssl_${name}`, get: read });
  }
  for (const [name, get] of Object.entries(OF_CERTIFICATE)) {
    const read = ({ client }: HttpRequest) => {
      const certificate = client.tls?.certificate ?? null;
      return certificate === null ? null : get(certificate);
    };
    table.define({ name: `ssl_client_${name}`, get: read });
  }
  table.define({ name: 'ssl_client_verify', get: verification });
}

function verification({ client: { tls }, server }: HttpRequest): string | null {
  if (tls === null) return null;
  if (server.tls.verifies === VerifyMode.off || tls.certificate === null) return 'NONE';
  const { flaw } = tls;
  return flaw === null ? 'SUCCESS' : `FAILED:${flaw.reason}`;
}

/** Without the line end behind it. */
function pemOf(certificate: X509Certificate): string {
  return certificate.toString().trimEnd();
}

/** Out of the DER that OpenSSL writes a session as: the second OCTET STRING of a SEQUENCE. */
function sessionId(session: Buffer | undefined): string | null {
  if (session === undefined) return null;
  let at = contentAt(session, 0);
  // Version, version of TLS, cipher.
  for (let i = 0; i < 3; i++) at = contentAt(session, at) + lengthAt(session, at);
  const start = contentAt(session, at);
  return session.toString('hex', start, start + lengthAt(session, at)) || null;
}

function lengthAt(der: Buffer, at: number): number {
  const first = der[at + 1] ?? 0;
  return first < 0x80 ? first : der.readUIntBE(at + 2, first & 0x7f);
}

function contentAt(der: Buffer, at: number): number {
  const first = der[at + 1] ?? 0;
  return at + 2 + (first < 0x80 ? 0 : first & 0x7f);
}
