// sluice as a service of systemd: sockets that were opened for it, and what it tells of itself.
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from './free-port.js';
import { endPrograms, hasTool, Program, PYTHON } from './program.js';
import { MAIN } from './sluice-process.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-systemd-'));
});
afterEach(async () => {
  await endPrograms();
  rmSync(folder, { recursive: true });
});

const at = (name: string) => join(folder, name);
const errors = () => (existsSync(at('error.log')) ? readFileSync(at('error.log'), 'utf8') : '');
const words = () => [process.execPath, MAIN, '-p', `${folder}/`, '-c', 'nginx.conf'];
const server = (listen: string, answer: string) =>
  `server { listen ${listen}; location / { return 200 ${answer}; } }`;

function writeConf(...servers: string[]): void {
  const http = `http { access_log off; ${servers.join(' ')} }`;
  writeFileSync(at('nginx.conf'), `daemon off; pid nginx.pid; error_log error.log notice; events {} ${http}`);
}

/** The body of the answer to a request on a connection of its own. */
async function ask(where: { port: number; host?: string } | { path: string }): Promise<string> {
  const socket = connect(where);
  socket.write('GET / HTTP/1.0\r\n\r\n');
  return (await text(socket)).split('\r\n').at(-1)!;
}

describe.skipIf(!hasTool(PYTHON))('sockets that were opened for it', () => {
  /** Opens sockets as systemd does, and becomes the program. */
  const OPENER = `
import os, socket, sys
sockets = []
count = int(sys.argv[1])
for where in sys.argv[2:2 + count]:
    kind, _, rest = where.partition(' ')
    host, _, port = rest.rpartition(' ')
    made = socket.socket(getattr(socket, kind), socket.SOCK_STREAM)
    made.bind(rest if kind == 'AF_UNIX' else (host, int(port)))
    made.listen(16)
    sockets.append(made)
for i, made in enumerate(sockets):
    os.dup2(os.dup(made.fileno()), 100 + i)
for i in range(count):
    os.dup2(100 + i, 3 + i, inheritable=True)
os.environ.update(LISTEN_PID=os.environ.get('TEST_PID', str(os.getpid())), LISTEN_FDS=str(count), LISTEN_FDNAMES='web:web')
os.execv(sys.argv[2 + count], sys.argv[2 + count:])
`;

  const startOn = (sockets: readonly string[], environment: NodeJS.ProcessEnv = {}) =>
    new Program(PYTHON, ['-c', OPENER, String(sockets.length), ...sockets, ...words()], {
      env: { PATH: process.env.PATH, ...environment },
    });

  it('serve the addresses that they are bound to, other addresses get their own', async () => {
    const [four, six, own] = [await freePort(), await freePort(), await freePort()];
    const path = at('web.sock');
    writeConf(
      server(`127.0.0.1:${four}`, 'four'),
      server(`[::1]:${six}`, 'six'),
      server(`unix:${path}`, 'unix'),
      server(`127.0.0.1:${own}`, 'own'),
    );
    startOn([`AF_INET 127.0.0.1 ${four}`, `AF_UNIX ${path}`, `AF_INET6 ::1 ${six}`]);
    await expect.poll(() => existsSync(at('nginx.pid')), { timeout: 10_000 }).toBe(true);
    expect(await ask({ port: four, host: '127.0.0.1' })).toBe('four');
    expect(await ask({ port: six, host: '::1' })).toBe('six');
    expect(await ask({ path })).toBe('unix');
    expect(await ask({ port: own, host: '127.0.0.1' })).toBe('own');
    expect(errors()).not.toMatch(/\[(?:warn|emerg)\]/);
  });

  it('that no listen asks for are told of, and are there for a reload', async () => {
    const [port, later] = [await freePort(), await freePort()];
    writeConf(server(`127.0.0.1:${port}`, 'one'));
    const sluice = startOn([`AF_INET 127.0.0.1 ${later}`]);
    await expect.poll(errors, { timeout: 10_000 }).toContain(`[warn]`);
    expect(errors()).toContain(
      `socket "127.0.0.1:${later}" was handed over, but no "listen" asks for it: its clients wait`,
    );
    const waiting = ask({ port: later, host: '127.0.0.1' });
    writeConf(server(`127.0.0.1:${port}`, 'one'), server(`127.0.0.1:${later}`, 'two'));
    sluice.child.kill('SIGHUP');
    expect(await waiting).toBe('two');
  });

  it('are left alone when another process is meant', async () => {
    const port = await freePort();
    writeConf(server(`127.0.0.1:${port}`, 'one'));
    const { code, stderr } = await startOn([`AF_INET 127.0.0.1 ${port}`], { TEST_PID: '1' }).ended;
    expect([code, stderr]).toEqual([1, expect.stringContaining('Address already in use')]);
  });
});

