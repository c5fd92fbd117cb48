/*
 * TLS with a client: which virtual server's certificates and rules it gets, and what becomes of its requests if it has not
 * the certificate that it needs. How handshakes work is net/'s business.
 */
import type { X509Certificate } from 'node:crypto';
import type { Clock } from '../core/clock.js';
import type { Connection } from '../net/connection.js';
import type { ClientHello } from '../net/tls/client-hello.js';
import { type CertificateFlaw, findFlaw, TOO_LONG } from '../net/tls/peer-certificate.js';
import type { SecureSocket } from '../net/tls/secure-socket.js';
import { sessionServer } from '../net/tls/session-cache.js';
import { logErrorOf } from './error-line.js';
import type { HttpRequest } from './http-request.js';
import type { RequestRegex } from './request-regex.js';
import { ServerMatch } from './server-names.js';
import type { ListenPoint, ServerTls, VirtualServer } from './virtual-server.js';

/** Whether a server wants a certificate of its clients (nginx: ssl_verify_client). */
export const VerifyMode = {
  off: 0,
  on: 1,
  optional: 2,
  /** One from whomever. */
  optionalNoCa: 3,
} as const;

/** What is offered in ALPN, as by nginx where HTTP/2 is off. */
const PROTOCOLS = ['http/1.1', 'http/1.0', 'http/0.9'];

/** The alert unrecognized_name, fatal (RFC 8446 section 6). */
const UNRECOGNIZED_NAME = Buffer.from([21, 3, 3, 0, 2, 2, 112]);

const MISDIRECTED = 421;
const BAD_CERTIFICATE = 495;
const NO_CERTIFICATE = 496;
const PLAIN_REQUEST = 497;

const serverMatch = new ServerMatch<VirtualServer, RequestRegex>();

/** A client's TLS, once it is agreed upon. */
export class ClientTls {
  readonly hello: ClientHello;
  readonly socket: SecureSocket;
  /** The one whose name the client gave for the handshake, or its address's default. */
  private readonly server: VirtualServer;
  /** The client's; null for none. */
  readonly certificate: X509Certificate | null;
  /** What is wrong with that; null for nothing, and for none. */
  readonly flaw: CertificateFlaw | null;
  /** When the ClientHello was there, and when both sides agreed. */
  readonly startedMs: number;
  readonly agreedMs: number;

  constructor(
    hello: ClientHello,
    socket: SecureSocket,
    server: VirtualServer,
    startedMs: number,
    agreedMs: number,
  ) {
    this.hello = hello;
    this.socket = socket;
    this.server = server;
    this.startedMs = startedMs;
    this.agreedMs = agreedMs;
    const { verifies, verifyDepth, far } = server.tls;
    const isAsked = verifies !== VerifyMode.off;
    const flaw = isAsked ? findFlaw(socket, verifyDepth) : null;
    this.certificate = isAsked ? (socket.getPeerX509Certificate() ?? null) : null;
    this.flaw = this.certificate === null ? null : withMemory(flaw, this.certificate, socket, far);
  }

  /** 0 if a request may be served by the server that it names; else the status to answer with. */
  judge(request: HttpRequest): number {
    const { verifies } = request.server.tls;
    if (verifies === VerifyMode.off) return 0;
    if (this.hello.serverName !== '' && request.server !== this.server) {
      const what = 'client attempted to request the server name different from the one that was negotiated';
      logErrorOf(request, 'info', what);
      return MISDIRECTED;
    }
    const { flaw } = this;
    if (flaw !== null && !(verifies === VerifyMode.optionalNoCa && flaw.isAboutIssuer)) {
      logErrorOf(request, 'info', `client SSL certificate verify error: (${flaw.number}:${flaw.reason})`);
      return BAD_CERTIFICATE;
    }
    if (verifies !== VerifyMode.on || this.certificate !== null) return 0;
    logErrorOf(request, 'info', 'client sent no required SSL certificate');
    return NO_CERTIFICATE;
  }
}

/** Certificates that are remembered as too far away at most; a client has one. */
const MAX_FAR = 10_000;

/** security: a session does not say how far away its certificate was, so going on with one would let it pass. */
function withMemory(
  flaw: CertificateFlaw | null,
  { fingerprint256 }: X509Certificate,
  socket: SecureSocket,
  far: Set<string>,
): CertificateFlaw | null {
  if (flaw === TOO_LONG) {
    if (far.size >= MAX_FAR) far.clear();
    far.add(fingerprint256);
  } else if (flaw === null && socket.isSessionReused() && far.has(fingerprint256)) return TOO_LONG;
  return flaw;
}

/** For a request that came by an address for TLS: 0, or the status to answer with. */
export function judgeTls(request: HttpRequest): number {
  const { tls } = request.client;
  if (tls !== null) return tls.judge(request);
  logErrorOf(request, 'info', 'client sent plain HTTP request to HTTPS port');
  return PLAIN_REQUEST;
}

/**
 * Begins the handshake that `firstBytes` ask for, as the server that `hello` names wants it; `onSecure` is told when it is
 * over. Whether it began: a server may want none, and then the client is told so.
 */
export function startClientTls(
  connection: Connection,
  { names, defaultServer }: ListenPoint,
  clock: Clock,
  hello: ClientHello,
  firstBytes: Buffer,
  onSecure: (tls: ClientTls) => void,
): boolean {
  const server =
    hello.serverName === '' ? defaultServer : (names?.find(hello.serverName, serverMatch) ?? defaultServer);
  if (server.tls.rejectsHandshakes) {
    connection.writeBytes(UNRECOGNIZED_NAME);
    return false;
  }
  const tls = server.tls.context === null ? defaultServer.tls : server.tls;
  const options = {
    isServer: true,
    context: tls.context!,
    asksForCertificate: tls.verifies !== VerifyMode.off,
    protocols: PROTOCOLS,
    sessions: sessionsOf(tls, hello),
  } as const;
  const startedMs = clock.nowMs();
  connection.startTls(options, firstBytes, () =>
    onSecure(new ClientTls(hello, connection.tls!, server, startedMs, clock.nowMs())),
  );
  return true;
}

function sessionsOf({ sessions, sessionTimeoutMs }: ServerTls, { sessionId }: ClientHello) {
  return sessions === null ? null : sessionServer(sessions, sessionTimeoutMs, sessionId);
}
