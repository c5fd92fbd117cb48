/*
 * `sluice -p prefix/ -c nginx.conf`: nginx's command line.
 */
import { ConfError, ConfProcess } from '../process/conf-process.js';
import { ListenError } from '../server/proxy-server.js';
import { say } from './say.js';

const WITH_VALUE = ['-p', '-c', '-e', '-g', '-s'];

/** Whether words are nginx's rather than flags of ours. */
export function isNginxCommand(args: readonly string[]): boolean {
  return args.some((arg) => /^-[pcegstTqV]/.test(arg));
}

/** Runs it. @returns the exit code, or null when something now serves until a signal */
export async function runNginx(args: readonly string[]): Promise<number | null> {
  const values = new Map<string, string>();
  const flags = new Set<string>();
  for (let i = 0; i < args.length; i++) {
    const name = args[i]!.slice(0, 2);
    if (!WITH_VALUE.includes(name)) flags.add(args[i]!);
    else values.set(name, args[i]!.length > 2 ? args[i]!.slice(2) : (args[++i] ?? ''));
  }
  if (flags.has('-V')) {
    process.stderr.write(
      'nginx version: nginx/1.31.5\nbuilt with OpenSSL\nconfigure arguments: --without-http_proxy_module --without-http_fastcgi_module --without-http_uwsgi_module --without-http_scgi_module\n',
    );
    return 0;
  }
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
    if (flags.has('-t')) {
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
