import { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { readFirstBytes } from './client-hello.js';

/** What Node sends first. */
function helloOf(options: object): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = new Duplex({ read() {}, write: (chunk: Buffer) => resolve(chunk) });
    connect({ socket, ...options } as never).on('error', () => {});
  });
}

/** The same in records of so many bytes. */
function cutIntoRecords(hello: Buffer, bytes: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 5; at < hello.length; at += bytes) {
    const part = hello.subarray(at, at + bytes);
    parts.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
  }
  return Buffer.concat(parts);
}

describe('the first bytes of a connection', () => {
  it('tell the name and what is offered, once they are whole', async () => {
    const hello = await helloOf({
      servername: 'One.Test',
      ciphers: 'TLS_AES_128_GCM_SHA256',
      minVersion: 'TLSv1.3',
    });
    for (const bytes of [hello, cutIntoRecords(hello, 7), cutIntoRecords(hello, 64)]) {
      for (let end = 0; end < bytes.length; end++) expect(readFirstBytes(bytes, end)).toBe('incomplete');
      expect(readFirstBytes(bytes, bytes.length)).toMatchObject({
        serverName: 'one.test',
        // Older ones of OpenSSL add the mark of secure renegotiation.
        ciphers: expect.arrayContaining([0x1301]),
      });
    }
  });

  it('may tell no name', async () => {
    const hello = await helloOf({ host: '127.0.0.1' });
    expect(readFirstBytes(hello, hello.length)).toMatchObject({ serverName: '' });
  });

  it.each(['GET / HTTP/1.1', '\r\n', 'PROXY'])('may be no TLS: %j', (text) => {
    expect(readFirstBytes(Buffer.from(text), text.length)).toBe('plain');
  });

  it('that make no sense are for OpenSSL to refuse', async () => {
    const hello = await helloOf({ servername: 'one.test' });
    const nameAt = hello.indexOf('one.test');
    for (const change of [
      (bytes: Buffer) => bytes.writeUInt8(2, 5), // Another message.
      (bytes: Buffer) => bytes.writeUIntBE(0xffffff, 6, 3), // Longer than any.
      (bytes: Buffer) => bytes.writeUInt8(255, 43), // A session's id beyond the end.
      (bytes: Buffer) => bytes.writeUInt8(0, nameAt), // NUL in a name.
      (bytes: Buffer) => bytes.writeUInt16BE(0xffff, nameAt - 2), // A name beyond the end.
      (bytes: Buffer) => bytes.writeUInt16BE(0, 3), // An empty record.
    ]) {
      const bytes = Buffer.from(hello);
      change(bytes);
      expect(readFirstBytes(bytes, bytes.length)).toMatchObject({ serverName: '' });
    }
    const old = Buffer.from([0x80, 0x2e, 1, 3, 1]);
    expect(readFirstBytes(old, old.length)).toMatchObject({ serverName: '' });
  });

  it('are not held without a bound', () => {
    const crumbs = Buffer.concat(Array.from({ length: 4000 }, () => Buffer.from([22, 3, 1, 0, 1, 1])));
    expect(readFirstBytes(crumbs, crumbs.length)).toMatchObject({ serverName: '' });
  });
});
