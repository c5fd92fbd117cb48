// The soak's clients: each connection is played once, to its end or to where its client leaves it, which may be anywhere
// in a request or in an answer, and in one of three ways.

import { connect, type Socket } from 'node:net';
import { locations } from './conf.js';
import { badWays, goodWays } from './origin.js';
import type { Random } from './random.js';

/** How many connections are played at a time. */
const playerCount = 128;

/** A client that ended its side waits for the proxy's; one that neither ends is a fault. */
const endDeadlineMs = 20_000;

/** How long a client reads nothing before it leaves. */
const pauseMs = 30;

const uploadBytes = 20_000;

/** Clients come from several addresses, so that none runs out of ports. */
const addresses = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5'];

/** What a client does. `complete` and what stands behind it play to the end. */
const plays = [
  'silent',
  'in-head',
  'in-body',
  'before-answer',
  'in-answer',
  'not-reading',
  'tunnel',
  'complete',
  'complete',
  'close',
  'pipelined',
] as const;

/** What came of the connections. */
export interface Played {
  connections: number;
  /** Answers that came whole from an origin that gave them whole. */
  answers: number;
  /** What should not have happened; the first few of them. */
  faults: string[];
  faultCount: number;
}

/** Plays that many connections to 127.0.0.1:`port`; resolves when all of them are closed. */
export async function playClients(port: number, count: number, random: Random): Promise<Played> {
  const played: Played = { connections: 0, answers: 0, faults: [], faultCount: 0 };
  const leaving = new Set<Promise<void>>();
  const play = async () => {
    while (played.connections < count) {
      played.connections++;
      const client = new SoakClient(port, random, played);
      await client.play();
      const closed = client.closed.then(() => void leaving.delete(closed));
      leaving.add(closed);
    }
  };
  await Promise.all(Array.from({ length: playerCount }, play));
  await Promise.all(leaving);
  return played;
}

/** One connection. */
class SoakClient {
  readonly closed: Promise<void>;
  private readonly random: Random;
  private readonly played: Played;
  private readonly socket: Socket;
  private received: string;
  private isEnded: boolean;
  private wake: () => void;

  constructor(port: number, random: Random, played: Played) {
    this.random = random;
    this.played = played;
    this.received = '';
    this.isEnded = false;
    this.wake = () => {};
    const from = { localAddress: random.pick(addresses) };
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true, ...from });
    this.socket.setEncoding('latin1').on('data', (piece: string) => {
      this.received += piece;
      this.wake();
    });
    this.socket.on('error', () => {});
    this.socket.on('end', () => this.end());
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.end();
        resolve();
      });
    });
  }

  async play(): Promise<void> {
    const { random } = this;
    const play = random.pick(plays);
    const isWell = play === 'complete' || play === 'close' || play === 'pipelined' || random.chance(0.5);
    const way = random.pick(isWell ? goodWays : badWays);
    const path = `${random.pick(locations)}${random.below(20)}/${way}`;
    switch (play) {
      case 'silent':
        break;
      case 'in-head': {
        const request = this.makeRequest(path, 'keep-alive');
        this.send(request.slice(0, random.below(request.indexOf('\r\n\r\n') + 3)));
        break;
      }
      case 'in-body': {
        const head = `POST ${path} HTTP/1.1\r\nHost: soak\r\nContent-Length: ${uploadBytes}\r\n\r\n`;
        this.send(head + 'x'.repeat(random.below(uploadBytes)));
        break;
      }
      case 'before-answer':
        this.send(this.makeRequest(path, 'keep-alive'));
        break;
      case 'in-answer':
        this.send(this.makeRequest(path, 'keep-alive'));
        await this.until(() => this.received !== '');
        break;
      case 'not-reading':
        this.socket.pause();
        this.send(`${this.makeRequest(path, 'keep-alive')}`);
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        break;
      case 'tunnel':
        this.send(`GET ${path} HTTP/1.1\r\nHost: soak\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhello`);
        await this.until(() => this.received.endsWith('hello'));
        break;
      case 'close':
        await this.exchange([this.makeRequest(path, 'close')], path);
        await this.until(() => this.isEnded);
        break;
      case 'complete':
        for (let left = 1 + random.below(3); left > 0; left--)
          await this.exchange([this.makeRequest(path, 'keep-alive')], path);
        break;
      case 'pipelined':
        await this.exchange(
          Array.from({ length: 3 }, () => this.makeRequest(path, 'keep-alive')),
          path,
        );
        break;
    }
    this.leave();
  }

  private makeRequest(path: string, connection: string): string {
    const { random } = this;
    const head = `${path} HTTP/1.1\r\nHost: soak\r\nAccept-Encoding: gzip\r\nConnection: ${connection}\r\n`;
    if (random.chance(0.7)) return `GET ${head}\r\n`;
    const body = 'x'.repeat(random.chance(0.5) ? 10 : uploadBytes);
    if (random.chance(0.5)) return `POST ${head}Content-Length: ${body.length}\r\n\r\n${body}`;
    return `POST ${head}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  }

  /** Sends requests at once, and notes a fault unless as many answers of 200 come whole. */
  private async exchange(requests: string[], path: string): Promise<void> {
    if (this.isEnded) return;
    this.send(requests.join(''));
    for (const _ of requests) {
      let length = 0;
      await this.until(() => {
        length = lengthOf(this.received, this.isEnded);
        return length > 0;
      });
      const status = this.received.slice(9, 12);
      // One address may have 100 requests there.
      const isRefused = path.startsWith('/slowed/') && status === '503';
      if (length > 0 && status === '200') this.played.answers++;
      else if (!isRefused) this.blame(`${path} gave ${length > 0 ? status : 'no whole answer'}`);
      this.received = this.received.slice(length);
    }
  }

  private send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** By FIN, at once, or by RST. */
  private leave(): void {
    const { random, socket } = this;
    const way = random.below(3);
    if (way === 0) socket.destroy();
    else if (way === 1) socket.resetAndDestroy();
    else {
      socket.resume();
      if (this.isEnded) socket.destroy();
      else {
        const deadline = setTimeout(() => {
          this.blame('the proxy left a connection open whose client had ended');
          socket.destroy();
        }, endDeadlineMs);
        void this.closed.then(() => clearTimeout(deadline));
        socket.end();
        socket.on('end', () => socket.destroy());
      }
    }
  }

  /** Waits until `isDone`, or the other side has ended. */
  private async until(isDone: () => boolean): Promise<void> {
    while (!isDone() && !this.isEnded) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  private end(): void {
    this.isEnded = true;
    this.wake();
  }

  private blame(what: string): void {
    this.played.faultCount++;
    if (this.played.faults.length < 10) this.played.faults.push(what);
  }
}

/** The length of the first response in `text`; 0 while it isn't whole. */
function lengthOf(text: string, isEnded: boolean): number {
  const headEnd = text.indexOf('\r\n\r\n') + 4;
  if (headEnd < 4) return 0;
  const head = text.slice(0, headEnd);
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  if (length !== undefined) return headEnd + Number(length) <= text.length ? headEnd + Number(length) : 0;
  if (!/^transfer-encoding: chunked/im.test(head)) return isEnded ? text.length : 0;
  for (let at = headEnd; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return 0;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    at = lineEnd + 2 + size + 2;
    if (at > text.length) return 0;
    if (size === 0) return at;
  }
}
