/*
 * Certificates, keys and revocation lists in PEM files that a configuration names: read, checked, and what is wrong with
 * them in words. What they are used for is said where the contexts are made.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Finding, finding } from '../../conf/diagnostics/catalogue.js';
import { describeErrno } from '../../core/errno.js';
import { describeOpensslError } from '../../net/tls/tls-error.js';

/** A file can't be used; `found` says why. */
export class PemProblem extends Error {
  readonly found: Finding;

  constructor(found: Finding) {
    super(found.nginxText);
    this.name = 'PemProblem';
    this.found = found;
  }
}

/** A certificate file. */
export interface CertificateFile {
  readonly path: string;
  /** As it is in the file: the certificate, and behind it those that vouch for it. */
  readonly pem: string;
  readonly certificate: X509Certificate;
}

const INLINE = 'data:';

/** What a file has, in latin1. Throws what the system does. */
export type ReadFile = (path: string) => string;

const fromDisk: ReadFile = (path) => readFileSync(path, 'latin1');

/** What a directive names: a file, or the text behind `data:`. */
function readPem(path: string, what: string, nginxWhat: string, read: ReadFile): string {
  if (path.startsWith(INLINE)) return path.slice(INLINE.length);
  if (/^(?:engine|store):/.test(path)) {
    const message = `Cannot use ${what} "${path}": Node has no OpenSSL engines and stores`;
    throw new PemProblem(finding('pem-file', message, 'name a PEM file'));
  }
  try {
    return read(path);
  } catch (error) {
    const { code = 'EIO', errno = 5 } = error as NodeJS.ErrnoException;
    const reason = describeErrno(code);
    const openssl = `error:${(0x80000000 + Math.abs(errno)).toString(16).toUpperCase()}:system library::${reason}`;
    const nginxText = `${nginxWhat} "${path}": BIO_new_file() failed (SSL: ${openssl}:calling fopen(${path}, r))`;
    const hint =
      code === 'EACCES' ? 'let the user that starts this read it' : 'correct the path, or put the file there';
    throw new PemProblem(finding('pem-file', `Cannot read ${what} "${path}": ${reason}`, hint, nginxText));
  }
}

function unusable(
  path: string,
  what: string,
  nginxWhat: string,
  nginxCall: string,
  error: unknown,
): PemProblem {
  const detail = describeOpensslError(error) ?? `SSL: ${(error as Error).message}`;
  const reason = (error as { reason?: string }).reason ?? (error as Error).message;
  const nginxText = `${nginxWhat} "${path}": ${nginxCall} failed (${detail})`;
  const message = `Cannot use ${what} "${path}": ${reason}`;
  return new PemProblem(finding('pem-file', message, 'it must be in PEM format', nginxText));
}

/** Throws a PemProblem. */
export function readCertificate(path: string, read = fromDisk): CertificateFile {
  const pem = readPem(path, 'certificate', 'cannot load certificate', read);
  try {
    const [first] = blocksOf(pem);
    return {
      path,
      pem: pem.replaceAll('TRUSTED CERTIFICATE', 'CERTIFICATE'),
      certificate: new X509Certificate(first ?? pem),
    };
  } catch (error) {
    throw unusable(path, 'certificate', 'cannot load certificate', 'PEM_read_bio_X509_AUX()', error);
  }
}

/** A key without its password. */
export interface KeyFile {
  readonly pem: string;
  /** Whether the file needs a password. */
  readonly isLocked: boolean;
}

/** The key of a certificate. Each of `passwords` is tried. Throws a PemProblem. */
export function readKey(
  path: string,
  of: CertificateFile,
  passwords: readonly string[],
  read = fromDisk,
): KeyFile {
  const pem = readPem(path, 'certificate key', 'cannot load certificate key', read);
  const key = openKey(pem, path, passwords);
  if (!of.certificate.checkPrivateKey(key)) {
    const message = `Cannot use key "${path}": it is not that of certificate "${of.path}"`;
    const nginxText = `SSL_CTX_use_PrivateKey("${path}") failed (SSL: error:05800074:x509 certificate routines::key values mismatch)`;
    throw new PemProblem(
      finding('pem-file', message, 'name the key that the certificate was made for', nginxText),
    );
  }
  return { pem: key.export({ type: 'pkcs8', format: 'pem' }) as string, isLocked: isLocked(pem) };
}

function openKey(pem: string, path: string, passwords: readonly string[]): KeyObject {
  let failure: unknown = null;
  for (const passphrase of passwords.length === 0 ? [undefined] : passwords) {
    try {
      return createPrivateKey({
        key: pem,
        format: 'pem',
        ...(passphrase === undefined ? {} : { passphrase }),
      });
    } catch (error) {
      failure = error;
    }
  }
  const { code } = failure as NodeJS.ErrnoException;
  const isLocked = /ENCRYPTED/.test(pem);
  const what = 'certificate key';
  if (!isLocked)
    throw unusable(path, what, 'cannot load certificate key', 'PEM_read_bio_PrivateKey()', failure);
  const reason = code === 'ERR_MISSING_PASSPHRASE' ? 'it has a password' : 'no password of the file opens it';
  const detail = 'SSL: error:0480006D:PEM routines::problems getting password';
  const nginxText = `cannot load certificate key "${path}": PEM_read_bio_PrivateKey() failed (${detail})`;
  const hint = 'write the password into a file and name that by ssl_password_file or proxy_ssl_password_file';
  throw new PemProblem(finding('pem-file', `Cannot use ${what} "${path}": ${reason}`, hint, nginxText));
}

/** PKCS #8 says so in its first line, what was before it in its header. */
function isLocked(pem: string): boolean {
  return /^-----BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(pem);
}

/** The passwords of a file, one a line. Throws a PemProblem. */
export function readPasswords(path: string, read: ReadFile): string[] {
  try {
    return read(path)
      .split(/\r?\n/)
      .filter((line) => line !== '');
  } catch (error) {
    const { code = 'EIO', errno = 5 } = error as NodeJS.ErrnoException;
    const reason = describeErrno(code);
    const nginxText = `open() "${path}" failed (${Math.abs(errno)}: ${reason})`;
    throw new PemProblem(
      finding('pem-file', `Cannot read password file "${path}": ${reason}`, null, nginxText),
    );
  }
}

/** The certificates of a file, each PEM of its own and none twice. Throws a PemProblem. */
export function readAuthorities(path: string, read: ReadFile): string[] {
  const nginxWhat = 'SSL_CTX_load_verify_locations';
  const pem = readPem(path, 'trusted certificates', nginxWhat, read);
  const blocks = new Map<string, string>();
  try {
    for (const block of blocksOf(pem)) blocks.set(new X509Certificate(block).fingerprint256, block);
  } catch (error) {
    throw unusable(path, 'trusted certificates', nginxWhat, 'PEM_read_bio_X509()', error);
  }
  if (blocks.size > 0) return [...blocks.values()];
  const error = { message: 'error:04800088:PEM routines::no start line', reason: 'no certificate is in it' };
  throw unusable(path, 'trusted certificates', nginxWhat, 'PEM_read_bio_X509()', error);
}

/** Other PEM: a revocation list, Diffie-Hellman parameters. Throws a PemProblem. */
export function readOther(path: string, what: string, nginxCall: string, read: ReadFile): string {
  return readPem(path, what, `${nginxCall}`, read);
}

function blocksOf(pem: string): string[] {
  const blocks =
    pem.match(/-----BEGIN (TRUSTED )?CERTIFICATE-----[\s\S]*?-----END \1CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => block.replaceAll('TRUSTED CERTIFICATE', 'CERTIFICATE'));
}
