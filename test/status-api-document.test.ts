// docs/api/openapi.json against what the status API serves: the same paths and methods, and answers of its schemas.
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import { ROUTES } from '../src/modules/http/api/routes.js';
import { startOrigins } from './answering-origins.js';
import { type ApiResult, call } from './api-client.js';
import { get, serveConf } from './conf-scene.js';
import { DnsServer } from './dns-server.js';
import { folderOf } from './folder.js';

interface Operation {
  readonly requestBody?: unknown;
  readonly responses: Readonly<Record<string, { readonly content?: unknown }>>;
}

const document = JSON.parse(readFileSync(new URL('../docs/api/openapi.json', import.meta.url), 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};

const METHODS = ['get', 'post', 'patch', 'delete'] as const;

const ajv = new Ajv2020({
  strict: false,
  formats: { 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ },
});
ajv.addSchema(document, 'api');

/** Checks an answer against what the document says of it. */
function check(path: string, method: string, { status, json }: ApiResult): void {
  const response = document.paths[path]?.[method]?.responses[status];
  expect(response, `${method} ${path} answers ${status}`).toBeDefined();
  if (response!.content === undefined) {
    expect(json).toBeUndefined();
    return;
  }
  const escaped = path.replaceAll('~', '~0').replaceAll('/', '~1');
  const pointer = `paths/${escaped}/${method}/responses/${status}/content/application~1json/schema`;
  const validate = ajv.getSchema(`api#/${encodeURI(pointer)}`)!;
  expect(validate(json), `${method} ${path}: ${ajv.errorsText(validate.errors)}`).toBe(true);
}

it('the document has the paths and methods that are served, and no others', () => {
  const served = ROUTES.flatMap((route) =>
    METHODS.filter((method) => route[method] !== undefined).map((method) => `${method} ${route.path || '/'}`),
  );
  const documented = Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method] !== undefined).map((method) => `${method} ${path}`),
  );
  expect(documented.sort()).toEqual(served.sort());
});

it('answers are of the schemas in the document', async () => {
  const [a, b] = await startOrigins('a', 'b');
  const dns = await DnsServer.start({ 'app.test': ['A 127.0.0.1'] });
  const conf = await serveConf(`
    proxy_cache_path ${await folderOf()} keys_zone=pages:1m max_size=8m;
    limit_req_zone $uri zone=rate:1m rate=1000r/s;
    limit_conn_zone $uri zone=conns:1m;
    resolver ${dns.name} ipv6=off status_zone=names;
    upstream app {
      zone app 64k;
      server ${a!.name} max_conns=5;
      server app.test:${b!.address.port} resolve backup;
      queue 5 timeout=1s;
    }
    server {
      listen 127.0.0.1:%PORT%;
      status_zone site;
      location / {
        status_zone pages;
        limit_req zone=rate;
        limit_conn conns 9;
        proxy_cache pages;
        proxy_cache_valid 1h;
        proxy_pass http://app;
        health_check interval=50ms;
      }
      location /api { api write=on; }
    }`);
  expect((await get(conf, '/')).body).toBe('a');
  const group = async () => (await call(conf, 'GET', '/api/9/http/upstreams/app')).json;
  await expect.poll(async () => (await group()).peers[0].health_checks.checks).toBeGreaterThan(0);
  const names: Readonly<Record<string, string>> = {
    httpServerZoneName: 'site',
    httpLocationZoneName: 'pages',
    httpLimitConnZoneName: 'conns',
    httpLimitReqZoneName: 'rate',
    httpCacheZoneName: 'pages',
    httpUpstreamName: 'app',
    httpUpstreamServerId: '0',
    resolverZoneName: 'names',
    workerId: '0',
    slabZoneName: 'none',
  };
  const targetOf = (path: string) =>
    `/api/9${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => names[name]!)}`;
  for (const path of Object.keys(document.paths)) {
    check(path, 'get', await call(conf, 'GET', targetOf(path)));
    if (path.includes('{')) {
      check(path, 'get', await call(conf, 'GET', `/api/9${path.replaceAll(/\{\w+\}/g, '77')}`));
    }
  }
  for (const path of ['/http/upstreams', '/http/server_zones']) {
    check(path, 'get', await call(conf, 'GET', `${targetOf(path)}?fields=`));
  }
  const list = '/http/upstreams/{httpUpstreamName}/servers';
  const one = `${list}/{httpUpstreamServerId}`;
  const added = { server: '127.0.0.1:1', slow_start: '1m', drain: true };
  for (const body of [added, added, { server: 'x' }, { colour: 1 }, '{']) {
    check(list, 'post', await call(conf, 'POST', targetOf(list), body));
  }
  check(list, 'get', await call(conf, 'GET', targetOf(list)));
  for (const body of [{ down: true }, { backup: true }, '']) {
    check(one, 'patch', await call(conf, 'PATCH', targetOf(one), body));
  }
  for (const [path, item] of Object.entries(document.paths)) {
    if (item.delete === undefined) continue;
    check(path, 'delete', await call(conf, 'DELETE', targetOf(path)));
    check(path, 'delete', await call(conf, 'DELETE', targetOf(path), undefined, 'Origin: http://x\r\n'));
  }
});

it('the configurations of docs/status-api.md run', async () => {
  const page = readFileSync(new URL('../docs/status-api.md', import.meta.url), 'utf8');
  const [whole, group] = [...page.matchAll(/```nginx\n([\s\S]*?)```/g)].map(([, text]) => text!);
  const folder = await folderOf();
  const conf = await serveConf(whole!.replace('listen 8080', 'listen 127.0.0.1:%PORT%'), {
    prefix: `${folder}/`,
  });
  const { json } = await call(conf, 'GET', '/api/9/http/upstreams/app/servers');
  expect(json).toMatchObject([{ server: '127.0.0.1:9001' }, { server: '127.0.0.1:9002', backup: true }]);
  const kept = group!.replace('/var/lib/sluice', folder);
  await serveConf(`${kept} server { listen 127.0.0.1:%PORT%; location / { proxy_pass http://app; } }`);
});
