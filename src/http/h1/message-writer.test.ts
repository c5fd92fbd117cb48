import { describe, expect, it } from 'vitest';
import type { Connection } from '../../net/connection.js';
import { chunkedEnd, writeMessage } from './message-writer.js';

/** Takes what is written without looking at it before the end, as a slow socket does. */
class SlowConnection {
  readonly writes: Buffer[] = [];

  writeText(text: string): void {
    this.writes.push(Buffer.from(text, 'latin1'));
  }

  writeBytes(bytes: Buffer): void {
    this.writes.push(bytes);
  }

  writeParts(head: string, bytes: Buffer, tail: string): void {
    this.writes.push(Buffer.from(head, 'latin1'), bytes, Buffer.from(tail, 'latin1'));
  }
}

interface Message {
  before?: string;
  payload: string;
  isChunked?: boolean;
  after?: string;
}

/** What arrives of a message whose payload lies in the middle of memory that is overwritten afterwards. */
function send({ before = '', payload, isChunked = false, after = '' }: Message): SlowConnection {
  const connection = new SlowConnection();
  const bytes = Buffer.from(`<<${payload}>>`, 'latin1');
  writeMessage(
    connection as unknown as Connection,
    before,
    bytes,
    2,
    bytes.length - 2,
    isChunked,
    after,
    true,
  );
  bytes.fill('?');
  return connection;
}

function sent(message: Message): string {
  return Buffer.concat(send(message).writes).toString('latin1');
}

const HEAD = 'HTTP/1.1 200 OK\r\n\r\n';

describe.each([
  ['a small', 'h\xe9llo'],
  ['a large', 'h\xe9llo'.repeat(10_000)],
])('writeMessage with %s payload', (_, payload) => {
  const size = payload.length.toString(16);

  it('writes head, payload and end', () => {
    expect(sent({ before: HEAD, payload })).toBe(HEAD + payload);
    expect(sent({ payload })).toBe(payload);
  });

  it('writes the payload as one chunk, and what ends the body', () => {
    expect(sent({ before: HEAD, payload, isChunked: true })).toBe(`${HEAD}${size}\r\n${payload}\r\n`);
    expect(sent({ payload, isChunked: true, after: chunkedEnd(null) })).toBe(
      `${size}\r\n${payload}\r\n0\r\n\r\n`,
    );
    expect(sent({ payload, isChunked: true, after: '0\r\nA: b\r\n\r\n' })).toBe(
      `${size}\r\n${payload}\r\n0\r\nA: b\r\n\r\n`,
    );
  });
});

describe('writeMessage', () => {
  it('never ends a chunked body by an empty chunk of its own', () => {
    expect(sent({ before: HEAD, payload: '', isChunked: true })).toBe(HEAD);
    expect(send({ payload: '', isChunked: true }).writes).toEqual([]);
    expect(sent({ payload: '', isChunked: true, after: chunkedEnd(null) })).toBe(chunkedEnd(null));
  });

  it('writes a head with a small payload at once', () => {
    expect(
      send({ before: HEAD, payload: 'a'.repeat(8192), isChunked: true, after: chunkedEnd(null) }).writes,
    ).toHaveLength(1);
  });

  it('does not copy a large payload that stays as it is', () => {
    const connection = new SlowConnection();
    const bytes = Buffer.alloc(100_000, 'a');
    writeMessage(connection as unknown as Connection, '', bytes, 10, 90_000, false, '', false);
    expect(connection.writes.map(({ buffer, byteOffset, length }) => [buffer, byteOffset, length])).toEqual([
      [bytes.buffer, bytes.byteOffset + 10, 89_990],
    ]);
  });
});
