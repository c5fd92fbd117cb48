// nginx from Debian: one worker unless told otherwise, everything else as an operator who wants speed would set it.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { Program } from '../processes.js';
import type { ProxyUnderTest, StartOptions } from './proxy-under-test.js';

export const nginx: ProxyUnderTest = {
  name: 'nginx',
  isNodePeer: false,
  debianPackage: 'nginx',
  prepare: (options) => prepareNginxProxy(options, 1),
  readVersion: () => /nginx\/(\S+)/.exec(spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr)?.[1] ?? '?',
};

/**
 * The proxy with a number of workers; several have a socket each, as those of sluice. Each keeps as many connections as
 * all clients of all workers have: the kernel deals clients out unevenly, and who got more would connect anew each time.
 */
export function prepareNginxProxy(
  { listenPort, upstreamPort, folder }: StartOptions,
  workers: number,
): Program {
  return prepareNginx(
    'nginx',
    listenPort,
    folder,
    `
  upstream origin { server 127.0.0.1:${upstreamPort}; keepalive ${64 * workers}; keepalive_requests 10000000; }
  server {
    listen 127.0.0.1:${listenPort} backlog=1024${workers > 1 ? ' reuseport' : ''};
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_max_temp_file_size 0;
      proxy_request_buffering off;
    }
  }`,
    workers,
  );
}

/** Writes an nginx.conf around what goes into its http block; the origin is an nginx as well. */
export function prepareNginx(
  name: string,
  port: number,
  folder: string,
  http: string,
  workers: number,
): Program {
  const prefix = `${folder}${name}-${port}`;
  writeFileSync(
    `${prefix}.conf`,
    `daemon off;
user root;
worker_processes ${workers};
pid ${prefix}.pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 10000000;
  client_max_body_size 0;
  client_body_temp_path ${prefix}-body;
  proxy_temp_path ${prefix}-proxy;
  fastcgi_temp_path ${prefix}-fastcgi;
  uwsgi_temp_path ${prefix}-uwsgi;
  scgi_temp_path ${prefix}-scgi;
${http}
}
`,
  );
  return { name, command: 'nginx', args: ['-e', 'stderr', '-c', `${prefix}.conf`] };
}
