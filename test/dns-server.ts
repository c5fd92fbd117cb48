// A name server for tests: answers by UDP and TCP from records that a test changes as it goes.
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { onTestFinished } from 'vitest';

const TYPES: Readonly<Record<string, number>> = { A: 1, CNAME: 5, AAAA: 28, SRV: 33 };

/** `A 127.0.0.1`, `AAAA ::1`, `CNAME b.test`, `SRV 1 5 8080 a.test` (priority, weight, port, host). */
type Record_ = string;

/** Answers that are none: with that code, cut off so that TCP is needed, or not at all. */
type Trouble = { readonly code: number } | 'truncated' | 'silent';

export class DnsServer {
  /** By name; a name that isn't there doesn't exist. */
  readonly records: Map<string, readonly Record_[] | Trouble> = new Map();
  ttl = 60;
  /** `A a.test` for each question, in order; `tcp A a.test`. */
  readonly questions: string[] = [];
  #udp: UdpSocket;
  readonly #tcp: Server;
  #port = 0;

  private constructor() {
    this.#udp = this.#makeUdp();
    this.#tcp = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (data) => {
        const answer = this.#answer(data.subarray(2), true);
        if (answer === null) return;
        const length = Buffer.alloc(2);
        length.writeUInt16BE(answer.length);
        socket.end(Buffer.concat([length, answer]));
      });
    });
  }

  #makeUdp(): UdpSocket {
    const udp = createSocket('udp4', (message, from) => {
      const answer = this.#answer(message, false);
      if (answer !== null) udp.send(answer, from.port, from.address);
    });
    return udp;
  }

  /** Listens on a free port until the test ends. */
  static async start(
    records: Readonly<Record<string, readonly Record_[] | Trouble>> = {},
  ): Promise<DnsServer> {
    const server = new DnsServer();
    await server.#listen(0);
    for (const [name, some] of Object.entries(records)) server.records.set(name, some);
    onTestFinished(() => server.stop());
    return server;
  }

  async #listen(port: number): Promise<void> {
    await new Promise<void>((resolve) => this.#tcp.listen(port, '127.0.0.1', resolve));
    this.#port = (this.#tcp.address() as { port: number }).port;
    await new Promise<void>((resolve) => this.#udp.bind(this.#port, '127.0.0.1', resolve));
  }

  /** Nobody listens on its port any more. */
  async stop(): Promise<void> {
    if (!this.#tcp.listening) return;
    const closed = [
      new Promise<void>((resolve) => this.#udp.close(() => resolve())),
      new Promise<void>((resolve) => this.#tcp.close(() => resolve())),
    ];
    await Promise.all(closed);
  }

  /** The same server again, on the same port. */
  async comeBack(): Promise<void> {
    this.#udp = this.#makeUdp();
    await this.#listen(this.#port);
  }

  get name(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  #answer(question: Buffer, isTcp: boolean): Buffer | null {
    const labels: string[] = [];
    let at = 12;
    while (question[at]! > 0) {
      labels.push(question.toString('latin1', at + 1, at + 1 + question[at]!));
      at += 1 + question[at]!;
    }
    const end = at + 5;
    const type = question.readUInt16BE(at + 1);
    const name = labels.join('.');
    const typeName = Object.keys(TYPES).find((each) => TYPES[each] === type) ?? String(type);
    this.questions.push(`${isTcp ? 'tcp ' : ''}${typeName} ${name}`);
    const found = this.records.get(name);
    if (found === 'silent') return null;
    const isTruncated = found === 'truncated' && !isTcp;
    const records = Array.isArray(found) ? (found as readonly string[]) : [];
    const matching = records.filter((each) => [typeName, 'CNAME'].includes(each.split(' ')[0]!));
    const code = found === undefined ? 3 : typeof found === 'object' && 'code' in found ? found.code : 0;
    const header = Buffer.from(question.subarray(0, 12));
    header.writeUInt16BE(0x8180 | code | (isTruncated ? 0x0200 : 0), 2);
    header.writeUInt16BE(isTruncated ? 0 : matching.length, 6);
    header.writeUInt32BE(0, 8);
    const answers = isTruncated ? [] : matching.map((each) => this.#record(each));
    return Buffer.concat([header, question.subarray(12, end), ...answers]);
  }

  #record(text: Record_): Buffer {
    const [type, ...rest] = text.split(' ');
    const data = encodeData(type!, rest);
    const head = Buffer.alloc(12);
    head.writeUInt16BE(0xc00c, 0);
    head.writeUInt16BE(TYPES[type!]!, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt32BE(this.ttl, 6);
    head.writeUInt16BE(data.length, 10);
    return Buffer.concat([head, data]);
  }
}

function encodeData(type: string, [first, second, third, fourth]: readonly string[]): Buffer {
  switch (type) {
    case 'A':
      return Buffer.from(first!.split('.').map(Number));
    case 'AAAA': {
      const [head, tail] = first!.split('::');
      const groups = (half: string | undefined) => (half === undefined || half === '' ? [] : half.split(':'));
      const zeros = new Array<string>(8 - groups(head).length - groups(tail).length).fill('0');
      const all = [...groups(head), ...zeros, ...groups(tail)];
      return Buffer.from(
        all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]),
      );
    }
    case 'SRV': {
      const numbers = Buffer.alloc(6);
      for (const [i, number] of [first, second, third].entries())
        numbers.writeUInt16BE(Number(number), i * 2);
      return Buffer.concat([numbers, encodeName(fourth!)]);
    }
    default:
      return encodeName(first!);
  }
}

function encodeName(name: string): Buffer {
  const labels = name
    .split('.')
    .map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1'));
  return Buffer.concat([...labels, Buffer.from([0])]);
}
