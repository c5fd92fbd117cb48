// Sluice from an nginx.conf: one that says what its command line says, the same with an access log and metrics, the same
// with that log buffered, and one of 1,000 servers and 10,000 locations, which should not make a request dearer.

import { writeFileSync } from 'node:fs';
import type { Program } from '../processes.js';
import type { ProxyUnderTest, StartOptions } from './proxy-under-test.js';
import { findSluice, sluice } from './sluice.js';

export const sluiceConf: ProxyUnderTest = { ...sluice, name: 'sluice-conf', prepare: prepareSmall };
export const sluiceObserved: ProxyUnderTest = observed('sluice-observed', 'access_log access.log;');
export const sluiceBuffered: ProxyUnderTest = observed(
  'sluice-buffered',
  'access_log buffered.log combined buffer=64k;',
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

function observed(name: string, log: string): ProxyUnderTest {
  return {
    ...sluice,
    name,
    prepare(options) {
      const server = smallServer(options.listenPort, 'location = /metrics { metrics; }');
      return prepareConf(name, options, log, server);
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
  log: string,
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
  ${log}
  keepalive_requests 10000000;
  client_max_body_size 0;
  upstream origin { server 127.0.0.1:${upstreamPort}; keepalive ${64 * workers}; keepalive_requests 10000000; }
${servers}
}
`,
  );
  return { name, command: node, args: [findSluice(), '-p', folder, '-c', path, '-e', 'stderr'] };
}
