/*
 * What a `server {}` says of TLS, as connections go by it.
 */
import { createHash } from 'node:crypto';
import { finding } from '../../../conf/diagnostics/catalogue.js';
import type { Scope } from '../../../conf/schema/scope.js';
import type { Directive } from '../../../conf/syntax/ast.js';
import { SESSIONS_PER_MEGABYTE, SessionCache } from '../../../net/tls/session-cache.js';
import { VerifyMode } from '../../../request/client-tls.js';
import type { ServerTls } from '../../../request/virtual-server.js';
import { secretBytes, secretOf } from '../../../zones/shared-secret.js';
import { BuildKey, type HttpBuild } from '../../module.js';
import { buildTlsContext, readTlsOptions } from '../../tls/context-builder.js';
import * as ssl from './directives.js';

const MODES: Readonly<Record<string, number>> = {
  off: VerifyMode.off,
  on: VerifyMode.on,
  optional: VerifyMode.optional,
  optional_no_ca: VerifyMode.optionalNoCa,
};

const TICKET_KEY_BYTES = 48;
const LONG_TICKET_KEY_BYTES = 80;

/** Of a server; what is wrong is reported. */
export function serverTls(scope: Scope, build: HttpBuild): ServerTls {
  warnOfWhatIsToCome(scope, build);
  const [verify] = scope.value(ssl.sslVerifyClient);
  const [hasTickets] = scope.value(ssl.sslSessionTickets);
  const [sessionTimeoutMs] = scope.value(ssl.sslSessionTimeout);
  return {
    context: hasWhatItNeeds(scope, build) ? buildContext(scope, build, hasTickets, sessionTimeoutMs) : null,
    rejectsHandshakes: scope.value(ssl.sslRejectHandshake)[0],
    verifies: MODES[verify]!,
    verifyDepth: scope.value(ssl.sslVerifyDepth)[0],
    far: new Set(),
    sessions: hasTickets ? null : sessionCache(scope, build),
    sessionTimeoutMs,
  };
}

/** Whether the server has a certificate, and with it all that goes with one. */
function hasWhatItNeeds(scope: Scope, build: HttpBuild): boolean {
  const certificates = scope.all(ssl.sslCertificate);
  const keys = scope.all(ssl.sslCertificateKey);
  const [first] = certificates;
  if (first === undefined) return false;
  for (const { node } of [...certificates, ...keys]) {
    if (!node.args[0]!.text.includes('$')) continue;
    const message = `Cannot use "${node.args[0]!.text}": certificates with variables in their names are not supported yet`;
    build.report(node, finding('ssl-variables', message, 'name the file, in a server for each name'));
    return false;
  }
  if (keys.length < certificates.length) {
    const { node } = certificates[keys.length]!;
    const name = node.args[0]!.text;
    const nginxText =
      keys.length === 0
        ? 'no "ssl_certificate_key" is defined for the "ssl_certificate" directive'
        : `no "ssl_certificate_key" is defined for certificate "${name}" and the "ssl_certificate" directive`;
    const message = `certificate "${name}" has no ssl_certificate_key`;
    build.report(node, finding('ssl-key', message, 'name its key by ssl_certificate_key', nginxText));
    return false;
  }
  const mode = scope.find(ssl.sslVerifyClient);
  const isTrusting =
    scope.find(ssl.sslClientCertificate) !== null || scope.find(ssl.sslTrustedCertificate) !== null;
  if (mode !== null && mode.values[0] !== 'off' && mode.values[0] !== 'optional_no_ca' && !isTrusting) {
    const nginxText = 'no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client';
    const message = '"ssl_verify_client" needs to know whom to trust';
    build.report(mode.node, finding('ssl-trust', message, 'add ssl_client_certificate FILE;', nginxText));
    return false;
  }
  return true;
}

