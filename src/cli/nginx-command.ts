/*
 * `sluice -p prefix/ -c nginx.conf`: nginx's command line, and what it prints.
 */
import { existsSync } from 'node:fs';
import type { Conf } from '../conf/load/load.js';
import { toByteString } from '../conf/syntax/source-text.js';
import { formatAddress } from '../net/address.js';
import { BootLog } from '../process/boot-log.js';
import { confFilesOf } from '../process/conf-files.js';
import { ConfError, ConfProcess, type UsableConf } from '../process/conf-process.js';
import { isInBackground, startInBackground, tellForeground } from '../process/daemonize.js';
import { readPid, wordsOf } from '../process/pid-file.js';
import { obeyNginxSignals } from '../process/signals.js';
import { activatedSockets } from '../process/socket-activation.js';
import { inheritedSockets } from '../process/upgrade.js';
import { ListenError } from '../server/proxy-server.js';
import { BUILT_IN } from '../server/start-proxy.js';
import { type NginxOptions, type OptionError, parseNginxOptions, type SignalWord } from './nginx/options.js';
import { configureText, NGINX_HELP, versionText } from './nginx/version-text.js';
import { say } from './say.js';
import { handleStrayErrors } from './stray-errors.js';

const SIGNALS: Readonly<Record<SignalWord, NodeJS.Signals>> = {
  stop: 'SIGTERM',
  quit: 'SIGQUIT',
  reopen: 'SIGUSR1',
  reload: 'SIGHUP',
};

/** What a worker thread runs. */
const WORKER_ENTRY = new URL('./worker.js', import.meta.url);

/** Runs it. @returns the exit code, or null when something now serves until a signal */
export async function runNginx(args: readonly string[]): Promise<number | null> {
  let options: NginxOptions;
  try {
    options = parseNginxOptions(args);
  } catch (error) {
    const { message, advice } = error as OptionError;
    process.stderr.write(`nginx: ${message}\n`);
    if (advice !== '') say(advice);
    return 1;
  }
  if (options.showVersion) {
    process.stderr.write(versionText());
    if (options.showHelp) process.stderr.write(NGINX_HELP);
    if (options.showConfigure) process.stderr.write(configureText(BUILT_IN.registry));
    if (!options.test) return 0;
  }
  const files = confFilesOf(options);
  const bootLog = new BootLog(files);
  const proxy = new ConfProcess(files, bootLog, WORKER_ENTRY);
  try {
    const usable = proxy.compile();
    if (options.test) return await reportTest(usable, files.path, options, bootLog);
    if (options.signal !== null) return await sendSignal(usable, options.signal, bootLog);
    return await serve(proxy, usable);
  } catch (error) {
    if (error instanceof ListenError) bootLog.say('emerg', describeListenError(error));
    else if (!(error instanceof ConfError)) bootLog.say('emerg', nginxTextOf(error as Error));
    if (options.test) bootLog.note(`configuration file ${files.path} test failed`);
    return 1;
  } finally {
    await bootLog.close();
  }
}

async function reportTest(
  { cycle, conf }: UsableConf,
  path: string,
  { quiet, dump }: NginxOptions,
  bootLog: BootLog,
): Promise<number> {
  await cycle.close();
  if (!quiet) {
    bootLog.note(`the configuration file ${path} syntax is ok`);
    bootLog.note(`configuration file ${path} test is successful`);
  }
  if (dump) process.stdout.write(dumpConf(conf));
  return 0;
}

/** Every file once, in the order they were opened. */
function dumpConf(conf: Conf): Buffer {
  const texts = conf.sources
    .filter(({ source }) => !source.isCommandLine)
    .map(({ source }) => `# configuration file ${source.name}:\n${toByteString(source.text)}\n`);
  return Buffer.from(texts.join(''), 'latin1');
}

async function sendSignal(
  { cycle, settings }: UsableConf,
  word: SignalWord,
  bootLog: BootLog,
): Promise<number> {
  await cycle.close();
  if (settings.pidPath === '') {
    bootLog.say('error', 'there is no pid file; name one in the configuration: pid /run/nginx.pid;');
    return 1;
  }
  try {
    const pid = readPid(settings.pidPath);
    try {
      process.kill(pid, SIGNALS[word]);
    } catch (error) {
      bootLog.say('alert', `kill(${pid}, ${SIGNALS[word]}) failed (${wordsOf(error)})`);
      if ((error as NodeJS.ErrnoException).code === 'ESRCH')
        say(
          `that process is gone, and left ${settings.pidPath} behind; nothing runs with this configuration`,
        );
      return 1;
    }
    return 0;
  } catch (error) {
    bootLog.say('error', (error as Error).message);
    if (!existsSync(settings.pidPath))
      say('nothing runs with this configuration, or what runs was started with another "pid"');
    return 1;
  }
}

async function serve(proxy: ConfProcess, usable: UsableConf): Promise<number | null> {
  const sockets = new Map([...activatedSockets(process.env), ...inheritedSockets()]);
  if (usable.settings.isDaemon && sockets.size === 0 && !isInBackground()) {
    await usable.cycle.close();
    return startInBackground();
  }
  const started = proxy.start(usable, sockets);
  // Not later: who sees the pid file may send one.
  obeyNginxSignals(proxy);
  await started;
  handleStrayErrors(proxy, { log: (level, message) => proxy.errorLog.log(level, message) });
  if (isInBackground()) tellForeground();
  return null;
}

function describeListenError({ address, cause, message }: ListenError): string {
  const { errno } = cause as NodeJS.ErrnoException;
  return errno === undefined ? message : `bind() to ${formatAddress(address)} failed (${wordsOf(cause)})`;
}

function nginxTextOf(error: Error & { readonly nginxText?: string }): string {
  return error.nginxText ?? error.message;
}
