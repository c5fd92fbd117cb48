/*
 * A client of raw bytes.
 */
import { connect } from 'node:net';
import type { Address } from '../net/address.js';
import { RawSocket } from './raw-socket.js';

/** A client's connection. */
export class RawClient extends RawSocket {
  /** Resolves when connected; rejects with the error of connect. */
  static connect(address: Address): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const { host, port, path } = address;
      const options = { allowHalfOpen: true, noDelay: true };
      const socket = connect(path === null ? { ...options, host, port } : { ...options, path });
      const client = new RawClient(socket);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.removeListener('error', reject);
        resolve(client);
      });
    });
  }
}
