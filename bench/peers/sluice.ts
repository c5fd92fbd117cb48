// Sluice itself, as built into dist/: no access log, and as many kept connections as nginx is given.

import { existsSync, readFileSync } from 'node:fs';
import { repositoryRoot } from '../paths.js';
import type { Program } from '../processes.js';
import type { ProxyUnderTest, StartOptions } from './proxy-under-test.js';

export const sluice: ProxyUnderTest = {
  name: 'sluice',
  isNodePeer: false,
  debianPackage: undefined,
  prepare: (options) => prepareSluice(options, []),
  readVersion: () => JSON.parse(readFileSync(`${repositoryRoot}package.json`, 'utf8')).version,
};

/** The command line of sluice; `nodeArgs` are for Node, not for sluice. */
export function prepareSluice(
  { listenPort, upstreamPort, node }: Omit<StartOptions, 'folder'>,
  nodeArgs: readonly string[],
): Program {
  const sluiceArgs = ['--listen', `127.0.0.1:${listenPort}`, '--to', `127.0.0.1:${upstreamPort}`];
  const settings = ['--access-log', 'off', '--keepalive', '64'];
  return { name: 'sluice', command: node, args: [...nodeArgs, findSluice(), ...sluiceArgs, ...settings] };
}

/** The built command. Throws when there is none. */
export function findSluice(): string {
  const main = `${repositoryRoot}dist/cli/main.js`;
  if (!existsSync(main)) throw new Error(`Cannot start sluice: "${main}" is not built; run npm run build`);
  return main;
}
