/*
 * `sluice demo`, which is `npm start`: two echo apps and the proxy before them in one process, and a
 * screen that says what to type next.
 */
import type { DashboardOptions } from '../compile/proxy-options.js';
import type { Address } from '../net/address.js';
import { demoBanner } from './banner.js';
import type { EchoServer } from './echo/echo-server.js';
import { startEchoOrExplain } from './echo-command.js';
import { DEMO_FLAGS, gatherGiven } from './flags.js';
import type { OptionValues } from './program.js';
import { keepServing, startOrExplain } from './proxy-command.js';
import { parseDashboard, parseListenAddress, readEach } from './proxy-flags.js';

const ECHO_PORTS = [9001, 9002];
/** A port that is free, so that it is in nobody's way. */
const DASHBOARD: DashboardOptions = { address: { host: '127.0.0.1', port: 0, path: null }, mayWrite: true };

/** Resolves when all three run; the process then ends by a signal. */
export async function runDemo(options: OptionValues, environment: NodeJS.ProcessEnv): Promise<void> {
  const given = gatherGiven('demo', DEMO_FLAGS, options, environment);
  const [listen = parseListenAddress('8080')] = readEach(given.get('listen'), parseListenAddress) ?? [];
  const [ports = ECHO_PORTS] = readEach(given.get('echo-ports'), parseEchoPorts) ?? [];
  const [dashboard = DASHBOARD] = readEach(given.get('dashboard'), parseDashboard) ?? [];
  const echoes: EchoServer[] = [];
  try {
    for (const port of ports) {
      const address: Address = { host: '127.0.0.1', port, path: null };
      echoes.push(await startEchoOrExplain(address, suggestEchoPorts(ports)));
    }
    const peers = echoes.map((echo) => ({ address: echo.address }));
    const page = dashboard === null ? {} : { dashboard };
    const proxy = await startOrExplain({ listen: [listen], peers, accessLog: 'stdout', ...page });
    keepServing({
      get connectionCount() {
        return proxy.connectionCount;
      },
      reopenLogs: () => proxy.reopenLogs(),
      async drain() {
        // The proxy first: its running requests still need their upstreams.
        await proxy.drain();
        await Promise.all(echoes.map((echo) => echo.drain()));
      },
    });
    process.stderr.write(
      demoBanner(
        proxy.addresses[0]!,
        echoes.map((echo) => echo.address),
        dashboard === null ? null : proxy.addresses.at(-1)!,
      ),
    );
  } catch (error) {
    await Promise.all(echoes.map((echo) => echo.stop()));
    throw error;
  }
}

function parseEchoPorts(text: string): number[] {
  const ports = text.split(',').map((port) => (/^\d{1,5}$/.test(port) ? Number(port) : -1));
  const isUsable = ports.length === 2 && ports.every((port) => port >= 0 && port <= 65535);
  if (!isUsable)
    throw new Error(`Cannot use ports "${text}": two ports are needed; write them like 9001,9002`);
  if (ports[0] === ports[1] && ports[0] !== 0) {
    throw new Error(`Cannot use ports "${text}": they are the same; write them like 9001,9002`);
  }
  return ports;
}

/** Two ports a hundred on, for when one of these is taken. */
function suggestEchoPorts(ports: readonly number[]): string {
  return `--echo-ports ${ports.map((port) => (port + 100 <= 65535 ? port + 100 : port - 100)).join(',')}`;
}
