/*
 * What handshakes go by: certificates with their keys, who is trusted, protocols and ciphers, as OpenSSL keeps it. Made
 * once for a configuration, of texts; reading files is for those who know what they are for.
 */
import { constants, createHash, randomBytes } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { describeOpensslError } from './tls-error.js';

export type TlsContext = SecureContext;

/** A certificate and those that vouch for it, and its key; both PEM, the key without a password. */
export interface CertifiedKey {
  readonly certificate: string;
  readonly key: string;
}

/** What both sides have. */
export interface TlsContextOptions {
  /** Of each kind of key the last one counts. */
  readonly certificates: readonly CertifiedKey[];
  /** Of those below. */
  readonly protocols: readonly TlsProtocol[];
  /** As OpenSSL takes them. */
  readonly ciphers: string;
  /** PEM, each one certificate: those trusted, and with a server those that clients are told of. */
  readonly authorities: readonly string[];
  /** PEM; null for none. Where there is one, certificates of all authorities need one. */
  readonly revoked: string | null;
  /** Names of groups with a colon between them, or `auto`. */
  readonly curves: string;
  /** Signature algorithms with a colon between them; null for OpenSSL's own choice. */
  readonly signatures: string | null;
  /** SSL_OP_... bits that are set, and then bits that are cleared, beyond those that follow from the rest. */
  readonly optionsOn: number;
  readonly optionsOff: number;
  readonly server: ServerContextOptions | null;
}

/** What a server has besides. */
export interface ServerContextOptions {
  readonly prefersOwnCiphers: boolean;
  /** PEM; null for OpenSSL's own choice. */
  readonly dhParameters: string | null;
  readonly hasTickets: boolean;
  /** 48 bytes; null for keys of chance. */
  readonly ticketKey: Buffer | null;
  readonly sessionTimeoutMs: number;
  /** Whether clients are asked for certificates: then no other context takes its sessions, whatever the key. */
  readonly asksForCertificates: boolean;
}

/** Those that can be asked for; the first two are in no OpenSSL that Node comes with. */
export const TLS_PROTOCOLS = ['SSLv2', 'SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

export type TlsProtocol = (typeof TLS_PROTOCOLS)[number];

const KNOWN_PROTOCOLS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

const OFF: Readonly<Record<(typeof KNOWN_PROTOCOLS)[number], number>> = {
  TLSv1: constants.SSL_OP_NO_TLSv1,
  'TLSv1.1': constants.SSL_OP_NO_TLSv1_1,
  'TLSv1.2': constants.SSL_OP_NO_TLSv1_2,
  'TLSv1.3': constants.SSL_OP_NO_TLSv1_3,
};

/** Something in the options can't be used: `option` says what, the message why, in OpenSSL's words. */
export class TlsContextError extends Error {
  readonly option: keyof TlsContextOptions | keyof ServerContextOptions;

  constructor(option: TlsContextError['option'], reason: string) {
    super(reason);
    this.name = 'TlsContextError';
    this.option = option;
  }
}

/** Throws a TlsContextError. */
export function makeTlsContext(options: TlsContextOptions): TlsContext {
  const { certificates, protocols, ciphers, curves, signatures, authorities, revoked, server } = options;
  const wanted = KNOWN_PROTOCOLS.filter((protocol) => protocols.includes(protocol));
  if (wanted.length === 0)
    throw new TlsContextError('protocols', `none of ${protocols.join(', ')} is in this OpenSSL`);
  // Each on its own before all at once, since OpenSSL doesn't say what it is about.
  const check = (option: TlsContextError['option'], some: Parameters<typeof createSecureContext>[0]) => {
    try {
      createSecureContext({ ca: [], ...some });
    } catch (error) {
      throw new TlsContextError(option, describeOpensslError(error) ?? (error as Error).message);
    }
  };
  check('ciphers', { ciphers });
  if (revoked !== null) check('revoked', { crl: revoked });
  check('curves', { ecdhCurve: curves });
  if (signatures !== null) check('signatures', { sigalgs: signatures });
  const dhParameters = server?.dhParameters ?? null;
  if (dhParameters !== null) check('dhParameters', { dhparam: dhParameters });
  const gaps = KNOWN_PROTOCOLS.filter((protocol) => !wanted.includes(protocol));
  let secureOptions = constants.SSL_OP_NO_RENEGOTIATION;
  for (const protocol of gaps) secureOptions |= OFF[protocol];
  if (server !== null && !server.hasTickets) secureOptions |= constants.SSL_OP_NO_TICKET;
  if (server?.prefersOwnCiphers === true) secureOptions |= constants.SSL_OP_CIPHER_SERVER_PREFERENCE;
  try {
    return createSecureContext({
      minVersion: wanted[0]!,
      maxVersion: wanted[wanted.length - 1]!,
      cert: certificates.map(({ certificate }) => certificate),
      key: certificates.map(({ key }) => key),
      ca: [...authorities],
      ciphers,
      ecdhCurve: curves,
      secureOptions: (secureOptions | options.optionsOn) & ~options.optionsOff,
      ...(signatures === null ? {} : { sigalgs: signatures }),
      ...(revoked === null ? {} : { crl: revoked }),
      ...(server === null ? {} : serverOptions(server, certificates, authorities)),
    });
  } catch (error) {
    throw new TlsContextError('certificates', describeOpensslError(error) ?? (error as Error).message);
  }
}

function serverOptions(
  { dhParameters, ticketKey, sessionTimeoutMs, asksForCertificates }: ServerContextOptions,
  certificates: readonly CertifiedKey[],
  authorities: readonly string[],
) {
  // security: a session of one server must not let a client pass at another that trusts others.
  const identity = createHash('sha256');
  for (const { certificate } of certificates) identity.update(certificate);
  for (const authority of authorities) identity.update(authority);
  if (asksForCertificates) identity.update(randomBytes(16));
  return {
    ...(dhParameters === null ? {} : { dhparam: dhParameters }),
    ...(ticketKey === null ? {} : { ticketKeys: ticketKey }),
    sessionTimeout: Math.max(1, Math.ceil(sessionTimeoutMs / 1000)),
    sessionIdContext: identity.digest('hex').slice(0, 32),
  };
}
