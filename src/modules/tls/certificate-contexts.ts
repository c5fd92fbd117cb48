/*
 * Contexts for certificates whose names variables make: read when they are asked for, and kept.
 */
import { statSync } from 'node:fs';
import { eventClock } from '../../core/clock.js';
import { makeTlsContext, type TlsContext, type TlsContextOptions } from '../../net/tls/tls-context.js';
import { readCertificate, readKey } from './pem-files.js';

/** How long a certificate counts without a look at its file (nginx: ssl_certificate_cache). */
export interface CertificateCacheRules {
  /** How many certificates and keys are kept; the one not asked for longest gives way. */
  readonly max: number;
  /** One that nobody asked for so long is not kept. */
  readonly inactiveMs: number;
  readonly validMs: number;
}

/** Without rules the file is looked at each time; what was made of one that has not changed is kept even so. */
const NO_RULES: CertificateCacheRules = { max: 2000, inactiveMs: Number.POSITIVE_INFINITY, validMs: -1 };

/** A context and what stands for it: it is another one when the certificate is. */
export interface CertificateContext {
  readonly context: TlsContext;
  readonly key: string;
}

interface Kept extends CertificateContext {
  /** A key with a password is looked at each time. */
  readonly isLocked: boolean;
  checkedMs: number;
  usedMs: number;
}

/** The contexts of one place in the configuration. */
export class CertificateContexts {
  private readonly options: TlsContextOptions;
  private readonly passwords: readonly string[];
  private readonly rules: CertificateCacheRules;
  /** By the names of certificate and key, from the one not asked for longest. */
  private readonly kept: Map<string, Kept>;

  /** `options` say all but the certificate. */
  constructor(options: TlsContextOptions, passwords: readonly string[], rules: CertificateCacheRules | null) {
    this.options = options;
    this.passwords = passwords;
    this.rules = rules ?? NO_RULES;
    this.kept = new Map();
  }

  /** That of a certificate and a key by their paths; with '' for the former there is none. Throws an Error for the log. */
  find(certificatePath: string, keyPath: string): CertificateContext {
    const name = `${certificatePath} ${keyPath}`;
    const { inactiveMs, validMs, max } = this.rules;
    const nowMs = eventClock.nowMs();
    let kept = this.kept.get(name);
    this.kept.delete(name);
    if (kept !== undefined && nowMs - kept.usedMs > inactiveMs) kept = undefined;
    if (kept === undefined || kept.isLocked || nowMs - kept.checkedMs > validMs) {
      const key = `${ageOf(certificatePath)} ${ageOf(keyPath)}`;
      if (kept?.key === key) kept.checkedMs = nowMs;
      else kept = this.make(certificatePath, keyPath, key, nowMs);
    }
    kept.usedMs = nowMs;
    this.kept.set(name, kept);
    if (this.kept.size > max / 2) {
      const [eldest] = this.kept.keys();
      this.kept.delete(eldest!);
    }
    return kept;
  }

  private make(certificatePath: string, keyPath: string, key: string, nowMs: number): Kept {
    const common = { key, checkedMs: nowMs, usedMs: nowMs };
    if (certificatePath === '') return { ...common, context: makeTlsContext(this.options), isLocked: false };
    const file = readCertificate(certificatePath);
    const { pem, isLocked } = readKey(keyPath, file, this.passwords);
    const certificates = [{ certificate: file.pem, key: pem }];
    return { ...common, context: makeTlsContext({ ...this.options, certificates }), isLocked };
  }
}

/** A file's name with what changes when it does. */
function ageOf(path: string): string {
  if (path === '' || path.startsWith('data:')) return path;
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? path : `${path} ${stat.mtimeMs} ${stat.ino}`;
}
