// nginx's command line, with files and processes: what is printed, which exit codes, what signals do.
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawClient, RawOrigin } from '../src/testing/index.js';
import { freePort } from './free-port.js';
import { endPrograms } from './program.js';
import { runSluice, SluiceProcess } from './sluice-process.js';

let folder: string;
let port: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-nginx-'));
  port = await freePort();
});
afterEach(async () => {
  for (const name of ['nginx.pid', 'nginx.pid.oldbin']) {
    if (!existsSync(at(name))) continue;
    const pid = Number(readFileSync(at(name), 'utf8'));
    if (pid > 1) tryKill(pid);
  }
  await endPrograms();
  rmSync(folder, { recursive: true });
});

const at = (name: string) => join(folder, name);
const options = (...more: string[]) => ['-p', `${folder}/`, '-c', 'nginx.conf', '-e', 'error.log', ...more];

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** Writes nginx.conf; its one location answers with `answer`. */
function writeConf(answer: string, main = 'daemon off;'): void {
  writeFileSync(
    at('nginx.conf'),
    `${main}
pid ${at('nginx.pid')};
error_log ${at('error.log')} notice;
events {}
http {
    access_log ${at('access.log')};
    server {
        listen 127.0.0.1:${port};
        location / { return 200 ${answer}; }
    }
}
`,
  );
}

async function start(): Promise<SluiceProcess> {
  const sluice = new SluiceProcess(options());
  await expect.poll(() => existsSync(at('nginx.pid')), { timeout: 10_000 }).toBe(true);
  return sluice;
}

const SOON = { timeout: 10_000 };
const tookOver = () => existsSync(at('nginx.pid.oldbin')) && existsSync(at('nginx.pid'));
/** How many times USR2 was of no use. */
const ignored = () => readFileSync(at('error.log'), 'utf8').match(/changing binary is ignored/g)?.length ?? 0;

