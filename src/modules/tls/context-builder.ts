/*
 * From TLS directives, whichever their names begin with, to what handshakes go by: certificates with their keys, and the
 * findings for what can't be.
 */
import { finding } from '../../conf/diagnostics/catalogue.js';
import type { Directive, Word } from '../../conf/syntax/ast.js';
import {
  type CertifiedKey,
  makeTlsContext,
  type ServerContextOptions,
  type TlsContext,
  TlsContextError,
  type TlsContextOptions,
  type TlsProtocol,
} from '../../net/tls/tls-context.js';
import { BuildKey, type HttpBuild } from '../module.js';
import { type CommandTargets, runConfCommand } from './conf-commands.js';
import {
  PemProblem,
  type ReadFile,
  readAuthorities,
  readCertificate,
  readKey,
  readOther,
  readPasswords,
} from './pem-files.js';

/** Where a directive stands; its argument is the file. */
interface AnyPlaced {
  readonly node: Directive;
}

/** What the directives say; those that aren't there are null. */
export interface TlsDirectives {
  readonly certificates: readonly AnyPlaced[];
  readonly keys: readonly AnyPlaced[];
  readonly passwordFile: AnyPlaced | null;
  readonly protocols: readonly TlsProtocol[];
  readonly protocolsAt: AnyPlaced | null;
  readonly ciphers: string;
  readonly ciphersAt: AnyPlaced | null;
  readonly curves: string;
  readonly curvesAt: AnyPlaced | null;
  /** Files of certificates, each with the directive that names it. */
  readonly authorities: readonly AnyPlaced[];
  readonly crl: AnyPlaced | null;
  readonly dhParameters: AnyPlaced | null;
  readonly commands: readonly AnyPlaced[];
  readonly server: Omit<ServerContextOptions, 'dhParameters'> | null;
}

/** Reads what the directives name; null if something can't be used, which has been reported then. */
export function readTlsOptions(directives: TlsDirectives, build: HttpBuild): TlsContextOptions | null {
  const targets: CommandTargets = {
    protocols: directives.protocols,
    ciphers: directives.ciphers,
    curves: directives.curves,
    signatures: null,
    optionsOn: 0,
    optionsOff: 0,
  };
  for (const { node } of directives.commands) {
    const [name, value] = node.args as [Word, Word];
    const reason = runConfCommand(targets, name.text, value.text);
    if (reason === null) continue;
    const message = `Cannot run "${name.text}" with "${value.text}": ${reason}`;
    const nginxText = `SSL_CONF_cmd("${name.text}", "${value.text}") failed`;
    build.report(node, finding('tls-command', message, null, nginxText));
    return null;
  }
  const { server } = directives;
  try {
    const dhParameters = other(directives.dhParameters, 'dhparam', 'BIO_new_file', build);
    return {
      ...targets,
      certificates: certifiedKeys(directives, build),
      authorities: directives.authorities.flatMap((each) =>
        guard(each, () => once('authorities', pathOf(each, build), build, readAuthorities)),
      ),
      revoked: other(directives.crl, 'revocation list', 'SSL_CTX_load_verify_locations', build),
      server: server === null ? null : { ...server, dhParameters },
    };
  } catch (error) {
    if (!(error instanceof PlacedProblem)) throw error;
    build.report(error.at, error.problem.found);
    return null;
  }
}

/** Builds a context; null if something can't be, which has been reported then. `at`: where all else is told of. */
export function buildTlsContext(
  directives: TlsDirectives,
  options: TlsContextOptions,
  at: Directive,
  build: HttpBuild,
): TlsContext | null {
  try {
    return makeTlsContext(options);
  } catch (error) {
    if (!(error instanceof TlsContextError)) throw error;
    reportOption(error, directives, at, build);
    return null;
  }
}

/** A file of a directive can't be used. */
class PlacedProblem extends Error {
  readonly at: Word;
  readonly problem: PemProblem;

  constructor(at: Word, problem: PemProblem) {
    super(problem.message);
    this.at = at;
    this.problem = problem;
  }
}

function guard<T>({ node }: AnyPlaced, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof PemProblem) throw new PlacedProblem(node.args[0]!, error);
    throw error;
  }
}

