/*
 * A peer that is nobody: it keeps what it is sent, and answers 200 once it has it, so that what becomes of an answer is
 * seen too.
 */
import type { Connection, DefectReporter } from '../net/connection.js';
import type { Connect, ConnectHandler } from '../net/connector.js';
import { openMemoryConnection } from '../net/memory-connection.js';
import type { Peer } from '../upstream/peer.js';
import { UpstreamConnection } from '../upstream/upstream-connection.js';

/** Long enough for filters that leave short answers alone. */
const BODY = Buffer.alloc(16384, 'x');
const ANSWER = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${BODY.length}\r\n\r\n`;

/** One connection to it. */
export interface Asked {
  readonly peer: Peer | null;
  /** What was sent; '' before. */
  head: string;
}

/** Connects to nobody. `onAsk` is told of each connection when it is begun. */
export function connectToNobody(onAsk: (asked: Asked) => void): Connect {
  return (address, handler: ConnectHandler, onDefect: DefectReporter): Connection => {
    const asked: Asked = { peer: handler instanceof UpstreamConnection ? handler.peer : null, head: '' };
    const ends = {
      remoteAddress: address.host,
      remotePort: address.port,
      localAddress: '127.0.0.1',
      localPort: 0,
    };
    let sent = '';
    const connection = openMemoryConnection(ends, false, onDefect, (text) => {
      if (asked.head !== '') return;
      sent += text;
      const end = sent.indexOf('\r\n\r\n');
      if (end < 0) return;
      asked.head = sent.slice(0, end);
      setImmediate(() => answer(connection));
    });
    connection.handler = handler;
    onAsk(asked);
    setImmediate(() => handler.onConnect());
    return connection;
  };
}

function answer(connection: Connection): void {
  const bytes = Buffer.concat([Buffer.from(ANSWER, 'latin1'), BODY]);
  connection.receive(bytes, bytes.length);
}