const ask = async () =>
  (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text();
const readPid = (name: string) => Number(readFileSync(at(name), 'utf8'));

describe('options', () => {
  it('-V says the version of nginx, ours, and the modules that there are', async () => {
    const { code, stderr } = await runSluice(['-V']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^nginx version: nginx\/1\.31\.5\nsluice version: sluice\/\d+\.\d+\.\d+\n/);
    expect(stderr).toMatch(/^configure arguments: .*--with-http_sub_module.*--without-http_fastcgi_module/m);
    expect(stderr).not.toContain('--without-http_access_module');
  });

  it.each([
    [
      ['-t', 'nginx.conf'],
      'nginx: invalid option: "nginx.conf"\nsluice: a file goes behind -c: -c nginx.conf\n',
    ],
    [['-tx'], 'nginx: invalid option: "x"\nsluice: -? lists the options that nginx has\n'],
    [
      ['-c', 'nginx.conf', '--dashboard', '8081'],
      'nginx: invalid option: "-"\nsluice: "--dashboard" is for running without a file; in one directives say that: sluice directives lists them\n',
    ],
    [['-c'], 'nginx: option "-c" requires file name\n'],
    [['-s', 'start'], 'nginx: invalid option: "-s start"\nsluice: -s takes stop, quit, reopen, reload\n'],
  ])('%j are refused as nginx refuses them, with what would work', async (words, said) => {
    expect(await runSluice(words)).toMatchObject({ code: 1, stderr: said });
  });
});

describe('-t', () => {
  it('says in two lines that all is well, or with -q nothing', async () => {
    writeConf('a');
    expect(await runSluice(options('-t'))).toMatchObject({
      code: 0,
      stderr: `nginx: the configuration file ${folder}/nginx.conf syntax is ok\nnginx: configuration file ${folder}/nginx.conf test is successful\n`,
    });
    expect(await runSluice(options('-tq'))).toMatchObject({ code: 0, stderr: '' });
  });

  it('tells every mistake, in the words of nginx and with what would help, also in the error log', async () => {
    writeFileSync(
      at('nginx.conf'),
      'events {}\nhttp {\n  gzip yes;\n  server { location / { proxy_pas http://a; } }\n}\n',
    );
    const { code, stderr } = await runSluice(options('-t'));
    const file = `${folder}/nginx.conf`;
    expect(code).toBe(1);
    expect(stderr.split('\n')).toEqual([
      `nginx: [emerg] invalid value "yes" in "gzip" directive, it must be "on" or "off" in ${file}:3`,
      `sluice: ${file}:3:8 Cannot parse flag "yes": use on or off`,
      `nginx: [emerg] unknown directive "proxy_pas" in ${file}:4`,
      `sluice: ${file}:4:25 unknown directive "proxy_pas"; did you mean "proxy_pass"?`,
      `nginx: configuration file ${file} test failed`,
      '',
    ]);
    expect(readFileSync(at('error.log'), 'utf8')).toMatch(
      /^[\d/]+ [\d:]+ \[emerg\] \d+#\d+: invalid value "yes"/,
    );
  });

  it('fails for a file that is not there', async () => {
    const { code, stderr } = await runSluice(options('-t'));
    expect(code).toBe(1);
    expect(stderr).toContain(`[emerg] open() "${folder}/nginx.conf" failed (2: No such file or directory)`);
  });

  it('takes directives of -g as standing before the file', async () => {
    writeConf('a');
    const { code, stderr } = await runSluice(options('-t', '-g', 'worker_processes x;'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/\[emerg\] .* in command line\n/);
  });
});

it('-T prints each file once, to the byte', async () => {
  writeConf('a');
  mkdirSync(at('conf.d'));
  const bytes = Buffer.from('# \xff\xfe \xe9\n', 'latin1');
  writeFileSync(at('conf.d/a.conf'), bytes);
  const main = `${readFileSync(at('nginx.conf'), 'utf8')}include conf.d/*.conf;\ninclude conf.d/a.conf;\n`;
  writeFileSync(at('nginx.conf'), main);
  const program = new SluiceProcess(options('-T', '-q'));
  const { code, stdout } = await program.ended;
  expect(code).toBe(0);
  expect(stdout).toEqual(
    Buffer.concat([
      Buffer.from(
        `# configuration file ${folder}/nginx.conf:\n${main}\n# configuration file ${folder}/conf.d/a.conf:\n`,
      ),
      bytes,
      Buffer.from('\n'),
    ]),
  );
});

describe('a process that serves', () => {
  it('takes a new configuration by -s reload, and keeps the old one when the new one is wrong', async () => {
    writeConf('one');
    const sluice = await start();
    expect(await ask()).toBe('one');
    writeConf('two');
    expect((await runSluice(options('-s', 'reload'))).code).toBe(0);
    await expect.poll(ask).toBe('two');
    await expect
      .poll(() => readFileSync(at('error.log'), 'utf8'))
      .toMatch(/\[notice\] .*configuration: location "\/" of server ".*" changed: return\n/);
    writeConf('three', 'daemon off; nosuch;');
    sluice.child.kill('SIGHUP');
    await expect
      .poll(() => readFileSync(at('error.log'), 'utf8'))
      .toMatch(/\[emerg\].*unknown directive "nosuch"/);
    expect(await ask()).toBe('two');
  });

  it('accepts nobody after WINCH, and serves those who waited after HUP', async () => {
    writeConf('one');
    const sluice = await start();
    expect(await ask()).toBe('one');
    sluice.child.kill('SIGWINCH');
    await expect.poll(() => readFileSync(at('error.log'), 'utf8')).toMatch(/SIGWINCH received/);
    let answer = '';
    const waiting = ask().then((text) => {
      answer = text;
    });
    writeConf('two');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(answer).toBe('');
    sluice.child.kill('SIGHUP');
    await waiting;
    expect(answer).toBe('two');
  });

  it('goes on in new log files after -s reopen', async () => {
    writeConf('one');
    await start();
    await ask();
    await expect.poll(() => readFileSync(at('access.log'), 'utf8')).toMatch(/"GET \/ /);
    renameSync(at('access.log'), at('access.log.1'));
    expect((await runSluice(options('-s', 'reopen'))).code).toBe(0);
    await expect.poll(() => existsSync(at('access.log'))).toBe(true);
    await ask();
    await expect.poll(() => readFileSync(at('access.log'), 'utf8')).toMatch(/"GET \/ /);
  });

  it('says when it serves, and how a reload ended', async () => {
    writeConf('a');
    const sluice = await start();
    const lines = () =>
      readFileSync(at('error.log'), 'utf8').match(/(?<=#0: ).*(?:serving|reconfiguring).*/g) ?? [];
    const serving = `serving ${folder}/nginx.conf on 127.0.0.1:${port}`;
    await expect.poll(lines).toEqual([serving]);
    sluice.child.kill('SIGHUP');
    await expect.poll(lines).toEqual([serving, 'SIGHUP received, reconfiguring', serving]);
    writeConf('a b c');
    sluice.child.kill('SIGHUP');
    const failed = 'the reload failed: the configuration before goes on serving';
    await expect.poll(() => lines().at(-1)).toBe(failed);
    expect(await ask()).toBe('a');
  });

  it.each(['quit', 'stop'])('ends by -s %s with code 0 and takes its pid file along', async (word) => {
    writeConf('one');
    const sluice = await start();
    expect(readPid('nginx.pid')).toBe(sluice.child.pid);
    expect((await runSluice(options('-s', word))).code).toBe(0);
    expect((await sluice.ended).code).toBe(0);
    expect(existsSync(at('nginx.pid'))).toBe(false);
    const again = await runSluice(options('-s', word));
    expect(again).toMatchObject({
      code: 1,
      stderr: `nginx: [error] open() "${folder}/nginx.pid" failed (2: No such file or directory)\nsluice: nothing runs with this configuration, or what runs was started with another "pid"\n`,
    });
  });

  it('says which address it cannot have', async () => {
    writeConf('one');
    await start();
    const { code, stderr } = await runSluice(options('-g', `pid ${at('other.pid')};`));
    expect(code).toBe(1);
    expect(stderr).toMatch(/"pid" directive is duplicate/);
    rmSync(at('nginx.pid'));
    const second = await runSluice(options());
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(
      `nginx: [emerg] bind() to 127.0.0.1:${port} failed (98: Address already in use)`,
    );
  });

  it('hands its sockets to a new program on USR2, and ends when it is told', async () => {
    writeConf('one');
    const sluice = await start();
    writeConf('two');
    sluice.child.kill('SIGUSR2');
    await expect
      .poll(() => existsSync(at('nginx.pid.oldbin')) && existsSync(at('nginx.pid')), { timeout: 10_000 })
      .toBe(true);
    expect(readPid('nginx.pid.oldbin')).toBe(sluice.child.pid);
    const exited = once(sluice.child, 'exit');
    sluice.child.kill('SIGQUIT');
    expect(await exited).toEqual([0, null]);
    expect(await ask()).toBe('two');
    expect(existsSync(at('nginx.pid.oldbin'))).toBe(false);
    process.kill(readPid('nginx.pid'), 'SIGQUIT');
    await expect.poll(() => existsSync(at('nginx.pid'))).toBe(false);
  });

  it('moves its pid file, and shares a port that it has, when a reload says so', async () => {
    writeConf('one');
    const sluice = await start();
    const conf = readFileSync(at('nginx.conf'), 'utf8');
    const changed = conf.replace('nginx.pid', 'other.pid').replace(`:${port}`, `:${port} reuseport`);
    writeFileSync(at('nginx.conf'), changed.replace('one', 'two'));
    sluice.child.kill('SIGHUP');
    await expect.poll(() => existsSync(at('nginx.pid')), SOON).toBe(false);
    expect(readPid('other.pid')).toBe(sluice.child.pid);
    expect(await ask()).toBe('two');
    expect((await runSluice(options('-s', 'quit'))).code).toBe(0);
    expect((await sluice.ended).code).toBe(0);
    expect(existsSync(at('other.pid'))).toBe(false);
  });

  it('starts no third program on USR2, whichever of the two is told to', async () => {
    writeConf('one');
    const sluice = await start();
    sluice.child.kill('SIGUSR2');
    await expect.poll(tookOver, SOON).toBe(true);
    const next = readPid('nginx.pid');
    sluice.child.kill('SIGUSR2');
    await expect.poll(ignored).toBe(1);
    process.kill(next, 'SIGUSR2');
    await expect.poll(ignored).toBe(2);
    expect([readPid('nginx.pid.oldbin'), readPid('nginx.pid')]).toEqual([sluice.child.pid, next]);
    // Once one of them has ended, there may be another.
    process.kill(next, 'SIGQUIT');
    await expect.poll(() => readPid('nginx.pid'), SOON).toBe(sluice.child.pid);
    sluice.child.kill('SIGUSR2');
    await expect.poll(tookOver, SOON).toBe(true);
  });

  it('leaves a unix socket to the new program, for everybody as nginx makes it', async () => {
    writeConf('one', `daemon off; worker_processes 2;`);
    const path = at('sock');
    const conf = readFileSync(at('nginx.conf'), 'utf8');
    writeFileSync(at('nginx.conf'), conf.replace('listen', `listen unix:${path}; listen`));
    const sluice = await start();
    expect(statSync(path).mode & 0o666).toBe(0o666);
    sluice.child.kill('SIGUSR2');
    await expect.poll(tookOver, SOON).toBe(true);
    const exited = once(sluice.child, 'exit');
    sluice.child.kill('SIGQUIT');
    await exited;
    const client = await RawClient.connect({ host: '', port: 0, path });
    await client.send('GET / HTTP/1.0\r\n\r\n');
    expect(await client.readToEnd()).toMatch(/one$/);
    expect(readdirSync(folder).filter((name) => name.startsWith('sock'))).toEqual(['sock']);
  });

  it('ignores HUP and USR2 while it ends', async () => {
    const origin = await RawOrigin.start();
    writeConf('one');
    const conf = readFileSync(at('nginx.conf'), 'utf8');
    const slow = `location /slow { proxy_pass http://127.0.0.1:${origin.address.port}; } location / {`;
    writeFileSync(at('nginx.conf'), conf.replace('location / {', slow));
    const sluice = await start();
    const client = await RawClient.connect({ host: '127.0.0.1', port, path: null });
    await client.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    const asked = await origin.accept();
    await asked.readHead();
    const other = await freePort();
    writeFileSync(at('nginx.conf'), conf.replace('listen', `listen 127.0.0.1:${other}; listen`));
    for (const signal of ['SIGQUIT', 'SIGHUP', 'SIGUSR2'] as const) {
      sluice.child.kill(signal);
      await expect.poll(() => readFileSync(at('error.log'), 'utf8')).toContain(`${signal} received`);
    }
    await expect.poll(ignored).toBe(1);
    expect(readPid('nginx.pid')).toBe(sluice.child.pid);
    await asked.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect(await client.readToEnd()).toMatch(/ok$/);
    expect((await sluice.ended).code).toBe(0);
    expect(readFileSync(at('error.log'), 'utf8').match(/: serving /g)).toHaveLength(1);
    expect(existsSync(at('nginx.pid'))).toBe(false);
    await origin.stop();
  });

  it('leaves the terminal with daemon on, once it serves', async () => {
    writeConf('one', 'daemon on;');
    const { code } = await runSluice(options());
    expect(code).toBe(0);
    expect(await ask()).toBe('one');
    process.kill(readPid('nginx.pid'), 'SIGTERM');
    await expect.poll(() => existsSync(at('nginx.pid'))).toBe(false);
  });

  it('says in the foreground why it cannot serve in the background', async () => {
    writeConf('one');
    await start();
    rmSync(at('nginx.pid'));
    writeConf('one', 'daemon on;');
    const { code, stderr } = await runSluice(options());
    expect(code).toBe(1);
    expect(stderr).toContain('Address already in use');
  });
});
