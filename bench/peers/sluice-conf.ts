// Sluice from an nginx.conf: one that says what its command line says, and one of 1,000 servers and 10,000
// locations, which should not make a request dearer.

import { writeFileSync } from 'node:fs';
import type { Program } from '../processes.js';
import type { ProxyUnderTest, StartOptions } from './proxy-under-test.js';
import { findSluice, sluice } from './sluice.js';

export const sluiceConf: ProxyUnderTest = { ...sluice, name: 'sluice-conf', prepare: prepareSmall };
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
  const servers = `
  server {
    listen 127.0.0.1:${options.listenPort} backlog=1024;
    location / {${proxying}
    }
  }`;
  return prepareConf('sluice-conf', options, servers);
}

function prepareLarge(options: StartOptions): Program {
  return prepareConf('sluice-large', options, largeServers(options.listenPort, 1_000, 10));
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
function prepareConf(name: string, options: StartOptions, servers: string): Program {
  const { listenPort, upstreamPort, folder, node } = options;
  const path = `${folder}${name}-${listenPort}.conf`;
  writeFileSync(
    path,
    `daemon off;
user root;
pid ${path}.pid;
error_log stderr error;
events { }
http {
  access_log off;
  keepalive_requests 10000000;
  client_max_body_size 0;
  upstream origin { server 127.0.0.1:${upstreamPort}; keepalive 64; keepalive_requests 10000000; }
${servers}
}
`,
  );
  return { name, command: node, args: [findSluice(), '-p', folder, '-c', path, '-e', 'stderr'] };
}
