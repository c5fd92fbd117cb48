import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { DatagramSender } from './datagram.js';

const open: { close(): void }[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

async function receiver(port = 0): Promise<{ socket: Socket; port: number; received: string[] }> {
  const socket = createSocket('udp4');
  const received: string[] = [];
  socket.on('message', (bytes) => received.push(bytes.toString()));
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  return { socket, port: socket.address().port, received };
}

function sender(host: string, port: number): { sender: DatagramSender; errors: Error[] } {
  const errors: Error[] = [];
  const made = new DatagramSender({ host, port, path: null }, (error) => errors.push(error));
  open.push(made);
  return { sender: made, errors };
}

it('sends each message by itself and in order, also those from before it knew the address', async () => {
  const { socket, port, received } = await receiver();
  open.push(socket);
  const { sender: datagrams } = sender('localhost', port);
  for (const text of ['a', 'b', 'c']) datagrams.send(Buffer.from(text));
  await expect.poll(() => received).toEqual(['a', 'b', 'c']);
  datagrams.send(Buffer.from('d'));
  await expect.poll(() => received).toHaveLength(4);
});

it('goes on when a server that was away is back', async () => {
  const first = await receiver();
  const { sender: datagrams, errors } = sender('127.0.0.1', first.port);
  datagrams.send(Buffer.from('a'));
  await expect.poll(() => first.received).toEqual(['a']);
  first.socket.close();
  datagrams.send(Buffer.from('lost'));
  const second = await receiver(first.port);
  open.push(second.socket);
  await expect
    .poll(() => {
      datagrams.send(Buffer.from('b'));
      return second.received.includes('b');
    })
    .toBe(true);
  expect(errors).toEqual([]);
});

it('says when the server has no address, and lets what waits go', async () => {
  const { sender: datagrams, errors } = sender('no-such-host.invalid', 514);
  datagrams.send(Buffer.from('a'));
  await expect.poll(() => errors).toHaveLength(1);
});

it('still sends what waits when it is closed', async () => {
  const { socket, port, received } = await receiver();
  open.push(socket);
  const datagrams = new DatagramSender({ host: '127.0.0.1', port, path: null }, () => {});
  datagrams.send(Buffer.from('last'));
  datagrams.close();
  await expect.poll(() => received).toEqual(['last']);
});
