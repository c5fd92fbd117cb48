// HAProxy from Debian: one thread, connections to the server shared by all clients.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { Program } from '../processes.js';
import type { ProxyUnderTest, StartOptions } from './proxy-under-test.js';

export const haproxy: ProxyUnderTest = {
  name: 'haproxy',
  isNodePeer: false,
  debianPackage: 'haproxy',
  prepare,
  readVersion: () =>
    /version (\S+?)-/.exec(spawnSync('haproxy', ['-v'], { encoding: 'utf8' }).stdout)?.[1] ?? '?',
};

function prepare({ listenPort, upstreamPort, folder }: StartOptions): Program {
  const file = `${folder}haproxy-${listenPort}.cfg`;
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  option http-keep-alive
  http-reuse always
frontend front
  bind 127.0.0.1:${listenPort}
  default_backend origin
backend origin
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  server origin 127.0.0.1:${upstreamPort}
`,
  );
  return { name: 'haproxy', command: 'haproxy', args: ['-db', '-q', '-f', file] };
}
