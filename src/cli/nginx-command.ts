/*
 * `sluice -p prefix/ -c nginx.conf`: nginx's command line, and what it prints.
 */

import { ConfError, ConfProcess } from '../process/conf-process.js';
import { ListenError } from '../server/proxy-server.js';
import { BUILT_IN } from '../server/start-proxy.js';
import { type NginxOptions, parseNginxOptions } from './nginx/options.js';
import { configureText, NGINX_HELP, versionText } from './nginx/version-text.js';
import { say } from './say.js';

/** Runs it. @returns the exit code, or null when something now serves until a signal */
export async function runNginx(args: readonly string[]): Promise<number | null> {
  let options: NginxOptions;
  try {
    options = parseNginxOptions(args);
  } catch (error) {
    complain((error as Error).message);
    return 1;
  }
  if (options.showVersion) {
    process.stderr.write(versionText());
    if (options.showHelp) process.stderr.write(NGINX_HELP);
    if (options.showConfigure) process.stderr.write(configureText(BUILT_IN.registry));
    if (!options.test) return 0;
  }
  const values = new Map<string, string | null>([
    ['-p', options.prefix],
    ['-c', options.confFile],
    ['-g', options.globals],
    ['-e', options.errorLog],
  ]);
  const prefix = `${(values.get('-p') ?? process.cwd()).replace(/\/$/, '')}/`;
  const file = values.get('-c') ?? 'conf/nginx.conf';
  const proxy = new ConfProcess(
    {
      prefix,
      path: file.startsWith('/') ? file : prefix + file,
      commandLine: values.get('-g') ?? '',
      errorLog: values.get('-e') ?? 'logs/error.log',
    },
    say,
  );
  try {
    if (options.test) {
      await proxy.compile().cycle.close();
      return 0;
    }
    await proxy.start();
  } catch (error) {
    if (!(error instanceof ConfError || error instanceof ListenError)) throw error;
    say(error.message);
    return 1;
  }
  const end = (promise: Promise<void>) => void promise.then(() => process.exit(0));
  process.on('SIGQUIT', () => end(proxy.drain()));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => end(proxy.stop()));
  process.on('SIGHUP', () => void proxy.reload());
  process.on('SIGUSR1', () => proxy.reopenLogs());
  return null;
}

/** A line in nginx's form, for scripts that look for it. */
function complain(message: string): void {
  process.stderr.write(`nginx: ${message}\n`);
}
