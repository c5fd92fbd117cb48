/*
 * `sluice echo`: the echo app from the command line. What it answers is in echo/.
 */
import { type Address, parseAddress } from '../net/address.js';
import { echoLine } from './banner.js';
import { type EchoServer, startEchoServer } from './echo/echo-server.js';
import { ECHO_FLAGS, gatherGiven } from './flags.js';
import { obeySignals } from './obey-signals.js';
import type { OptionValues } from './program.js';
import { readEach } from './proxy-flags.js';
import { say } from './say.js';
import { listenUsageError, suggestListen } from './usage-error.js';

const DEFAULTS = { host: '127.0.0.1', port: 9001 };

/** Resolves when the app runs; the process then ends by a signal. */
export async function runEcho(options: OptionValues, environment: NodeJS.ProcessEnv): Promise<void> {
  const given = gatherGiven('echo', ECHO_FLAGS, options, environment).get('listen');
  const [address = { ...DEFAULTS, path: null }] =
    readEach(given, (text) => parseAddress(text, DEFAULTS)) ?? [];
  const server = await startEchoOrExplain(address, suggestListen(address));
  obeySignals(server, say);
  say(echoLine(server.address));
}

/**
 * Starts an echo app for the command.
 * @param choose what to give to listen elsewhere: `--listen 9003`
 * @throws UsageError when it cannot listen there
 */
export async function startEchoOrExplain(address: Address, choose: string): Promise<EchoServer> {
  try {
    return await startEchoServer(address);
  } catch (error) {
    throw listenUsageError(address, (error as NodeJS.ErrnoException).code ?? String(error), choose);
  }
}
