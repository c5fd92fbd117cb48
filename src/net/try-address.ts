/*
 * Whether an address can be listened on, told by doing so for a moment.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Address } from './address.js';

/** Rejects with Node's error (EADDRINUSE, EACCES, EADDRNOTAVAIL ...) when a host and port can't be had alone. */
export async function tryAddress({ host, port }: Address, ipv6Only: boolean): Promise<void> {
  const server = createServer();
  server.listen({ host, port, ipv6Only, exclusive: true });
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}
