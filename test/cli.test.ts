/*
 * The command as people meet it: help, mistakes, the way a request goes, logs. Signals are in
 * signals.test.ts.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endPrograms, Program } from './program.js';
import { MAIN, runSluice, SluiceProcess } from './sluice-process.js';

/** script(1), which makes a terminal for a program. */
const SCRIPT = '/usr/bin/script';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'));
});
afterEach(async () => {
  await endPrograms();
  rmSync(folder, { recursive: true });
});

async function startEcho(): Promise<string> {
  return (await new SluiceProcess(['echo', '--listen', '127.0.0.1:0']).origin()).slice('http://'.length);
}

describe('sluice --help and --version', () => {
  it('print to stdout and exit 0', async () => {
    const help = await runSluice(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toMatch(/^Usage: sluice \[flags\] \[host\] \[port\]\n/);
    const version = await runSluice(['--version']);
    expect(version).toMatchObject({ code: 0, stderr: '' });
    expect(version.stdout).toMatch(/^sluice \d+\.\d+\.\d+\n$/);
  });

  it('say so when it could not be written', async () => {
    const command = `"${process.execPath}" "${MAIN}" --help > /dev/full`;
    const { code, stderr } = await new Program('/bin/sh', ['-c', command]).ended;
    expect(stderr).toBe('Cannot write to standard output: No space left on device\n');
    expect(code).toBe(1);
  });

  it('say nothing to a reader that has gone', async () => {
    const command = `"${process.execPath}" "${MAIN}" directives | head -n 1`;
    const { stderr, stdout } = await new Program('/bin/sh', ['-c', command]).ended;
    expect(stderr).toBe('');
    expect(stdout.toString().trim().split('\n')).toHaveLength(1);
  });

  it('help of a subcommand shows its own flags', async () => {
    for (const args of [
      ['echo', '--help'],
      ['help', 'echo'],
    ]) {
      const { code, stdout } = await runSluice(args);
      expect(code).toBe(0);
      expect(stdout).toContain('Usage: sluice echo [flags]');
      expect(stdout).not.toContain('--to');
    }
  });
});

describe('a mistake gets one line on stderr and exit code 2', () => {
  it.each([
    [['--lisen', '8080'], 'Cannot use "--lisen": there is no such flag; did you mean "--listen"?'],
    [['help', 'ehco'], 'Cannot help with "ehco": there is no such command; did you mean "echo"?'],
    [['help', 'me'], 'Cannot help with "me": there is no such command; sluice --help lists them'],
    [['reload'], 'Cannot run "reload": there is no such command; write -s reload -c nginx.conf'],
    [['ehco'], 'Cannot run "ehco": there is no such command; did you mean "echo"?'],
    [['--listen', '80', 'echo'], 'Cannot use "--listen" before "echo": the flags of echo go after it'],
    [
      ['--to', 'http://127.0.0.1:9001'],
      '--to: Cannot send to "http://127.0.0.1:9001": a peer is an address, not a URL; use 127.0.0.1:9001',
    ],
    [
      ['demo', '--echo-ports', '1'],
      '--echo-ports: Cannot use ports "1": two ports are needed; write them like 9001,9002',
    ],
    [
      ['192.0.2.1', '8080'],
      'Cannot listen on "192.0.2.1:8080": "192.0.2.1" is not an address of this machine; use 127.0.0.1, or 0.0.0.0 for all of them',
    ],
    [
      ['echo', '--listen', '192.0.2.1:1234'],
      'Cannot listen on "192.0.2.1:1234": "192.0.2.1" is not an address of this machine; use 127.0.0.1, or 0.0.0.0 for all of them',
    ],
    [
      ['--listen', 'unix:/no/such/folder/a.sock'],
      'Cannot listen on "unix:/no/such/folder/a.sock": no such folder, or no permission to write to it; choose another: --listen unix:/tmp/sluice.sock',
    ],
    [
      ['--access-log', '/no/such/folder/a.log'],
      '--access-log: Cannot open log "/no/such/folder/a.log": No such file or directory; use a file that can be written, stdout, stderr or off',
    ],
  ])('sluice %j', async (args, line) => {
    expect(await runSluice(args)).toEqual({ code: 2, stdout: '', stderr: `sluice: ${line}\n` });
  });

  it('in a variable, which is named', async () => {
    expect(await runSluice([], { SLUICE_READ_TIMEOUT: '10x' })).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'sluice: SLUICE_READ_TIMEOUT: Cannot parse time "10x": unknown unit "x"; use ms, s, m, h, d, w, M or y\n',
    });
  });

  it('a host name that nobody knows', async () => {
    const { code, stderr } = await runSluice(['no-such-host.invalid', '8080']);
    expect(code).toBe(2);
    expect(stderr).toBe(
      'sluice: Cannot listen on "no-such-host.invalid:8080": the name "no-such-host.invalid" is not known; use an address such as 127.0.0.1\n',
    );
  });

  it('a port in use, with another to choose', async () => {
    const taken = await startEcho();
    const port = Number(taken.split(':')[1]);
    const inUse = `sluice: Cannot listen on "${taken}": port ${port} is in use; stop what holds it or choose another`;
    const next = port === 65535 ? 8080 : port + 1;
    expect((await runSluice(['--listen', taken])).stderr).toBe(`${inUse}: --listen ${next}\n`);
    expect((await runSluice(['echo', '--listen', taken])).stderr).toBe(`${inUse}: --listen ${next}\n`);
    const demo = await runSluice(['demo', '--listen', taken, '--echo-ports', '0,0']);
    expect(demo).toEqual({ code: 2, stdout: '', stderr: `${inUse}: --listen ${next}\n` });
    const page = await runSluice(['--listen', '127.0.0.1:0', '--dashboard', taken]);
    expect(page).toEqual({ code: 2, stdout: '', stderr: `${inUse}: --dashboard ${next}\n` });
    const echo = await runSluice(['demo', '--listen', '127.0.0.1:0', '--echo-ports', `0,${port}`]);
    expect(echo.code).toBe(2);
    expect(echo.stderr).toMatch(/is in use; stop what holds it or choose another: --echo-ports \d+,\d+\n$/);
  });
});

