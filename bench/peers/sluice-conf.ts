// Sluice from an nginx.conf: one that says what its command line says, the same with an access log and metrics, the same
// with that log buffered, the first with traces that nobody records, and one of 1,000 servers and 10,000 locations, which
// should not make a request dearer.

import { writeFileSync } from 'node:fs';
import type { Program } from '../processes.js';
import type { ProxyUnderTest, StartOptions } from './proxy-under-test.js';
import { findSluice, sluice } from './sluice.js';

export const sluiceConf: ProxyUnderTest = { ...sluice, name: 'sluice-conf', prepare: prepareSmall };
const metrics = 'location = /metrics { metrics; }';
export const sluiceObserved: ProxyUnderTest = variant('sluice-observed', 'access_log access.log;', metrics);
export const sluiceBuffered: ProxyUnderTest = variant(
  'sluice-buffered',
  'access_log buffered.log combined buffer=64k;',
  metrics,
);
export const sluiceTraced: ProxyUnderTest = variant(
  'sluice-traced',
  'access_log off; otel_trace $otel_parent_sampled; otel_trace_context propagate;',
  '',
);
export const sluiceLargeConf: ProxyUnderTest = { ...sluice, name: 'sluice-large', prepare: prepareLarge };

const proxying = `
      proxy_pass http://origin;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_request_buffering off;
      proxy_buffering off;`;

function prepareSmall(options: StartOptions): Program {
  return prepareConf('sluice-conf', options, 'access_log off;', smallServer(options.listenPort, ''));
}

/** The small one with more directives in its http and its server block. */
function variant(name: string, http: string, server: string): ProxyUnderTest {
  return {
    ...sluice,
    name,
    prepare(options) {
      return prepareConf(name, options, http, smallServer(options.listenPort, server));
    },
  };
}

/** The small one with a number of workers; each keeps as many connections as nginx's does. */
export function prepareWorkers(options: StartOptions, count: number): Program {
  const server = smallServer(options.listenPort, '');
  return prepareConf(`sluice-${count}-workers`, options, 'access_log off;', server, count);
}

function smallServer(port: number, more: string): string {
  return `
  server {
    listen 127.0.0.1:${port} backlog=1024;
    ${more}
    location / {${proxying}
    }
  }`;
}

function prepareLarge(options: StartOptions): Program {
  return prepareConf('sluice-large', options, 'access_log off;', largeServers(options.listenPort, 1_000, 10));
}

/** Servers by name, each with locations by prefix, the kinds mixed; the first also answers for any other name. */
function largeServers(port: number, serverCount: number, locationCount: number): string {
  return Array.from({ length: serverCount }, (_, server) => {
    const locations = Array.from({ length: locationCount - 2 }, (_, location) => {
      return `    location /app-${server}/part-${location}/ { return 204; }`;
    });
    return `
  server {
    listen 127.0.0.1:${port}${server === 0 ? ' default_server backlog=1024' : ''};
    server_name site-${server}.example *.site-${server}.example;
${locations.join('\n')}
    location ~ \\.php$ { return 403; }
    location / {${proxying}
    }
  }`;
  }).join('');
}

/** Writes the configuration around servers, and returns the command line that serves it. */
function prepareConf(
  name: string,
  options: StartOptions,
  http: string,
  servers: string,
  workers = 1,
): Program {
  const { listenPort, upstreamPort, folder, node } = options;
  const path = `${folder}${name}-${listenPort}.conf`;
  writeFileSync(
    path,
    `daemon off;
worker_processes ${workers};
user root;
pid ${path}.pid;
error_log stderr error;
events { }
http {
  ${http}
  keepalive_requests 10000000;
  client_max_body_size 0;
  upstream origin { server 127.0.0.1:${upstreamPort}; keepalive ${64 * workers}; keepalive_requests 10000000; }
${servers}
}
`,
  );
  return { name, command: node, args: [findSluice(), '-p', folder, '-c', path, '-e', 'stderr'] };
}
