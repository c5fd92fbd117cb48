// `sluice top` beside a running proxy: what it prints once, on a terminal, and of what it can't ask.
import { afterEach, expect, it } from 'vitest';
import { get, serveConf } from './conf-scene.js';
import { endPrograms, hasTool, run } from './program.js';
import { MAIN, runSluice } from './sluice-process.js';

afterEach(endPrograms);

const CONF = `
events {}
http {
    upstream app { zone app 64k; server 127.0.0.1:1; server 127.0.0.1:2 down; }
    server {
        listen 127.0.0.1:%PORT%;
        status_zone shop;
        location / { return 200 ok; }
        location /api { api; }
    }
}
`;

it('prints servers and upstreams once where standard output is no terminal', async () => {
  const conf = await serveConf(CONF);
  for (let i = 0; i < 3; i++) await get(conf, '/');
  const url = `http://127.0.0.1:${conf.address.port}/api`;
  const { code, stdout, stderr } = await runSluice(['top', url, '--interval', '0.2']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^sluice-\d+\.\d+\.\d+ {2}\S+ requests\/s/);
  expect(stdout).toMatch(/^shop +\d/m);
  expect(stdout).toMatch(/^upstream app .*state$/m);
  expect(stdout).toMatch(/^ {2}127\.0\.0\.1:2 .* down$/m);
});

it.skipIf(!hasTool('script'))('shows it on a terminal until q', async () => {
  const conf = await serveConf(CONF);
  const command = `${process.execPath} ${MAIN} top http://127.0.0.1:${conf.address.port}/api --interval 0.2`;
  const { code, stdout } = await run('script', ['-qec', command, '/dev/null'], {
    input: 'q',
    env: { PATH: process.env.PATH, TERM: 'xterm' },
  });
  expect(code).toBe(0);
  expect(stdout.toString()).toMatch(/\bshop\b/);
  expect(stdout.toString().includes('\u001b[?25h\u001b[?1049l')).toBe(true);
});

it.each([
  [
    ['ftp://a/'],
    /^sluice: Cannot use "ftp:\/\/a\/": write a URL, such as http:\/\/127\.0\.0\.1:8080\/api\n$/,
  ],
  [
    ['http://127.0.0.1:1/api'],
    /^sluice: Cannot ask "http:\/\/127\.0\.0\.1:1\/api\/9\/nginx": bad port; is the proxy running/,
  ],
  [
    ['http://a/', '--interval', 'x'],
    /^sluice: Cannot use "--interval x": write seconds, such as 1 or 0\.5\n$/,
  ],
])('says what is wrong with %j', async (args, message) => {
  const { code, stderr } = await runSluice(['top', ...args]);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});

it.each(['/api', '/api/', '/api/9', '/dash', ''])(
  'finds the API by a URL that ends in "%s"',
  async (path) => {
    const conf = await serveConf(
      CONF.replace(
        'location /api',
        'location /dash/ { dashboard; } location /other { return 404; } location /api',
      ),
    );
    const url = `127.0.0.1:${conf.address.port}${path}`;
    const { code, stdout, stderr } = await runSluice(['top', url, '--interval', '0.1', '--once']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^shop +\d/m);
  },
);

it('takes no other JSON for the API', async () => {
  const conf = await serveConf('server { listen %PORT%; default_type application/json; return 200 "{}"; }');
  const { code, stderr } = await runSluice(['top', `http://127.0.0.1:${conf.address.port}/`]);
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /^sluice: Cannot use "http:\/\/127\.0\.0\.1:\d+": what answers there is no status API; name a location/,
  );
});

it('says what is wrong where there is no API', async () => {
  const conf = await serveConf(CONF);
  const { code, stderr } = await runSluice(['top', `http://127.0.0.1:${conf.address.port}/nothing`]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/Cannot use ".*\/nothing\/9\/\w+": .*location with "api;" in it/);
});
