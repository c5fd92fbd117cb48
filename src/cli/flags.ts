/*
 * Every flag of the command, as data: help, environment variables, error lines and
 * docs/command-line.md (checked by a test) agree because they come from these tables.
 * What the values mean is not here but in proxy-flags.ts and the commands.
 */
import { UsageError } from './usage-error.js';

/** One `--name VALUE` of a command. */
export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  /** What stands for the value in the help. */
  readonly value: string;
  readonly meaning: string;
  /** The value used when neither flag nor variable is given, as one would type it. */
  readonly fallback: string;
  /** May be given several times; its variable then holds several values with spaces between. */
  readonly isRepeatable?: true;
}

/** `sluice`: the proxy. */
export const PROXY_FLAGS = [
  {
    name: 'listen',
    value: 'addr',
    meaning: 'where clients connect; repeatable',
    fallback: '127.0.0.1:8080',
    isRepeatable: true,
  },
  {
    name: 'to',
    value: 'peer',
    meaning: 'where requests go; repeatable',
    fallback: '127.0.0.1:9001',
    isRepeatable: true,
  },
  {
    name: 'client-header-timeout',
    value: 'time',
    meaning: 'for a client to send a whole head',
    fallback: '60s',
  },
  {
    name: 'client-body-timeout',
    value: 'time',
    meaning: 'between two reads of a request body',
    fallback: '60s',
  },
  { name: 'keepalive-timeout', value: 'time', meaning: 'a client connection may stay idle', fallback: '75s' },
  { name: 'send-timeout', value: 'time', meaning: 'between two writes to a client', fallback: '60s' },
  { name: 'connect-timeout', value: 'time', meaning: 'to connect to a peer', fallback: '60s' },
  { name: 'read-timeout', value: 'time', meaning: 'between two reads from a peer', fallback: '60s' },
  { name: 'upstream-send-timeout', value: 'time', meaning: 'between two writes to a peer', fallback: '60s' },
  { name: 'keepalive', value: 'count', meaning: 'idle connections kept to each peer', fallback: '32' },
  {
    name: 'upstream-keepalive-timeout',
    value: 'time',
    meaning: 'a kept peer connection may stay idle',
    fallback: '60s',
  },
  {
    name: 'shutdown-timeout',
    value: 'time',
    meaning: 'for running requests to end after SIGTERM',
    fallback: '30s',
  },
  { name: 'access-log', value: 'where', meaning: 'stdout, stderr, off or a file', fallback: 'stdout' },
  { name: 'error-log', value: 'where', meaning: 'stderr, stdout, off or a file', fallback: 'stderr' },
  { name: 'log-level', value: 'level', meaning: 'least serious level to log', fallback: 'error' },
  { name: 'dashboard', value: 'addr', meaning: 'a page that shows what goes on, live', fallback: 'off' },
] as const satisfies readonly Flag[];

/** A flag of the proxy, by name. */
export type ProxyFlagName = (typeof PROXY_FLAGS)[number]['name'];

/** `sluice echo`. */
export const ECHO_FLAGS = [
  { name: 'listen', value: 'addr', meaning: 'where it answers', fallback: '127.0.0.1:9001' },
] as const satisfies readonly Flag[];

/** `sluice demo`. */
export const DEMO_FLAGS = [
  { name: 'listen', value: 'addr', meaning: 'where the proxy listens', fallback: '127.0.0.1:8080' },
  { name: 'echo-ports', value: 'ports', meaning: 'of the two echo apps', fallback: '9001,9002' },
  { name: 'dashboard', value: 'addr', meaning: 'where the dashboard is, or off', fallback: 'a free port' },
] as const satisfies readonly Flag[];

/**
 * The environment variable of a flag: SLUICE_READ_TIMEOUT, and SLUICE_ECHO_LISTEN for a subcommand's.
 * @param command the subcommand, '' for the proxy
 */
export function environmentName(command: string, flag: string): string {
  const words = command === '' ? flag : `${command}-${flag}`;
  return `SLUICE_${words.toUpperCase().replaceAll('-', '_')}`;
}

/** What was given for one flag. */
export interface Given {
  /** In the order given; more than one only for a repeatable flag. Never empty. */
  readonly texts: readonly string[];
  /** What to name in an error line: `--listen`, `SLUICE_LISTEN` or `[port]`. */
  readonly source: string;
}

/**
 * Joins command line and environment: a flag wins over its variable; an empty variable counts as unset.
 * @throws UsageError when a flag stands where the value of another should
 * @param options what the command line held, by flag name; commander's camel case is looked up too
 */
export function gatherGiven(
  command: string,
  flags: readonly Flag[],
  options: Readonly<Record<string, unknown>>,
  environment: NodeJS.ProcessEnv,
): Map<string, Given> {
  const given = new Map<string, Given>();
  for (const flag of flags) {
    const onLine = options[camelCase(flag.name)];
    if (onLine !== undefined) {
      const texts = ([] as string[]).concat(onLine as string);
      const swallowed = texts.find((text) => text.startsWith('--'));
      if (swallowed !== undefined) {
        throw new UsageError(`Cannot use "${swallowed}" as a value: write --${flag.name} <${flag.value}>`);
      }
      given.set(flag.name, { texts, source: `--${flag.name}` });
    } else {
      const variable = environmentName(command, flag.name);
      const text = environment[variable]?.trim() ?? '';
      if (text === '') continue;
      given.set(flag.name, { texts: flag.isRepeatable ? text.split(/\s+/) : [text], source: variable });
    }
  }
  return given;
}

/** How commander names the value of `--read-timeout`: readTimeout. */
function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
