/*
 * Unix sockets that a process has left behind which was killed: nobody listens on them, and their paths can't be
 * listened on.
 */
import { once } from 'node:events';
import { lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';

/**
 * Takes the socket at a path away if nobody listens on it.
 * @returns whether it did
 */
export async function removeAbandoned(path: string): Promise<boolean> {
  try {
    if (!lstatSync(path).isSocket() || (await isListenedOn(path))) return false;
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

async function isListenedOn(path: string): Promise<boolean> {
  const socket = connect({ path });
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    // Any other trouble says nothing of who listens.
    return (error as NodeJS.ErrnoException).code !== 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}
