/*
 * Listening sockets that a service manager has opened for this process (systemd's LISTEN_FDS): which descriptor is bound
 * to which address. Linux tells it by /proc, and Node in no documented way.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { formatAddress } from '../net/address.js';

/** Where they begin (SD_LISTEN_FDS_START). */
const FIRST_FD = 3;

/** More than anybody hands over. */
const MAX_SOCKETS = 1024;

/** TCP_LISTEN, and SO_ACCEPTCONN of unix sockets, in /proc/net. */
const TCP_LISTENS = '0A';
const UNIX_LISTENS = 0x10000;

/** The descriptors by address as formatAddress writes it; none if nothing was handed over to this very process. */
export function activatedSockets(environment: NodeJS.ProcessEnv): ReadonlyMap<string, number> {
  const { LISTEN_PID, LISTEN_FDS } = environment;
  // As sd_listen_fds does: no program that is started from here is meant.
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete environment[name];
  const count = /^\d+$/.test(LISTEN_FDS ?? '') ? Number(LISTEN_FDS) : 0;
  if (count === 0 || count > MAX_SOCKETS || Number(LISTEN_PID) !== process.pid) return new Map();
  const addresses = listeningAddresses();
  const sockets = new Map<string, number>();
  for (let fd = FIRST_FD; fd < FIRST_FD + count; fd++) {
    const inode = inodeOf(fd);
    const address = inode === null ? undefined : addresses.get(inode);
    if (address !== undefined) sockets.set(address, fd);
  }
  return sockets;
}

function inodeOf(fd: number): string | null {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1] ?? null;
  } catch {
    return null;
  }
}

/** The addresses of all listening sockets of this network namespace, by inode. */
function listeningAddresses(): Map<string, string> {
  const addresses = new Map<string, string>();
  for (const file of ['tcp', 'tcp6']) {
    for (const line of linesOf(file)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state !== TCP_LISTENS) continue;
      const [host, port] = local!.split(':');
      const address = { host: readHost(host!), port: Number.parseInt(port!, 16), path: null };
      addresses.set(inode!, formatAddress(address));
    }
  }
  for (const line of linesOf('unix')) {
    const match = /^\S+: \S+ \S+ (\S+) 0001 \S+ +(\d+) (.+)$/.exec(line);
    if (match === null || (Number.parseInt(match[1]!, 16) & UNIX_LISTENS) === 0) continue;
    addresses.set(match[2]!, `unix:${match[3]}`);
  }
  return addresses;
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(`/proc/self/net/${file}`, 'utf8').split('\n').slice(1, -1);
  } catch {
    return [];
  }
}

/** An address as the kernel prints it: words of 32 bits, each in the machine's byte order. */
function readHost(hex: string): string {
  const bytes: number[] = [];
  for (let at = 0; at < hex.length; at += 8) {
    const word = Buffer.from(hex.slice(at, at + 8), 'hex');
    bytes.push(...(isLittleEndian ? word.reverse() : word));
  }
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[i * 2]! << 8) | bytes[i * 2 + 1]!).toString(16));
  // In the shortest form, as configurations are read too.
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}

const isLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
