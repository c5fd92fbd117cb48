// The peers from npm. They have their own package.json and lock file here, so that the project
// itself does not depend on them; each is started by a small program beside this file.

import { readFileSync } from 'node:fs';
import { peersFolder } from '../paths.js';
import type { ProxyUnderTest } from './proxy-under-test.js';

/** http-proxy-3, the maintained http-proxy: node:http on both sides. */
export const httpProxy3: ProxyUnderTest = nodePeer('http-proxy-3', 'http-proxy-3', 'http-proxy-3.mjs');

/** @fastify/http-proxy: Fastify in front, undici behind. */
export const fastifyHttpProxy: ProxyUnderTest = nodePeer(
  'fastify-http-proxy',
  '@fastify/http-proxy',
  'fastify-http-proxy.mjs',
);

function nodePeer(name: string, packageName: string, program: string): ProxyUnderTest {
  return {
    name,
    isNodePeer: true,
    debianPackage: undefined,
    prepare: ({ listenPort, upstreamPort, node }) => ({
      name,
      command: node,
      args: [peersFolder + program, String(listenPort), String(upstreamPort)],
    }),
    readVersion: () =>
      JSON.parse(readFileSync(`${peersFolder}node_modules/${packageName}/package.json`, 'utf8')).version,
  };
}
