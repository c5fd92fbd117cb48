/*
 * What the screen says when something was started: where it listens, where it sends, what to type
 * next. Texts only; who prints them, and when, is for the commands.
 */

import { version } from '../core/version.js';
import { type Address, formatAddress } from '../net/address.js';
import type { PeerOptions } from '../upstream/peer.js';

/** For a terminal, after `sluice`. */
export function proxyBanner(
  listen: readonly Address[],
  peers: readonly PeerOptions[],
  dashboard: Address | null = null,
): string {
  return `
Sluice ${version}
  listens on   ${listen.map(describeListener).join('\n               ')}
  sends to     ${peers.map(describePeer).join('\n               ')}${dashboardLine(dashboard)}

Try it, in another terminal:
  ${curl(listen[0]!, '/')}
  sluice echo${' '.repeat(Math.max(1, curl(listen[0]!, '/').length - 9))}an app to send to, if you have none yet

Ctrl+C ends it. Below: a line per request.

`;
}

function dashboardLine(address: Address | null): string {
  return address === null ? '' : `\n  dashboard    ${reachable(address)}/`;
}

/** One line for where nobody sits: a service's journal, a container's output, a test. */
export function proxyLine(
  listen: readonly Address[],
  peers: readonly PeerOptions[],
  dashboard: Address | null = null,
): string {
  const from = listen.map(formatAddress).join(', ');
  const page = dashboard === null ? '' : `; dashboard on ${reachable(dashboard)}/`;
  return `listening on ${from}; sending to ${peers.map(describePeer).join(', ')}${page}`;
}

/** After `sluice demo`, wherever it is printed. */
export function demoBanner(
  listen: Address,
  echoes: readonly Address[],
  dashboard: Address | null = null,
): string {
  const url = reachable(listen);
  const rows: [string, string][] = [
    [curl(listen, '/hello?name=you'), 'a GET: what arrived, as JSON'],
    [`curl -d greeting=hi ${url}/form`, 'a POST'],
    [`seq 20000000 | curl -sT - ${url}/upload | tail -n 3`, 'a large upload, streamed'],
    [`curl -sI ${url}/ | grep -i x-echo-server`, 'again and again: two apps take turns'],
  ];
  const width = Math.max(...rows.map(([command]) => command.length));
  return `
Sluice ${version}, with two echo apps to play with
  listens on   ${describeListener(listen)}
  sends to     ${echoes.map(formatAddress).join('\n               ')}${dashboardLine(dashboard)}

Type in another terminal:
${rows.map(([command, comment]) => `  ${command.padEnd(width)}   ${comment}`).join('\n')}

Ctrl+C ends all three. Below: a line per request.

`;
}

/** The line after `sluice echo`. */
export function echoLine(address: Address): string {
  return `echo: listening on ${formatAddress(address)}; try: ${curl(address, '/hello?name=you')}`;
}

function describeListener(address: Address): string {
  return address.path === null ? `http://${formatAddress(address)}` : formatAddress(address);
}

function describePeer(peer: PeerOptions): string {
  const notes: string[] = [];
  if (peer.weight !== undefined && peer.weight !== 1) notes.push(`weight ${peer.weight}`);
  if (peer.isBackup) notes.push('backup');
  if (peer.isDown) notes.push('down');
  return formatAddress(peer.address) + (notes.length === 0 ? '' : ` (${notes.join(', ')})`);
}

/** A URL that works from this machine also when the listener takes any address. */
function reachable(address: Address): string {
  if (address.host === '0.0.0.0') return `http://127.0.0.1:${address.port}`;
  if (address.host === '::') return `http://[::1]:${address.port}`;
  return `http://${formatAddress(address)}`;
}

/** Quoted when the shell would make something of it. */
function curl(address: Address, target: string): string {
  if (address.path !== null) return `curl --unix-socket ${address.path} 'http://localhost${target}'`;
  const url = reachable(address) + target;
  return /[?&[\]]/.test(url) ? `curl '${url}'` : `curl ${url}`;
}
