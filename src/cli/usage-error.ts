/*
 * Mistakes of the person at the keyboard: one line on stderr, exit code 2, never a stack trace.
 * The texts of single values come from their parsers; here are those of the command as a whole.
 */
import { type Address, formatAddress } from '../net/address.js';

/** Exit codes of the command; docs/command-line.md lists them. A forced end is 128 + the signal's number. */
export const EXIT_USAGE = 2;
/** A defect in Sluice ended the process (EX_SOFTWARE of sysexits). */
export const EXIT_DEFECT = 70;

/** What was asked for cannot be done as asked; the message is one line that says what would work. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Turns a failure to bind into a line for people.
 * @param code the errno code of listen, bind or the name look-up
 * @param choose the flag that picks another address, with its value: `--listen 8081`
 */
export function listenUsageError(address: Address, code: string, choose: string): UsageError {
  return new UsageError(
    `Cannot listen on "${formatAddress(address)}": ${listenAdvice(address, code, choose)}`,
  );
}

/** The flag for the same address a port on, or from 8080 on when the port is privileged. */
export function suggestListen(address: Address, flag = '--listen'): string {
  if (address.path !== null) return `${flag} unix:/tmp/sluice.sock`;
  const port = address.port < 1024 || address.port === 65535 ? 8080 : address.port + 1;
  return `${flag} ${address.host === '127.0.0.1' ? port : formatAddress({ ...address, port })}`;
}

function listenAdvice(address: Address, code: string, choose: string): string {
  if (address.path !== null) return unixAdvice(code, choose);
  switch (code) {
    case 'EADDRINUSE':
      return `port ${address.port} is in use; stop what holds it or choose another: ${choose}`;
    case 'EACCES':
    case 'EPERM':
      return `port ${address.port} needs root or CAP_NET_BIND_SERVICE; choose a port from 1024 on: ${choose}`;
    case 'EADDRNOTAVAIL':
      return `"${address.host}" is not an address of this machine; use 127.0.0.1, or 0.0.0.0 for all of them`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NONAME':
      return `the name "${address.host}" is not known; use an address such as 127.0.0.1`;
    case 'EAFNOSUPPORT':
      return 'this machine has no IPv6; use an IPv4 address such as 127.0.0.1';
    default:
      return `${code}; choose another address: ${choose}`;
  }
}

function unixAdvice(code: string, choose: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return `the socket file exists; remove it if nothing serves it, or choose another: ${choose}`;
    // libuv reports EACCES also for a folder that is not there.
    case 'EACCES':
    case 'EPERM':
    case 'ENOENT':
    case 'ENOTDIR':
      return `no such folder, or no permission to write to it; choose another: ${choose}`;
    case 'EINVAL':
    case 'ENAMETOOLONG':
      return 'the path is too long for a socket; use at most 107 bytes';
    default:
      return `${code}; choose another address: ${choose}`;
  }
}
