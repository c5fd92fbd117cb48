// packaging/: the units as systemd checks them, the Dockerfile against what an image should be, and what both run.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from './free-port.js';
import { endPrograms, hasTool, run } from './program.js';
import { runSluice, SluiceProcess } from './sluice-process.js';

const ROOT = new URL('../', import.meta.url).pathname;
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-packaging-'));
});
afterEach(async () => {
  await endPrograms();
  rmSync(folder, { recursive: true });
});

describe('the units of systemd', () => {
  it.skipIf(!hasTool('systemd-analyze'))('have nothing that systemd would complain of', async () => {
    for (const name of ['sluice.service', 'sluice.socket']) {
      const unit = read(`packaging/systemd/${name}`).replaceAll('/usr/bin/sluice', process.execPath);
      writeFileSync(join(folder, name), unit);
    }
    const units = ['sluice.service', 'sluice.socket'].map((name) => join(folder, name));
    const { code, stdout, stderr } = await run('systemd-analyze', ['verify', ...units]);
    expect({ code, said: `${stdout}${stderr}` }).toEqual({ code: 0, said: '' });
  });

  it('run options that there are, and check the configuration before a reload', async () => {
    const unit = read('packaging/systemd/sluice.service');
    const lines = [...unit.matchAll(/^Exec\w+=\/usr\/bin\/sluice (.*)$/gm)].map((match) => match[1]!);
    expect(lines).toHaveLength(2);
    writeFileSync(join(folder, 'nginx.conf'), 'events {} error_log stderr;');
    for (const line of lines) {
      const words = line.replaceAll('"', '').replace('daemon off;', 'daemon+off;').split(' ');
      const args = words.map((word) => word.replace('+', ' ').replace('/etc/sluice', folder));
      const { code, stderr } = await runSluice([...args, '-t', '-q']);
      expect([code, stderr]).toEqual([0, '']);
    }
    expect(unit).toMatch(/^ExecReload=.*-t -q\nExecReload=\/bin\/kill -HUP \$MAINPID$/m);
  });
});

it('the configuration of docs/running.md runs', async () => {
  const [, text] = /```nginx\n(.*?)```/s.exec(read('docs/running.md'))!;
  writeFileSync(join(folder, 'nginx.conf'), text!);
  expect(await runSluice(['-p', `${folder}/`, '-c', 'nginx.conf', '-t', '-q'])).toMatchObject({
    code: 0,
    stderr: '',
  });
});

describe('the Dockerfile', () => {
  const instructions = read('packaging/Dockerfile')
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '');
  const valuesOf = (name: string) =>
    instructions.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));

  it('fetches by npm alone, copies what exists, and runs as a user without rights', () => {
    for (const command of valuesOf('RUN')) expect(command).toMatch(/^(?:npm (?:ci|run build)\b|ln -s )/);
    expect(instructions.filter((line) => /\b(?:curl|wget|https?:\/\/(?!127))/.test(line))).toEqual([]);
    expect(valuesOf('ADD')).toEqual([]);
    const copied = valuesOf('COPY').filter((value) => !value.startsWith('--from'));
    const ignored = read('.dockerignore');
    for (const name of copied.flatMap((value) => value.split(' ').slice(0, -1))) {
      expect([name, existsSync(join(ROOT, name))]).toEqual([name, true]);
      expect(ignored).toContain(`\n!${name.split('/')[0]}`);
    }
    expect(valuesOf('USER')).toEqual(['node']);
    expect(valuesOf('STOPSIGNAL')).toEqual(['SIGQUIT']);
  });

  it('serves a configuration whose health its check finds, and drains at its stop signal', async () => {
    const [port, healthPort] = [await freePort(), await freePort()];
    const own = (text: string) =>
      text.replaceAll('8081', String(healthPort)).replaceAll('8080', `127.0.0.1:${port}`);
    writeFileSync(join(folder, 'nginx.conf'), own(read('packaging/nginx.conf')));
    const [command, ...args] = JSON.parse(valuesOf('CMD').at(-1)!) as string[];
    expect(command).toBe('sluice');
    const places = (word: string) => word.replace('/var/lib/sluice', folder).replace('/etc/sluice', folder);
    const sluice = new SluiceProcess(args.map(places));
    const check = /CMD (\[.*\])$/.exec(valuesOf('HEALTHCHECK')[0]!)![1]!;
    const [node, ...words] = JSON.parse(own(check)) as string[];
    expect(node).toBe('node');
    await expect.poll(async () => (await run(process.execPath, words)).code, { timeout: 10_000 }).toBe(0);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toMatch(/^Sluice runs\./);
    await sluice.said(/"GET \/ HTTP\/1.1" 200/, 'stdout');
    sluice.child.kill('SIGQUIT');
    expect((await sluice.ended).code).toBe(0);
    expect((await run(process.execPath, words)).code).toBe(1);
  });
});