function other(place: AnyPlaced | null, what: string, nginxCall: string, build: HttpBuild): string | null {
  if (place === null) return null;
  return guard(place, () =>
    once(what, pathOf(place, build), build, (path, read) => readOther(path, what, nginxCall, read)),
  );
}

/** Relative paths start from the configuration file's folder; `data:` is no path. */
function pathOf({ node }: AnyPlaced, build: HttpBuild): string {
  return resolvePem(node.args[0]!.text, build);
}

/** The same for a name of a directive. */
export function resolvePem(name: string, build: HttpBuild): string {
  return /^(?:data|engine|store):/.test(name) ? name : build.resolvePath(name, 'conf');
}

/**
 * What files hold, read once a configuration: many servers name the same, and what is read must not change between two of
 * them.
 */
const FILES = new BuildKey('PEM files', () => new Map<string, unknown>());

const readerOf =
  (build: HttpBuild): ReadFile =>
  (path) =>
    build.readFile(path);

function once<T>(kind: string, path: string, build: HttpBuild, take: (path: string, read: ReadFile) => T): T {
  const files = build.shared(FILES);
  const key = `${kind} ${path}`;
  if (!files.has(key)) files.set(key, take(path, readerOf(build)));
  return files.get(key) as T;
}

/** Certificates whose age was told of, so that it is said once. */
const TOLD = new BuildKey('certificates that are too old', () => new Set<string>());

function certifiedKeys(directives: TlsDirectives, build: HttpBuild): CertifiedKey[] {
  const { certificates, keys } = directives;
  const passwords = passwordsOf(directives, build);
  return certificates.map((place, i) => {
    const file = guard(place, () => once('certificate', pathOf(place, build), build, readCertificate));
    const { validTo, validFrom } = file.certificate;
    const told = build.shared(TOLD);
    const nowMs = Date.now();
    const isOld = Date.parse(validTo) < nowMs;
    if ((isOld || Date.parse(validFrom) > nowMs) && !told.has(file.path)) {
      told.add(file.path);
      const when = isOld ? `expired on ${validTo}` : `is valid from ${validFrom} on`;
      const message = `certificate "${file.path}" ${when}: clients will refuse it`;
      build.report(place.node.args[0]!, {
        ...finding('certificate-age', message, 'renew it'),
        severity: 'warning',
      });
    }
    const keyPlace = keys[Math.min(i, keys.length - 1)]!;
    const { pem: key } = guard(keyPlace, () => {
      const kind = `key of ${file.path} by ${passwords.join(' ')}`;
      return once(kind, pathOf(keyPlace, build), build, (path, read) => readKey(path, file, passwords, read));
    });
    return { certificate: file.pem, key };
  });
}

/** The passwords that keys are opened by. */
function passwordsOf({ passwordFile }: TlsDirectives, build: HttpBuild): string[] {
  return passwordFile === null
    ? []
    : guard(passwordFile, () => readPasswords(pathOf(passwordFile, build), readerOf(build)));
}

/** Where an option of a context comes from, and what nginx calls when it fails. */
function reportOption(
  { option, message }: TlsContextError,
  directives: TlsDirectives,
  at: Directive,
  build: HttpBuild,
): void {
  const places: Partial<
    Record<keyof TlsContextOptions | keyof ServerContextOptions, [AnyPlaced | null, string]>
  > = {
    protocols: [directives.protocolsAt, 'SSL_CTX_set_options'],
    ciphers: [directives.ciphersAt, 'SSL_CTX_set_cipher_list'],
    curves: [directives.curvesAt, 'SSL_CTX_set1_curves_list'],
    revoked: [directives.crl, 'X509_LOOKUP_load_file'],
    dhParameters: [directives.dhParameters, 'PEM_read_bio_DHparams'],
    signatures: [directives.commands[0] ?? null, 'SSL_CONF_cmd'],
    certificates: [directives.certificates[0] ?? null, 'SSL_CTX_use_certificate'],
  };
  const [place, call] = places[option] ?? [null, 'SSL_CTX_new'];
  const value = place === null ? '' : place.node.args.map(({ text }) => text).join(' ');
  const text = `Cannot use ${place?.node.word.text ?? 'TLS'} "${value}": ${message}`;
  build.report(
    place?.node ?? at,
    finding('tls-option', text, null, `${call}("${value}") failed (${message})`),
  );
}
