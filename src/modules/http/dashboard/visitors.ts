/*
 * Who may look at a dashboard: somebody at this machine, unless the configuration says otherwise.
 */
import { isLoopback } from '../../../net/address.js';

/**
 * Why a client may not look at a dashboard that is for this machine only; null if it may.
 * @param address where its connection comes from; "unix:" for a socket's file @param host what it has asked for
 */
export function whyNot(address: string, host: string): string | null {
  if (address !== 'unix:' && !isLoopback(address))
    return `it is for this machine, and you come from ${address}`;
  // security: a page of a name that has come to mean 127.0.0.1 could read all of it in an operator's browser.
  if (!isLocalHost(host)) return `it is for this machine, and "${host}" may be another's name: use localhost`;
  return null;
}

function isLocalHost(host: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/.test(host);
}
