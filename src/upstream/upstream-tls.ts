/*
 * TLS to the peers of upstreams as one location wants it, for one name: what handshakes go by, whether the server is who it
 * should be, and the sessions that connections go on with.
 */
import { findFlaw, isFor } from '../net/tls/peer-certificate.js';
import type { ClientTlsOptions, SecureSocket } from '../net/tls/secure-socket.js';
import type { TlsContext } from '../net/tls/tls-context.js';

export interface UpstreamTlsRules {
  /** Whether the server is told the name that is asked for. */
  readonly sendsName: boolean;
  /** Whether the server's certificate must be for that name and from somebody who is trusted. */
  readonly verifies: boolean;
  /** How many authorities may stand between it and a trusted one. */
  readonly verifyDepth: number;
  readonly reusesSessions: boolean;
}

/** Peers whose sessions are kept; addresses come and go, and each has one of some kilobytes. */
const MAX_SESSIONS = 1000;

/** Connections that differ in this object are not the same, and none is used in place of another. */
export class UpstreamTls {
  private readonly context: TlsContext;
  private readonly rules: UpstreamTlsRules;
  private readonly name: string;
  /**
   * By the peer's name.
   * security: of this location and name alone, so that what others let pass without a look does not pass here.
   */
  private readonly sessions: Map<string, Buffer>;

  /** `name` is a host's, without a port. */
  constructor(context: TlsContext, name: string, rules: UpstreamTlsRules) {
    this.context = context;
    this.rules = rules;
    this.name = name;
    this.sessions = new Map();
  }

  /** For a new connection to the peer of that name. */
  optionsFor(peerName: string): ClientTlsOptions {
    const { context, name, sessions } = this;
    const { sendsName, verifies, reusesSessions } = this.rules;
    const options = {
      isServer: false,
      context,
      serverName: sendsName && !isAddress(name) ? name : '',
      session: sessions.get(peerName) ?? null,
    } as const;
    if (!verifies) {
      const keep = (session: Buffer) => this.keepSession(peerName, session);
      return { ...options, onSession: reusesSessions ? keep : null, judge: null };
    }
    // security: a session that comes before the server was judged could be gone on with by others meanwhile.
    let isTrusted = false;
    let early: Buffer | null = null;
    return {
      ...options,
      onSession: (session) => {
        if (isTrusted && reusesSessions) this.keepSession(peerName, session);
        else early = session;
      },
      judge: (socket) => {
        const complaint = this.findComplaint(socket);
        isTrusted = complaint === null;
        if (isTrusted && early !== null && reusesSessions) this.keepSession(peerName, early);
        return complaint;
      },
    };
  }

  private keepSession(peerName: string, session: Buffer): void {
    const { sessions } = this;
    sessions.delete(peerName);
    if (sessions.size >= MAX_SESSIONS) {
      const [eldest] = sessions.keys();
      sessions.delete(eldest!);
    }
    sessions.set(peerName, session);
  }

  private findComplaint(socket: SecureSocket): string | null {
    const flaw = findFlaw(socket, this.rules.verifyDepth);
    if (flaw !== null) return `upstream SSL certificate verify error: (${flaw.number}:${flaw.reason})`;
    // Of a session that is gone on with the certificate was seen before, for this very name; it is not there again.
    if (socket.isSessionReused()) return null;
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return 'upstream sent no SSL certificate';
    return isFor(certificate, this.name) ? null : `upstream SSL certificate does not match "${this.name}"`;
  }
}

/** Such names are not to be sent (RFC 6066 section 3). */
function isAddress(name: string): boolean {
  return name === '' || name.includes(':') || /^[\d.]+$/.test(name);
}
