/*
 * Whether the other side's certificate is one to trust, in the numbers and words that OpenSSL has for it.
 */
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { SecureSocket } from './secure-socket.js';

/** What is wrong with a certificate. */
export interface CertificateFlaw {
  /** OpenSSL's number for it. */
  readonly number: number;
  readonly reason: string;
  /** Whether only those who vouch for it are not known, which some accept (nginx: ssl_verify_client optional_no_ca). */
  readonly isAboutIssuer: boolean;
}

/** X509_V_ERR_... by the names that Node has for them. */
const NUMBERS: Readonly<Record<string, number>> = {
  UNABLE_TO_GET_ISSUER_CERT: 2,
  UNABLE_TO_GET_CRL: 3,
  UNABLE_TO_DECRYPT_CERT_SIGNATURE: 4,
  UNABLE_TO_DECRYPT_CRL_SIGNATURE: 5,
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: 6,
  CERT_SIGNATURE_FAILURE: 7,
  CRL_SIGNATURE_FAILURE: 8,
  CERT_NOT_YET_VALID: 9,
  CERT_HAS_EXPIRED: 10,
  CRL_NOT_YET_VALID: 11,
  CRL_HAS_EXPIRED: 12,
  ERROR_IN_CERT_NOT_BEFORE_FIELD: 13,
  ERROR_IN_CERT_NOT_AFTER_FIELD: 14,
  ERROR_IN_CRL_LAST_UPDATE_FIELD: 15,
  ERROR_IN_CRL_NEXT_UPDATE_FIELD: 16,
  OUT_OF_MEM: 17,
  DEPTH_ZERO_SELF_SIGNED_CERT: 18,
  SELF_SIGNED_CERT_IN_CHAIN: 19,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 20,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 21,
  CERT_CHAIN_TOO_LONG: 22,
  CERT_REVOKED: 23,
  INVALID_CA: 24,
  PATH_LENGTH_EXCEEDED: 25,
  INVALID_PURPOSE: 26,
  CERT_UNTRUSTED: 27,
  CERT_REJECTED: 28,
  HOSTNAME_MISMATCH: 62,
};

/** X509_V_ERR_UNSPECIFIED. */
const UNSPECIFIED = 1;

const ABOUT_ISSUER: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_UNTRUSTED',
]);

/** More authorities than may be stand between a certificate and a trusted one. */
export const TOO_LONG: CertificateFlaw = {
  number: NUMBERS.CERT_CHAIN_TOO_LONG!,
  reason: 'certificate chain too long',
  isAboutIssuer: false,
};

/**
 * Null if there is nothing wrong. `depth`: how many authorities may stand between the certificate and a trusted one. To be
 * asked as soon as the handshake is over, and before getPeerX509Certificate: OpenSSL and Node forget those authorities, and a session that is gone on with never knew
 * them, so that it is the caller's business whose certificates were too far away.
 */
export function findFlaw(socket: SecureSocket, depth: number): CertificateFlaw | null {
  const { verifyError } = socket;
  if (verifyError !== null) {
    const { code, message } = verifyError;
    // Newer Nodes add advice of their own.
    const [reason] = message.split(';');
    return {
      number: NUMBERS[code] ?? UNSPECIFIED,
      reason: reason!,
      isAboutIssuer: ABOUT_ISSUER.has(code),
    };
  }
  return countChain(socket) - 2 > depth ? TOO_LONG : null;
}

/** How many certificates lead from the other side's to a trusted one, both included. */
function countChain(socket: SecureSocket): number {
  let count = 1;
  let certificate = socket.getPeerCertificate(true);
  // One that nobody else vouches for is its own issuer.
  while (certificate.issuerCertificate !== undefined && certificate.issuerCertificate !== certificate) {
    certificate = certificate.issuerCertificate as typeof certificate;
    count++;
  }
  return count;
}

/**
 * Whether a certificate is for that name.
 * differs from nginx: it may be for an IP address too, which nginx looks for among names alone.
 */
export function isFor(certificate: X509Certificate, name: string): boolean {
  if (isIP(name) !== 0 && certificate.checkIP(name) !== undefined) return true;
  return certificate.checkHost(name, { subject: 'default' }) !== undefined;
}