describe.skipIf(!hasTool('systemd-notify') || !hasTool(PYTHON))('what it tells the service manager', () => {
  /** Prints each message that comes, its lines apart by spaces. */
  const RECEIVER = `
import socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print('bound', flush=True)
while True:
    message = receiver.recv(4096).decode()
    if 'BARRIER' not in message: print(message.replace('\\n', ' '), flush=True)
`;

  async function startTold(environment: NodeJS.ProcessEnv = {}): Promise<{ sluice: Program; told: Program }> {
    const told = new Program(PYTHON, ['-c', RECEIVER, at('notify.sock')]);
    await told.said(/bound\n/);
    const [command, ...rest] = words();
    const env = { PATH: process.env.PATH, NOTIFY_SOCKET: at('notify.sock'), ...environment };
    return { sluice: new Program(command!, rest, { env }), told };
  }

  it('ready, reloading, ready again, whether the reload failed, and that it ends', async () => {
    const port = await freePort();
    writeConf(server(`127.0.0.1:${port}`, 'one'));
    const { sluice, told } = await startTold();
    const where = `serving ${folder}/nginx.conf on 127.0.0.1:${port}`;
    await told.said(new RegExp(`READY=1 MAINPID=${sluice.pid} STATUS=${where}\\n`));
    sluice.child.kill('SIGHUP');
    await told.said(/RELOADING=1 MONOTONIC_USEC=\d+ STATUS=reloading\nREADY=1 .*\n/);
    writeConf('nonsense;');
    sluice.child.kill('SIGHUP');
    await told.said(
      new RegExp(`STATUS=${where}; as before, since the last reload failed: see the error log\\n`),
    );
    sluice.child.kill('SIGQUIT');
    await told.said(/STOPPING=1 STATUS=finishing what runs\n/);
    expect((await sluice.ended).code).toBe(0);
  });

  it('which process is the one to watch, once another one has taken over', async () => {
    const port = await freePort();
    writeConf(server(`127.0.0.1:${port}`, 'one'));
    const { sluice, told } = await startTold();
    await told.said(new RegExp(`READY=1 MAINPID=${sluice.pid} `));
    sluice.child.kill('SIGUSR2');
    const [, heir] = await told.said(new RegExp(`READY=1 MAINPID=(?!${sluice.pid} )(\\d+) `));
    try {
      const exited = once(sluice.child, 'exit');
      sluice.child.kill('SIGQUIT');
      expect(await exited).toEqual([0, null]);
      expect(await ask({ port })).toBe('one');
      expect(readFileSync(at('nginx.pid'), 'utf8')).toBe(`${heir}\n`);
    } finally {
      process.kill(Number(heir), 'SIGTERM');
    }
    await expect.poll(() => existsSync(at('nginx.pid'))).toBe(false);
  });

  it('that it is alive, as often as its watchdog wants', async () => {
    writeConf(server(`127.0.0.1:${await freePort()}`, 'one'));
    const { told } = await startTold({ WATCHDOG_USEC: '200000' });
    await told.said(/WATCHDOG=1\nWATCHDOG=1\n/);
  });

  it('nothing where the tool is missing, which it logs once', async () => {
    writeConf(server(`127.0.0.1:${await freePort()}`, 'one'));
    const { sluice } = await startTold({ PATH: '/nowhere' });
    await expect.poll(errors, { timeout: 10_000 }).toMatch(/Cannot tell the service manager "READY=1/);
    sluice.child.kill('SIGHUP');
    await expect.poll(errors).toMatch(/exited with code 0/);
    expect(errors().match(/systemd-notify can't be run .*use Type=exec/g)).toHaveLength(1);
  });

  it('what it could not when the tool can be run again', async () => {
    writeConf(server(`127.0.0.1:${await freePort()}`, 'one'));
    mkdirSync(at('bin'));
    const { sluice, told } = await startTold({ PATH: at('bin') });
    await expect.poll(errors, { timeout: 10_000 }).toMatch(/Cannot tell the service manager "READY=1/);
    const folders = process.env.PATH!.split(delimiter);
    const tool = folders.map((path) => join(path, 'systemd-notify')).find((path) => existsSync(path));
    symlinkSync(tool!, at('bin/systemd-notify'));
    sluice.child.kill('SIGHUP');
    await told.said(/RELOADING=1 MONOTONIC_USEC=\d+ STATUS=reloading\nREADY=1 .*\n/);
  });
});
