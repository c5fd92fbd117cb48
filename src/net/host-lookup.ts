/*
 * Names to addresses as the system has them: /etc/hosts at once, everything else by the system's own resolver in the
 * background. Asking name servers of the operator's choice is resolver/'s.
 */
import { lookup } from 'node:dns';
import { readFileSync } from 'node:fs';
import { isIP, isIPv4 } from 'node:net';
import { eventClock } from '../core/clock.js';

const HOSTS_FILE = '/etc/hosts';

/** The addresses that the hosts file has for a name, IPv4 first; none if it has none or can't be read. */
export function lookUpInHostsFile(name: string, file = HOSTS_FILE): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'latin1');
  } catch {
    return [];
  }
  const wanted = name.toLowerCase();
  const addresses = text.split('\n').flatMap((line) => {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    return isIP(address!) !== 0 && names.some((each) => each.toLowerCase() === wanted) ? [address!] : [];
  });
  return ipv4First([...new Set(addresses)]);
}

/** Asks the system; `done` is called later, with no addresses and the reason when there are none. */
export function lookUpHost(name: string, done: (addresses: string[], reason: string) => void): void {
  lookup(name, { all: true }, (error, found) => {
    eventClock.refresh();
    if (error) done([], error.code ?? error.message);
    else done(ipv4First(found.map(({ address }) => address)), '');
  });
}

function ipv4First(addresses: readonly string[]): string[] {
  return [...addresses.filter((each) => isIPv4(each)), ...addresses.filter((each) => !isIPv4(each))];
}
