// One client of the idle-connection measurement: an HTTP/1.1 connection in as little memory as can be,
// since there are 10,000 of them in one process. It knows the upload sink's answer and no other.

import { connect, type Socket } from 'node:net';

const requestDeadlineMs = 10_000;
const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** A client that connects when first asked and stays connected. */
export class IdleClient {
  private readonly port: number;
  private socket: Socket | undefined;

  constructor(port: number) {
    this.port = port;
  }

  /** Sends one request and waits for its whole answer. Throws when there is none, or not a 200. */
  ask(): Promise<void> {
    this.socket ??= connect({ port: this.port, host: '127.0.0.1', noDelay: true });
    const socket = this.socket;
    return new Promise((resolve, reject) => {
      let answer = '';
      const fail = () => end(new Error(`Cannot get an answer on an idle connection: got "${answer}"`));
      const deadline = setTimeout(fail, requestDeadlineMs);
      const read = (bytes: Buffer) => {
        answer += bytes.toString('latin1');
        if (answer.startsWith('HTTP/1.1 200') && answer.endsWith('\r\n\r\nok')) end(undefined);
      };
      const end = (error: Error | undefined) => {
        clearTimeout(deadline);
        socket.off('data', read).off('close', fail).off('error', fail);
        if (error === undefined) resolve();
        else reject(error);
      };
      socket.on('data', read).on('close', fail).on('error', fail);
      socket.write(request);
    });
  }

  close(): void {
    this.socket?.on('error', () => {}).destroy();
  }
}
