/*
 * `sluice`: starts the proxy from its flags and stays until a signal. Reading flags is proxy-flags.ts,
 * the proxy itself src/server.
 */
import type { ProxyOptions } from '../compile/proxy-options.js';
import { ErrorLog } from '../log/error-log.js';
import { openLogSink } from '../log/log-sink.js';
import { formatAddress } from '../net/address.js';
import { ListenError, type ProxyServer } from '../server/proxy-server.js';
import { startProxy } from '../server/start-proxy.js';
import { proxyBanner, proxyLine } from './banner.js';
import { type Given, gatherGiven, PROXY_FLAGS } from './flags.js';
import { obeySignals, type Serving } from './obey-signals.js';
import type { OptionValues } from './program.js';
import { proxyOptionsFrom, readEach } from './proxy-flags.js';
import { say } from './say.js';
import { handleStrayErrors } from './stray-errors.js';
import { listenUsageError, suggestListen } from './usage-error.js';

/** Resolves when the proxy runs; the process then ends by a signal. */
export async function runProxy(
  host: string | undefined,
  port: string | undefined,
  options: OptionValues,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const given = gatherGiven('', PROXY_FLAGS, options, environment);
  const proxyOptions = proxyOptionsFrom(given, { host, port });
  await tryLogs(given);
  const server = await startOrExplain(proxyOptions);
  keepServing(server, proxyOptions.errorLog);
  const { peers, dashboard } = proxyOptions;
  const listen = server.addresses.slice(0, proxyOptions.listen.length);
  const page = dashboard === undefined ? null : server.addresses.at(-1)!;
  if (process.stderr.isTTY) process.stderr.write(proxyBanner(listen, peers, page));
  else say(proxyLine(listen, peers, page));
}

/** Opens the logs once: what goes wrong with them is then known to be a mistake in these flags. */
async function tryLogs(given: ReadonlyMap<string, Given>): Promise<void> {
  for (const flag of ['access-log', 'error-log']) {
    for (const sink of readEach(given.get(flag), openLogSink) ?? []) await sink.close();
  }
}

/**
 * Starts a proxy for the command.
 * @throws UsageError when an address cannot be listened on
 */
export async function startOrExplain(options: ProxyOptions): Promise<ProxyServer> {
  try {
    return await startProxy(options);
  } catch (error) {
    if (error instanceof ListenError) {
      const { address, code } = error;
      const page = options.dashboard?.address;
      const isPage = page !== undefined && formatAddress(page) === formatAddress(address);
      throw listenUsageError(address, code, suggestListen(address, isPage ? '--dashboard' : '--listen'));
    }
    throw error;
  }
}

/** Signals and stray errors from here on are handled for `serving`. */
export function keepServing(serving: Serving, errorLog = 'stderr'): void {
  const sink = openLogSink(errorLog);
  obeySignals(serving, say);
  process.on('SIGUSR1', () => sink.reopen());
  handleStrayErrors(serving, new ErrorLog(sink, 'alert'));
}
