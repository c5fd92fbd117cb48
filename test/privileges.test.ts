// `user nobody nogroup;` in a process that root started: what it still can do as that user, and what it says of the rest.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canSharePorts } from '../src/process/settings.js';
import { RawClient } from '../src/testing/index.js';
import { freePort } from './free-port.js';
import { endPrograms, hasTool, Program } from './program.js';
import { runSluice, SluiceProcess } from './sluice-process.js';
import { WORKER_COUNTS } from './worker-counts.js';

let folder: string;
let port: number;
/** How many the configuration asks for. */
let workers = 1;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-user-'));
  chmodSync(folder, 0o755);
  mkdirSync(at('logs'));
  port = await freePort();
});
afterEach(async () => {
  await endPrograms();
  rmSync(folder, { recursive: true });
});

const at = (name: string) => join(folder, name);
const options = (...more: string[]) => ['-p', `${folder}/`, '-c', 'nginx.conf', ...more];
const errors = () => readFileSync(at('logs/error.log'), 'utf8');
const ownerOf = (name: string) => statSync(at(name)).uid;
const ask = async () =>
  (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text();

function writeConf(answer: string, http = '', server = ''): void {
  writeFileSync(
    at('nginx.conf'),
    `user nobody nogroup;
worker_processes ${workers};
daemon off;
error_log logs/error.log notice;
events {}
http {
    ${http}
    server {
        listen 127.0.0.1:${port};
        ${server}
        location / { return 200 ${answer}; }
    }
}
`,
  );
}

async function start(): Promise<SluiceProcess> {
  const sluice = new SluiceProcess(options());
  await isServing(sluice);
  return sluice;
}

async function isServing(sluice: Program): Promise<void> {
  await expect
    .poll(() => (existsSync(at('logs/nginx.pid')) ? readFileSync(at('logs/nginx.pid'), 'utf8') : ''), {
      timeout: 10_000,
    })
    .not.toBe('');
  // The number is there before the rights are gone; what answers has given them up.
  await expect.poll(ask, { timeout: 10_000 }).not.toBe('');
  await expect.poll(() => uidsOf(sluice.pid)).toEqual([NOBODY]);
}

const NOBODY = Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }));
/** Whose rights the threads of a process have: real, effective, saved and of its file system. */
function uidsOf(pid: number): number[] {
  const uids = readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1');
    return /^Uid:(.*)$/m.exec(status)![1]!.trim().split(/\s+/).map(Number);
  });
  return [...new Set(uids)];
}
const isRoot = process.getuid?.() === 0;
if (!isRoot) process.stderr.write('skipped: what a process of root gives to its user needs root\n');
const lowPortsAreFree = () =>
  Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'latin1')) < 1024;

