// The package as a stranger gets it: packed, installed in an empty folder, run by its command and imported by
// its name. Needs dist/ (`npm test` builds it); what the proxy does with traffic is tested elsewhere.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const project = join(import.meta.dirname, '..');
const version: string = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')).version;

// The command starts with `#!/usr/bin/env node`: it has to find the Node that runs this test.
const env = { ...process.env, PATH: dirname(process.execPath) + delimiter + process.env.PATH };
const run = promisify(execFile);

let folder: string;
let command: string;
let packedFiles: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-package-'));
  command = join(folder, 'node_modules/.bin/sluice');
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  // Without scripts, as packing would build again under the tests that run beside this one.
  const packing = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const [packed] = JSON.parse((await run('npm', packing, { cwd: project, env })).stdout);
  packedFiles = packed.files.map((file: { path: string }) => file.path);
  await run('npm', ['install', '--prefer-offline', `./${packed.filename}`], { cwd: folder, env });
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Waits for the line on standard error that tells the port the system chose. */
async function readListeningPort(stderr: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stderr.iterator({ destroyOnReturn: false })) {
    text += chunk;
    const port = /listening on 127\.0\.0\.1:(\d+)/.exec(text)?.[1];
    if (port !== undefined) return port;
  }
  throw new Error(`the command ended without listening; it said: ${text}`);
}

test('the package holds what runs, its types and its papers, and nothing else', () => {
  const readmes = readdirSync(project).filter((name) => name.startsWith('README'));
  const papers = ['CHANGELOG.md', 'LICENSE', 'package.json', ...readmes];
  const page = ['app.css', 'app.js', 'icon.svg', 'index.html', 'licenses.txt'];
  const pageFiles = packedFiles.filter((path) => path.startsWith('dist/dashboard/'));
  expect(pageFiles.sort()).toEqual(page.map((name) => `dist/dashboard/${name}`));
  const code = packedFiles.filter((path) => !pageFiles.includes(path));
  const shipped = code.filter((path) => !/^dist\/.+\.(js|d\.ts)$/.test(path));
  expect(shipped.sort()).toEqual(papers.sort());
  expect(packedFiles.filter((path) => /\.test\.|\/contract\./.test(path))).toEqual([]);
  const scripts = code.filter((path) => path.endsWith('.js'));
  // What the build puts the command's modules into, which nobody imports.
  const isBundle = (path: string) => /^dist\/cli\/bundle-\w+\.js$/.test(path);
  expect(scripts.filter(isBundle)).toHaveLength(1);
  const declarations = code.filter((path) => path.endsWith('.d.ts'));
  expect(declarations.map((path) => path.replace(/\.d\.ts$/, '.js')).sort()).toEqual(
    scripts.filter((path) => !isBundle(path)).sort(),
  );
  expect(scripts).toContain('dist/cli/main.js');
});

test.skipIf(process.platform === 'win32')('the installed command starts with 64 open files', async () => {
  writeFileSync(join(folder, 'small.conf'), 'error_log stderr; events {} http {}');
  const words = ['-c', 'ulimit -n 64 && exec "$0" -t -c "$1"', command, join(folder, 'small.conf')];
  expect((await run('/bin/sh', words, { env })).stderr).toContain('test is successful');
});

test('the installed command prints the version of the package', async () => {
  const { stdout } = await run(command, ['--version'], { env });
  expect(stdout).toBe(`sluice ${version}\n`);
});

test('the installed command proxies a GET and leaves with 0 on SIGTERM', async () => {
  const origin = createServer((request, response) => response.end(`origin saw ${request.url}`));
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  const originPort = (origin.address() as AddressInfo).port;
  const proxy = spawn(command, ['--listen', '127.0.0.1:0', '--to', `127.0.0.1:${originPort}`], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    const port = await readListeningPort(proxy.stderr);
    const answer = await fetch(`http://127.0.0.1:${port}/a?b=c`);
    expect(await answer.text()).toBe('origin saw /a?b=c');
    proxy.kill('SIGTERM');
    expect(await once(proxy, 'exit')).toEqual([0, null]);
  } finally {
    proxy.kill('SIGKILL');
    origin.close();
  }
});

// A program as a user writes it. That the last line does not compile shows that the types are really there.
const program = `import { type ProxyServer, parseAddress, startProxy } from 'sluice';
import { FakeClock } from 'sluice/testing';

const local = (port: number) => parseAddress(String(port), { host: '127.0.0.1', port });
const server: ProxyServer = await startProxy({ listen: [local(0)], peers: [{ address: local(9) }] });
console.log(server.addresses[0]!.host, typeof FakeClock);
await server.stop();
// @ts-expect-error peers are needed
export const mistake = () => startProxy({ listen: [] });
`;

test('a program that imports the installed package compiles under strict checks and runs', async () => {
  writeFileSync(join(folder, 'program.ts'), program);
  const flags = '--strict --module nodenext --target es2023 --lib es2023 --types node --typeRoots'.split(' ');
  const typeRoots = join(project, 'node_modules/@types');
  const compiler = join(project, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [compiler, ...flags, typeRoots, 'program.ts'], { cwd: folder, env }).catch(
    (error) => expect.fail(error.stdout),
  );
  const { stdout } = await run(process.execPath, ['program.js'], { cwd: folder, env });
  expect(stdout).toBe('127.0.0.1 function\n');
}, 60_000);