function buildContext(scope: Scope, build: HttpBuild, hasTickets: boolean, sessionTimeoutMs: number) {
  const certificates = scope.all(ssl.sslCertificate);
  const places = [scope.find(ssl.sslClientCertificate), scope.find(ssl.sslTrustedCertificate)];
  const directives = {
    certificates,
    keys: scope.all(ssl.sslCertificateKey),
    passwordFile: scope.find(ssl.sslPasswordFile),
    protocols: scope.value(ssl.sslProtocols),
    protocolsAt: scope.find(ssl.sslProtocols),
    ciphers: scope.value(ssl.sslCiphers)[0],
    ciphersAt: scope.find(ssl.sslCiphers),
    curves: scope.value(ssl.sslEcdhCurve)[0],
    curvesAt: scope.find(ssl.sslEcdhCurve),
    authorities: places.filter((place) => place !== null),
    crl: scope.find(ssl.sslCrl),
    dhParameters: scope.find(ssl.sslDhparam),
    commands: scope.all(ssl.sslConfCommand),
    server: {
      prefersOwnCiphers: scope.value(ssl.sslPreferServerCiphers)[0],
      hasTickets,
      ticketKey: ticketKey(scope, build),
      sessionTimeoutMs,
      asksForCertificates: scope.value(ssl.sslVerifyClient)[0] !== 'off',
    },
  };
  const options = readTlsOptions(directives, build);
  return options === null ? null : buildTlsContext(directives, options, certificates[0]!.node, build);
}

/** Node takes 48 bytes; nginx's longer ones are made that long. Without a file all workers have one key of chance. */
function ticketKey(scope: Scope, build: HttpBuild): Buffer | null {
  const [first] = scope.all(ssl.sslSessionTicketKey);
  if (first === undefined)
    return secretOf(build.cycleMemory('tls', 'ticket key', secretBytes(TICKET_KEY_BYTES)), TICKET_KEY_BYTES);
  const path = build.resolvePath(first.values[0], 'conf');
  let problem: string;
  try {
    const bytes = Buffer.from(build.readFile(path), 'latin1');
    if (bytes.length === TICKET_KEY_BYTES) return bytes;
    if (bytes.length === LONG_TICKET_KEY_BYTES) return createHash('sha384').update(bytes).digest();
    problem = `it has ${bytes.length} bytes`;
  } catch (error) {
    problem = (error as Error).message;
  }
  const message = `Cannot use ticket key "${path}": ${problem}`;
  const nginxText = `"${path}" must be 48 or 80 bytes`;
  build.report(first.node, finding('ssl-ticket-key', message, 'make one: openssl rand 80 > FILE', nginxText));
  return null;
}

function sessionCache(scope: Scope, build: HttpBuild): SessionCache | null {
  const places = scope.value(ssl.sslSessionCache);
  const shared = places.find((place) => place.kind === 'shared');
  if (shared?.kind === 'shared') {
    const limit = Math.max(1, Math.floor((shared.bytes / 1_048_576) * SESSIONS_PER_MEGABYTE));
    return build.carried('tls sessions', `${shared.name} ${limit}`, () => new SessionCache(limit));
  }
  const own = places.find((place) => place.kind === 'builtin');
  return own?.kind === 'builtin' ? new SessionCache(own.count) : null;
}

const TOLD = new BuildKey('what is to come', () => new Set<string>());

/** Says once what can't be had yet, where the configuration works without it; else it is an error. */
function warnOfWhatIsToCome(scope: Scope, build: HttpBuild): void {
  const stapling = scope.find(ssl.sslStapling);
  if (stapling?.values[0] === true) {
    const message = '"ssl_stapling" is not supported yet: clients ask the authority themselves';
    warnOnce('ssl_stapling', message, stapling.node, build);
  }
  const http2 = scope.find(ssl.http2);
  if (http2?.values[0] === true) warnOfHttp2(http2.node, build);
  const early = scope.find(ssl.sslEarlyData);
  if (early?.values[0] === true) {
    const message = '"ssl_early_data" is not supported: Node takes no early data';
    build.report(
      early.node,
      finding('ssl-early-data', message, 'leave it out, or write: ssl_early_data off;'),
    );
  }
  const ocsp = scope.find(ssl.sslOcsp);
  if (ocsp === null || ocsp.values[0] === 'off') return;
  const message = '"ssl_ocsp" is not supported yet: revoked certificates would pass';
  build.report(ocsp.node, finding('ssl-ocsp', message, 'use ssl_crl, or write: ssl_ocsp off;'));
}

/** HTTP/2 is asked for: said once a configuration. */
export function warnOfHttp2(at: Directive, build: HttpBuild): void {
  warnOnce('http2', 'HTTP/2 is not supported yet: HTTP/1.1 is offered instead', at, build);
}

function warnOnce(what: string, message: string, at: Directive, build: HttpBuild): void {
  const told = build.shared(TOLD);
  if (told.has(what)) return;
  told.add(what);
  build.report(at, { ...finding('to-come', message, null), severity: 'warning' });
}