describe.skipIf(!isRoot).each(WORKER_COUNTS)(
  'a process that root started for user nobody, with workers: %d,',
  (count) => {
    beforeEach(() => {
      workers = count;
    });

    it('owns its logs and temporary folders, reloads, goes on in new logs, and empties its pid file', async () => {
      writeConf('one', 'client_body_temp_path body;');
      const sluice = await start();
      expect(['logs/error.log', 'logs/access.log', 'body'].map(ownerOf)).toEqual([NOBODY, NOBODY, NOBODY]);
      writeConf('two', 'access_log logs/new.log; proxy_cache_path cache keys_zone=a:1m;');
      expect((await runSluice(options('-s', 'reload'))).code).toBe(0);
      await expect.poll(ask).toBe('two');
      expect(['logs/new.log', 'cache'].map(ownerOf)).toEqual([NOBODY, NOBODY]);
      renameSync(at('logs/new.log'), at('logs/new.log.1'));
      expect((await runSluice(options('-s', 'reopen'))).code).toBe(0);
      await expect.poll(() => existsSync(at('logs/new.log'))).toBe(true);
      await expect
        .poll(async () => (await ask()) && readFileSync(at('logs/new.log'), 'utf8'))
        .toMatch(/"GET \/ /);
      expect((await runSluice(options('-s', 'quit'))).code).toBe(0);
      expect((await sluice.ended).code).toBe(0);
      expect(readFileSync(at('logs/nginx.pid'), 'utf8')).toBe('');
      expect(errors()).not.toMatch(/\[(?:warn|emerg|alert)\]/);
    });

    it('says why it can no more do what needs root, and what helps, and serves on', async () => {
      writeConf('one');
      const sluice = await start();
      writeConf('two', 'access_log logs/new.log;');
      sluice.child.kill('SIGHUP');
      const hint = /; this process gave up root's rights for user "nobody" .* or restart it$/m;
      await expect
        .poll(errors)
        .toMatch(/\[emerg\].*open\(\) ".*logs\/new.log" failed \(13: Permission denied\)/);
      expect(errors()).toMatch(hint);
      if (!lowPortsAreFree()) {
        writeConf('two', '', 'listen 127.0.0.1:7;');
        sluice.child.kill('SIGHUP');
        await expect
          .poll(errors)
          .toMatch(/\[emerg\].*Cannot listen on "127.0.0.1:7": Permission denied .*gave up root's rights/);
      }
      renameSync(at('logs/access.log'), at('logs/access.log.1'));
      sluice.child.kill('SIGUSR1');
      await expect
        .poll(errors)
        .toMatch(/open\(\) ".*\/logs\/access.log" failed \(13: Permission denied\); this process gave up/);
      expect(await ask()).toBe('one');
      await expect.poll(() => readFileSync(at('logs/access.log.1'), 'utf8')).toMatch(/GET/);
    });

    it('gives away nothing that a link leads to, nor what is everybody’s', async () => {
      writeFileSync(at('secret'), 'secret');
      symlinkSync(at('secret'), at('logs/access.log'));
      mkdirSync(at('shared'));
      chmodSync(at('shared'), 0o1777);
      writeConf('one', 'client_body_temp_path shared;');
      await runSluice(options('-t'));
      expect(['secret', 'shared'].map(ownerOf)).toEqual([0, 0]);
    });

    it('keeps a log that is a link to /dev/stdout through reloads', async () => {
      symlinkSync('/dev/stdout', at('logs/access.log'));
      writeConf('one');
      const sluice = await start();
      writeConf('two');
      sluice.child.kill('SIGHUP');
      await expect.poll(ask).toBe('two');
      await sluice.said(/"GET \/ HTTP\/1.1" 200 3/, 'stdout');
      expect(errors()).not.toMatch(/\[emerg\]/);
    });

    it('does not start for a user that does not exist', async () => {
      writeConf('one');
      writeFileSync(at('nginx.conf'), readFileSync(at('nginx.conf'), 'utf8').replace('nobody', 'no-such'));
      const { code, stderr } = await runSluice(options('-t'));
      expect([code, stderr]).toEqual([1, expect.stringMatching(/\[emerg\] getpwnam\("no-such"\) failed/)]);
    });
  },
);

/** Serves the configuration with workers of which the second ends when a signal asks for it. */
const MORTAL = `
import { BroadcastChannel } from 'node:worker_threads';
import { writeFileSync } from 'node:fs';
const [folder, dist] = process.argv.slice(2);
writeFileSync(folder + '/mortal.mjs', \`
  import { BroadcastChannel, workerData } from 'node:worker_threads';
  if (workerData.index === 1) new BroadcastChannel('death').onmessage = () => process.exit(9);
  await import('\${dist}cli/worker.js');\`);
const { ConfProcess } = await import(dist + 'process/conf-process.js');
const { BootLog } = await import(dist + 'process/boot-log.js');
const files = { path: folder + '/nginx.conf', prefix: folder + '/', commandLine: '', errorLog: 'logs/error.log' };
const proxy = new ConfProcess(files, new BootLog(files), new URL('file://' + folder + '/mortal.mjs'));
await proxy.start(proxy.compile(), new Map());
const channel = new BroadcastChannel('death');
process.on('SIGPWR', () => channel.postMessage(1));
process.on('SIGHUP', () => void proxy.reload());
`;

describe.skipIf(!isRoot || !canSharePorts() || !hasTool('openssl'))(
  'a worker that is started when the process is the user’s',
  () => {
    /** How many workers answer, which number their connections in turns. */
    const answering = async () => {
      const numbers = await Promise.all(Array.from({ length: 24 }, ask));
      return new Set(numbers.map((text) => Number(text) % workers)).size;
    };

    async function startMortal(): Promise<Program> {
      const dist = new URL('../dist/', import.meta.url).href;
      writeFileSync(at('main.mjs'), MORTAL);
      const words = [at('main.mjs'), folder, dist];
      const sluice = new Program(process.execPath, words, { env: { PATH: process.env.PATH } });
      await isServing(sluice);
      return sluice;
    }

    it('writes the same logs, has the same keys, and takes part in the next reload', async () => {
      workers = 2;
      const make = 'req -x509 -newkey rsa:2048 -nodes -subj /CN=a -keyout key.pem -out certificate.pem';
      execFileSync('openssl', make.split(' '), { cwd: folder, stdio: 'pipe' });
      for (const name of ['key.pem', 'certificate.pem']) chmodSync(at(name), 0o600);
      const tls = `listen 127.0.0.1:${await freePort()} ssl; ssl_certificate certificate.pem; ssl_certificate_key key.pem;`;
      writeConf('$connection', 'access_log logs/access.log;', tls);
      const sluice = await startMortal();
      sluice.child.kill('SIGPWR');
      await expect.poll(errors, { timeout: 10_000 }).toMatch(/\[notice\].*start worker 1/);
      await expect.poll(answering, { timeout: 10_000 }).toBe(2);
      expect(errors()).not.toMatch(/Permission denied/);
      await Promise.all(Array.from({ length: 12 }, () => fetch(`http://127.0.0.1:${port}/later`)));
      const later = () => readFileSync(at('logs/access.log'), 'utf8').match(/GET \/later /g)?.length;
      await expect.poll(later).toBe(12);
      workers = 3;
      writeConf(
        '$connection',
        `access_log logs/access.log; server { listen 127.0.0.1:${await freePort()}; }`,
      );
      sluice.child.kill('SIGHUP');
      await expect.poll(errors, { timeout: 10_000 }).toMatch(/\[notice\].*configuration: /);
      await expect.poll(answering, { timeout: 10_000 }).toBe(3);
      expect(errors()).not.toMatch(/\[emerg\]/);
    });

    it('can’t have a port below 1024, which is said with what helps, and the others serve it', async () => {
      if (lowPortsAreFree()) return;
      workers = 2;
      writeConf('$connection', '', 'listen 127.0.0.1:9;');
      const sluice = await startMortal();
      sluice.child.kill('SIGPWR');
      await expect
        .poll(errors, { timeout: 10_000 })
        .toMatch(
          /\[alert\].* worker 1 can't serve: Cannot listen on "127.0.0.1:9": Permission denied.*gave up root's rights/,
        );
      for (let i = 0; i < 12; i++) {
        const client = await RawClient.connect({ host: '127.0.0.1', port: 9, path: null });
        await client.send('GET / HTTP/1.0\r\n\r\n');
        expect(await client.readToEnd()).toMatch(/^HTTP\/1\.1 200 /);
        client.close();
      }
    });
  },
);
