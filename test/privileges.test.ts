// `user nobody nogroup;` in a process that root started: what it still can do as that user, and what it says of the rest.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
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
import { freePort } from './free-port.js';
import { endPrograms } from './program.js';
import { runSluice, SluiceProcess } from './sluice-process.js';

let folder: string;
let port: number;

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
  await expect
    .poll(() => (existsSync(at('logs/nginx.pid')) ? readFileSync(at('logs/nginx.pid'), 'utf8') : ''), {
      timeout: 10_000,
    })
    .not.toBe('');
  // The number is there before the rights are gone; what answers has given them up.
  await expect.poll(ask, { timeout: 10_000 }).not.toBe('');
  await expect.poll(() => uidOf(sluice.pid)).toBe(NOBODY);
  return sluice;
}

const NOBODY = Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }));
const uidOf = (pid: number) =>
  Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]);
const isRoot = process.getuid?.() === 0;
if (!isRoot) process.stderr.write('skipped: what a process of root gives to its user needs root\n');
const lowPortsAreFree = () =>
  Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'latin1')) < 1024;

describe.skipIf(!isRoot)('a process that root started for user nobody', () => {
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
});
