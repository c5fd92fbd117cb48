/*
 * The file in which a group keeps its servers (nginx Plus: state): `server` directives, one a line, read with the
 * configuration and written anew at each change.
 */
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { checkConf } from '../../../conf/schema/check.js';
import { Registry } from '../../../conf/schema/registry.js';
import type { Placed } from '../../../conf/schema/scope.js';
import { directivesOf, quoteWord } from '../../../conf/syntax/ast.js';
import { parse } from '../../../conf/syntax/parser.js';
import { Source } from '../../../conf/syntax/source.js';
import { decodeConf } from '../../../conf/syntax/source-text.js';
import { formatMs } from '../../../core/duration.js';
import { describeErrno } from '../../../core/errno.js';
import type { ServerEntry } from '../../../upstream/server-entry.js';
import type { UpstreamBuild } from '../../module.js';
import { server, type state } from './directives.js';

export type ServerDirective = Placed<typeof server.args>;

/** All that may stand in such a file. */
const REGISTRY = new Registry([{ ...server, contexts: ['main'] }]);

/** What the file has; nothing if it isn't there yet. What is wrong with it is reported where it stands. */
export function readState(
  { node, values }: Placed<typeof state.args>,
  build: UpstreamBuild,
): ServerDirective[] {
  const path = build.resolvePath(values[0], 'prefix');
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code = 'UNKNOWN' } = error as NodeJS.ErrnoException;
    const trouble =
      code === 'ENOENT' ? folderTrouble(dirname(path)) : `cannot read it: ${describeErrno(code)}`;
    if (trouble !== null)
      build.report(node, finding('state', `no state can be kept in "${path}": ${trouble}`, null));
    return [];
  }
  const parsed = parse(new Source(path, decodeConf(bytes)));
  const { diagnostics } = parsed;
  const items = directivesOf(parsed.items).filter((directive) => {
    if (directive.name === server.name) return true;
    const message = `"${directive.name}" has no place in a state file: there are server directives alone`;
    build.report(directive, finding('state', message, null));
    return false;
  });
  const conf = { items, sources: [parsed], includes: new Map(), origins: new Map(), diagnostics };
  const checked = checkConf(conf, REGISTRY);
  for (const diagnostic of checked.diagnostics) build.report(diagnostic.span ?? node, diagnostic);
  return checked.directives.map((directive) => ({ ...directive, context: 'upstream' }) as never);
}

function folderTrouble(folder: string): string | null {
  try {
    accessSync(folder, constants.W_OK);
    return null;
  } catch (error) {
    const why = describeErrno((error as NodeJS.ErrnoException).code ?? 'UNKNOWN');
    return `cannot write to the folder "${folder}": ${why}`;
  }
}

/** Puts the servers in the place of what the file had, so that nobody sees half of it. Throws an Error with the reason. */
export function writeState(path: string, servers: readonly ServerEntry[]): void {
  const lines = servers.map(describe);
  const fresh = `${path}.${process.pid}.new`;
  try {
    const descriptor = openSync(fresh, 'w', 0o644);
    try {
      writeAll(descriptor, Buffer.from(`${HEADER}${lines.join('')}`, 'latin1'));
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    const why = describeErrno((error as NodeJS.ErrnoException).code ?? (error as Error).message);
    throw new Error(`the state can't be kept in "${path}": ${why}; nothing was changed`);
  }
}

const HEADER = '# Written anew whenever a server is added, changed or removed.\n';

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}

/** One server as a directive, without what goes without saying. Texts are latin1. */
function describe(entry: ServerEntry): string {
  const words = [entry.server];
  if (entry.weight !== 1) words.push(`weight=${entry.weight}`);
  if (entry.maxConns !== 0) words.push(`max_conns=${entry.maxConns}`);
  if (entry.maxFails !== 1) words.push(`max_fails=${entry.maxFails}`);
  if (entry.failTimeoutMs !== 10_000) words.push(`fail_timeout=${formatMs(entry.failTimeoutMs)}`);
  if (entry.slowStartMs !== 0) words.push(`slow_start=${formatMs(entry.slowStartMs)}`);
  if (entry.route !== '') words.push(`route=${entry.route}`);
  if (entry.isBackup) words.push('backup');
  if (entry.isDown) words.push('down');
  if (entry.isDraining) words.push('drain');
  if (entry.service !== null) words.push('resolve');
  if (entry.service) words.push(`service=${entry.service}`);
  return `server ${words.map(quoteWord).join(' ')};\n`;
}
