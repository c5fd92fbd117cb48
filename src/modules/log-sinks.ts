/*
 * Logs by what a configuration calls them: files, streams of the process, syslog servers, memory. Who keeps them, and
 * that one target is opened once, is the builder's business.
 */
import { logTarget, type SyslogTarget } from '../conf/values/log-target.js';
import { Refusal } from '../conf/values/value-type.js';
import { openLogSink } from '../log/log-sink.js';
import { MemorySink } from '../log/memory-sink.js';
import type { LogSink, SinkOptions } from '../log/sink.js';
import { type MessageSender, SyslogSink } from '../log/syslog-sink.js';
import { DatagramSender } from '../net/datagram.js';
import { LocalSyslogSender } from '../net/local-syslog.js';

const SYSLOG_PORT = 514;

/** Streams of the process rather than files, whatever the prefix. differs from nginx: it knows only stderr. */
const STREAMS: ReadonlySet<string> = new Set(['off', 'stdout', 'stderr']);

/** A target with its path made absolute: the same text for the same log. */
export function absoluteLogTarget(target: string, resolvePath: (path: string) => string): string {
  const isFile = !STREAMS.has(target) && !/^(?:syslog|memory):/.test(target);
  return isFile ? resolvePath(target) : target;
}

/**
 * Opens a log.
 * @param onTrouble told when lines get lost on their way to a syslog server
 * @throws Error with the reason when it can't be opened
 */
export function openLogTarget(
  target: string,
  options: SinkOptions,
  onTrouble: (message: string) => void,
): LogSink {
  const parts = logTarget.parse(target);
  if (parts instanceof Refusal) throw new Error(parts.message);
  if (parts.kind === 'file') return openLogSink(parts.path, options);
  if (parts.kind === 'memory') return new MemorySink(parts.bytes);
  return new SyslogSink(openSender(parts, onTrouble), parts);
}

function openSender({ server, tag }: SyslogTarget, onTrouble: (message: string) => void): MessageSender {
  const lost = (reason: string) => onTrouble(`Cannot send to syslog server "${describe(server)}": ${reason}`);
  if (server.kind === 'unix') return new LocalSyslogSender(server.host, tag, lost);
  const address = { host: server.host, port: server.port ?? SYSLOG_PORT, path: null };
  const datagrams = new DatagramSender(address, (error) => lost(error.message));
  return {
    send: (priority, head, text) => datagrams.send(Buffer.from(`<${priority}>${head}${text}`, 'latin1')),
    close: () => datagrams.close(),
  };
}

function describe({ kind, host, port }: SyslogTarget['server']): string {
  if (kind === 'unix') return `unix:${host}`;
  return `${kind === 'ipv6' ? `[${host}]` : host}:${port ?? SYSLOG_PORT}`;
}
