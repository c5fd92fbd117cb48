/*
 * A proxy in the test's own process, on a free port, with logs that are read from memory.
 */
import type { ProxyOptions } from '../compile/proxy-options.js';
import type { Address } from '../net/address.js';
import { type ProxyServer, serveCycle } from '../server/proxy-server.js';
import { buildOptionsCycle, DefectLog, makeWheel } from '../server/start-proxy.js';
import { RawClient } from './raw-client.js';
import { RecordingSink } from './recording-sink.js';

/** As for startProxy; what a test seldom cares about is left out. */
export interface TestProxyOptions extends Partial<Omit<ProxyOptions, 'accessLog' | 'errorLog'>> {
  /** Reads clients by 'data' events even where `onread` could be used. */
  isOnReadDisabled?: boolean;
}

/** A proxy that runs. */
export interface TestProxy {
  readonly server: ProxyServer;
  readonly address: Address;
  readonly accessLog: RecordingSink;
  /** Of level info and above. */
  readonly errorLog: RecordingSink;
  /** Upstream connections kept idle. */
  readonly idleCount: number;
  /** Tries at peers under way, as the balancer counts them. */
  readonly activeRequests: number;
  /** Deadlines armed. */
  readonly deadlineCount: number;
  /** Connects a client. */
  connect: () => Promise<RawClient>;
  stop(): Promise<void>;
}

/** Starts a proxy on 127.0.0.1; its peers are `origins`, then `options.peers`. */
export async function startTestProxy(
  origins: readonly { readonly address: Address }[],
  options: TestProxyOptions = {},
): Promise<TestProxy> {
  const accessLog = new RecordingSink();
  const errorLog = new RecordingSink();
  const defects = new DefectLog();
  const wheel = makeWheel(defects.report);
  const { isOnReadDisabled = false, ...proxyOptions } = options;
  const cycle = buildOptionsCycle(
    {
      listen: [{ host: '127.0.0.1', port: 0, path: null }],
      errorLogLevel: 'info',
      ...proxyOptions,
      peers: [...origins.map(({ address }) => ({ address })), ...(options.peers ?? [])],
      accessLog: '/access',
      errorLog: '/error',
    },
    {
      wheel,
      onDefect: defects.report,
      openSink: (target) => (target === '/access' ? accessLog : errorLog),
    },
  );
  defects.cycle = cycle;
  const server = await serveCycle(cycle, { wheel, onDefect: defects.report, isOnReadDisabled });
  const address = server.addresses[0]!;
  const { group, pool } = cycle.upstreams.get('default')!;
  return {
    server,
    address,
    accessLog,
    errorLog,
    get idleCount() {
      return pool.idleCount;
    },
    get activeRequests() {
      return group.peers.reduce((sum, peer) => sum + peer.activeRequests, 0);
    },
    get deadlineCount() {
      return wheel.size;
    },
    connect: () => RawClient.connect(address),
    stop: () => server.stop(),
  };
}