describe('sluice', () => {
  it('sends to its peers by weight, from flags', async () => {
    const [a, b] = [await startEcho(), await startEcho()];
    const origin = await new SluiceProcess([
      '--listen',
      '127.0.0.1:0',
      '--to',
      a,
      '--to',
      `${b},weight=3`,
    ]).origin();
    const counts = new Map([
      [a, 0],
      [b, 0],
    ]);
    for (let i = 0; i < 8; i++) {
      const response = await fetch(`${origin}/p?x=1`, { method: 'POST', body: 'hello' });
      expect(await response.json()).toMatchObject({
        method: 'POST',
        path: '/p',
        query_params: { x: '1' },
        body: 'hello',
      });
      const peer = response.headers.get('x-echo-server')!;
      counts.set(peer, counts.get(peer)! + 1);
    }
    expect(counts).toEqual(
      new Map([
        [a, 2],
        [b, 6],
      ]),
    );
  });

  it('takes everything from the environment', async () => {
    const echo = await startEcho();
    const log = join(folder, 'access.log');
    const sluice = new SluiceProcess([], {
      SLUICE_LISTEN: '127.0.0.1:0',
      SLUICE_TO: `${echo},weight=2`,
      SLUICE_ACCESS_LOG: log,
    });
    expect((await fetch(`${await sluice.origin()}/from-env`)).headers.get('x-echo-server')).toBe(echo);
    sluice.child.kill('SIGTERM');
    expect(await sluice.ended).toMatchObject({ code: 0 });
    expect(sluice.stdout).toBe('');
    expect(readFileSync(log, 'utf8')).toContain('"GET /from-env HTTP/1.1" 200');
  });

  it('takes host and port as words', async () => {
    expect(await new SluiceProcess(['127.0.0.1', '0']).origin()).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('logs a line per request to stdout', async () => {
    const echo = await startEcho();
    const sluice = new SluiceProcess(['--listen', '127.0.0.1:0', '--to', echo]);
    await fetch(`${await sluice.origin()}/logged?x=1`, { headers: { 'User-Agent': 'test' } });
    const [line] = await sluice.said(/^.*\n/, 'stdout');
    const time = '\\d+\\.\\d{3}';
    expect(line).toMatch(
      new RegExp(
        `^127\\.0\\.0\\.1 - - \\[.*\\] "GET /logged\\?x=1 HTTP/1\\.1" 200 \\d+ "-" "test" ` +
          `upstream=${echo} ustatus=200 rt=${time} uct=${time} uht=${time} urt=${time}\n$`,
      ),
    );
  });

  it('says in the error log why it answered 502', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => closed.once('listening', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const sluice = new SluiceProcess(['--listen', '127.0.0.1:0', '--to', `127.0.0.1:${port}`]);
    expect((await fetch(await sluice.origin())).status).toBe(502);
    const [line] = await sluice.said(/.*\[error\].*\n/, 'stderr');
    expect(line).toContain(`127.0.0.1:${port}`);
    expect(line).toContain('Connection refused');
  });

  it('goes on when the reader of its access log has gone', async () => {
    const sluice = new SluiceProcess(['--listen', '127.0.0.1:0', '--to', await startEcho()]);
    const origin = await sluice.origin();
    sluice.child.stdout!.destroy();
    for (let i = 0; i < 3; i++) expect((await fetch(origin)).status).toBe(200);
    expect(sluice.child.exitCode).toBeNull();
  });

  it.skipIf(!existsSync(SCRIPT))('greets a terminal with what to type next', async () => {
    const command = `exec ${process.execPath} ${MAIN} --listen 127.0.0.1:0`;
    const terminal = spawn(SCRIPT, ['-qefc', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      let screen = '';
      for await (const text of terminal.stdout.setEncoding('utf8')) {
        screen += text;
        if (screen.includes('Below: a line per request.')) break;
      }
      expect(screen).toMatch(/listens on +http:\/\/127\.0\.0\.1:\d+/);
      expect(screen).toMatch(/sends to +127\.0\.0\.1:9001/);
      expect(screen).toMatch(/curl http:\/\/127\.0\.0\.1:\d+\//);
    } finally {
      terminal.kill();
    }
  });
});

it('sluice demo runs two echo apps behind the proxy and says what to type', async () => {
  const demo = new SluiceProcess(['demo', '--listen', '127.0.0.1:0', '--echo-ports', '0,0']);
  const origin = await demo.origin();
  await demo.said(/Ctrl\+C ends all three/, 'stderr');
  expect(demo.stderr).toContain(`curl '${origin}/hello?name=you'`);
  const first = (await fetch(origin)).headers.get('x-echo-server');
  const second = (await fetch(origin)).headers.get('x-echo-server');
  expect(new Set([first, second]).size).toBe(2);
  expect(demo.stderr).toContain(first);
  expect(demo.stderr).toContain(second);
  const [page] = /(?<=dashboard +)http:\S+/.exec(demo.stderr)!;
  expect(await (await fetch(page)).text()).toContain('<title>');
});
