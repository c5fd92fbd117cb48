// The command line of `npm run bench`: what to measure and for how long.

import { parseArgs } from 'node:util';
import { haproxy } from './peers/haproxy.js';
import { nginx } from './peers/nginx.js';
import { fastifyHttpProxy, httpProxy3 } from './peers/node-peers.js';
import type { ProxyUnderTest } from './peers/proxy-under-test.js';
import { sluice } from './peers/sluice.js';
import {
  sluiceBuffered,
  sluiceConf,
  sluiceLargeConf,
  sluiceObserved,
  sluiceTraced,
} from './peers/sluice-conf.js';
import { type Workload, workloads } from './workloads.js';

const proxies: readonly ProxyUnderTest[] = [
  sluice,
  nginx,
  haproxy,
  httpProxy3,
  fastifyHttpProxy,
  sluiceConf,
  sluiceObserved,
  sluiceBuffered,
  sluiceTraced,
  sluiceLargeConf,
];

/** What `--help` prints. */
export const help = `npm run bench -- [options]: sluice beside other proxies on the same work

  --quick              sluice and nginx, downloads, 64 connections: about a minute
  --only LIST          workloads: ${workloads.map(({ name }) => name).join(',')}
  --connections LIST   numbers of connections, default 1,64
  --proxies LIST       ${proxies.map(({ name }) => name).join(',')}
  --rounds N           rounds of each process on each workload, default 3
  --processes N        how often each proxy is started, default 1; more for small differences
  --seconds N          length of a round, default 2
  --rate N             requests a second for each proxy, default as many as it takes
  --node PATH          Node binary for sluice and the Node peers, default the newest LTS
  --help               this text
`;

/** What the command line asks for; `node` is undefined for the newest LTS, `rate` for as many requests as a proxy takes. */
export interface BenchOptions {
  isHelp: boolean;
  proxies: ProxyUnderTest[];
  workloads: Workload[];
  connections: number[];
  rounds: number;
  processes: number;
  secondsPerRound: number;
  rate: number | undefined;
  node: string | undefined;
}

/** Reads the command line. Throws with what would work when it cannot be followed. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      connections: { type: 'string' },
      proxies: { type: 'string' },
      rounds: { type: 'string' },
      processes: { type: 'string' },
      seconds: { type: 'string' },
      rate: { type: 'string' },
      node: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const quick = values.quick;
  return {
    isHelp: values.help,
    proxies: pickNamed('proxy', proxies, values.proxies ?? (quick ? 'sluice,nginx' : undefined)),
    workloads: pickNamed('workload', workloads, values.only ?? (quick ? 'small,64k,1m' : undefined)),
    connections: (values.connections ?? (quick ? '64' : '1,64')).split(',').map(parseCount),
    rounds: parseCount(values.rounds ?? (quick ? '4' : '3')),
    processes: parseCount(values.processes ?? '1'),
    secondsPerRound: parseCount(values.seconds ?? '2'),
    rate: values.rate === undefined ? undefined : parseCount(values.rate),
    node: values.node,
  };
}

function pickNamed<T extends { name: string }>(
  kind: string,
  all: readonly T[],
  list: string | undefined,
): T[] {
  if (list === undefined) return [...all];
  return [...new Set(list.split(','))].map((name) => {
    const found = all.find((one) => one.name === name);
    if (found !== undefined) return found;
    throw new Error(
      `Cannot measure "${name}": no such ${kind}; use ${all.map((one) => one.name).join(', ')}`,
    );
  });
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new Error(`Cannot read "${text}": not a count; use a whole number from 1 on`);
}
