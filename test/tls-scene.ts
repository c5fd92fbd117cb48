// TLS on stage: a certificate authority of the test's own, clients and origins that speak TLS by Node's own means.
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket, type TlsOptions } from 'node:tls';
import { afterAll, onTestFinished } from 'vitest';
import { RawSocket, type TestConf } from '../src/testing/index.js';
import { type Answer, readAnswer } from './conf-scene.js';

/** A folder with an authority; its certificates are `NAME.crt` with keys `NAME.key`. */
export class Authority {
  /** With a slash behind it, so that it can be the prefix of a configuration. */
  readonly folder: string;

  constructor() {
    this.folder = `${mkdtempSync(join(tmpdir(), 'sluice-tls-'))}/`;
    this.makeSelfSigned('ca', 'basicConstraints=critical,CA:TRUE');
    writeFileSync(`${this.folder}index.txt`, '');
    writeFileSync(`${this.folder}index.txt.attr`, 'unique_subject=no\n');
    writeFileSync(`${this.folder}serial`, '1000\n');
    writeFileSync(
      `${this.folder}ca.conf`,
      `[ca]\ndefault_ca=own\n[own]\ndatabase=${this.folder}index.txt\ndefault_md=sha256\ndefault_crl_days=3\n` +
        `serial=${this.folder}serial\nnew_certs_dir=${this.folder}\n`,
    );
  }

  /** Issues a certificate for these host names; `days` below 0 are past. `by`: another one that may issue. */
  issue(
    name: string,
    hosts: readonly string[] = [name],
    { days = 3, by = 'ca', isCa = false, rsa = false } = {},
  ): void {
    const names = hosts.map((host) => `DNS:${host}`).join(',');
    const extensions = isCa ? 'basicConstraints=critical,CA:TRUE' : `subjectAltName=${names}`;
    writeFileSync(this.path(`${name}.ext`), extensions);
    this.run(
      'req',
      '-new',
      ...newKey(rsa),
      '-keyout',
      `${name}.key`,
      '-subj',
      `/C=DE/O=Test/CN=${name}`,
      '-out',
      `${name}.csr`,
    );
    const signing = ['-CA', `${by}.crt`, '-CAkey', `${by}.key`, '-CAcreateserial', '-extfile', `${name}.ext`];
    this.run('x509', '-req', '-in', `${name}.csr`, ...signing, '-days', String(days), '-out', `${name}.crt`);
  }

  /** Makes a certificate that nobody vouches for. */
  makeSelfSigned(name: string, extension = `subjectAltName=DNS:${name}`): void {
    const request = ['-x509', '-new', ...newKey(false), '-keyout', `${name}.key`, '-subj', `/CN=${name}`];
    this.run('req', ...request, '-addext', extension, '-days', '3', '-out', `${name}.crt`);
  }

  /** Writes `ca.crl`, in which this certificate is revoked. */
  revoke(name: string): void {
    const own = ['-config', 'ca.conf', '-keyfile', 'ca.key', '-cert', 'ca.crt'];
    this.run('ca', ...own, '-revoke', `${name}.crt`);
    this.run('ca', ...own, '-gencrl', '-out', 'ca.crl');
  }

  /** Puts the certificate of who issued it behind another's. */
  chain(name: string, issuer: string): void {
    appendFileSync(this.path(`${name}.crt`), this.read(`${issuer}.crt`));
  }

  path(file: string): string {
    return this.folder + file;
  }

  read(file: string): string {
    return readFileSync(this.path(file), 'latin1');
  }

  /** openssl in the folder. */
  run(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.folder, stdio: 'pipe' });
  }
}

function newKey(isRsa: boolean): string[] {
  const kind = isRsa ? ['rsa:2048'] : ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  return ['-newkey', ...kind, '-nodes'];
}

/** One for all tests of a file. */
export function useAuthority(): Authority {
  const authority = new Authority();
  afterAll(() => rmSync(authority.folder, { recursive: true, force: true }));
  return authority;
}

/** A client whose handshake is over, closed when the test ends. Rejects if there is none. */
export interface SecureClient extends RawSocket {
  readonly tls: TLSSocket;
}

/** Connects to a configuration by TLS; whoever answers is trusted unless `options` say otherwise. */
export function connectTls(conf: TestConf, options: ConnectionOptions = {}): Promise<SecureClient> {
  const { host, port } = conf.address;
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      rejectUnauthorized: false,
      allowHalfOpen: true,
      ...options,
    } as ConnectionOptions);
    onTestFinished(() => void socket.destroy());
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      socket.removeListener('error', reject);
      resolve(Object.assign(new RawSocket(socket), { tls: socket }));
    });
  });
}

/** GET by TLS on a connection of its own. */
export async function getTls(
  conf: TestConf,
  target: string,
  { host = 'localhost', ...options }: ConnectionOptions & { host?: string } = {},
): Promise<Answer> {
  const { host: address, port } = conf.address;
  const client = await connectTls(conf, { ...options, host: address, port });
  await client.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  return readAnswer(await client.readToEnd());
}

/** An origin that speaks TLS. */
export interface SecureOrigin {
  /** "127.0.0.1:PORT". */
  readonly name: string;
  /** All whose handshake is over, in order. */
  readonly sockets: TLSSocket[];
  /** Whose certificates they have shown, if they were asked. */
  readonly clients: string[];
  /** Whether each went on with a session. */
  readonly reuses: boolean[];
  /** How many connections were accepted, with or without one. */
  readonly acceptedCount: number;
}

/** Starts one that ends with the test; `script` plays each connection that is secure. */
export async function startSecureOrigin(
  options: TlsOptions & { cert: string; key: string },
  script: (connection: RawSocket) => void | Promise<void>,
): Promise<SecureOrigin> {
  const { createServer: createTlsServer } = await import('node:tls');
  const sockets: TLSSocket[] = [];
  const clients: string[] = [];
  const reuses: boolean[] = [];
  let acceptedCount = 0;
  const secure = createTlsServer({ allowHalfOpen: true, ...options } as TlsOptions, (socket) => {
    sockets.push(socket);
    reuses.push(socket.isSessionReused());
    const { subject } = socket.getPeerCertificate();
    if (subject !== undefined) clients.push(String(subject.CN));
    socket.on('error', () => {});
    void Promise.resolve(script(new RawSocket(socket, Number.POSITIVE_INFINITY))).catch(() =>
      socket.destroy(),
    );
  });
  secure.on('tlsClientError', () => {});
  const open = new Set<{ destroy(): void }>();
  const plain = createServer({ allowHalfOpen: true, pauseOnConnect: false }, (socket) => {
    acceptedCount++;
    open.add(socket);
    socket.on('error', () => {});
    secure.emit('connection', socket);
  });
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    plain.close();
    for (const socket of open) socket.destroy();
  });
  return {
    name: `127.0.0.1:${(plain.address() as { port: number }).port}`,
    sockets,
    clients,
    reuses,
    get acceptedCount() {
      return acceptedCount;
    },
  };
}
