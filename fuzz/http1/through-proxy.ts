/*
 * Broken requests and responses through a running proxy: whatever comes in at one end, what goes out at the
 * other is read by readers that take offence at everything.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { startTestProxy, type TestProxy } from '../../src/testing/index.js';
import { RecordingOrigin } from '../../test/recording-origin.js';
import { readStrictResponses } from '../../test/strict-responses.js';

/** How long the proxy waits for what a broken message leaves open. */
const LIMIT_MS = 100;

const GOOD_REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

/** A proxy for one case after the other. */
abstract class Stage {
  private proxy: TestProxy | null = null;
  /** How long the proxy waits for the origin. */
  protected abstract readonly upstreamReadMs: number;

  /** Starts the origin; gives its port. */
  protected abstract startOrigin(): Promise<number>;
  protected abstract stopOrigin(): Promise<void>;

  async start(): Promise<void> {
    const address = { host: '127.0.0.1', port: await this.startOrigin(), path: null };
    this.proxy = await startTestProxy([{ address }], {
      timeouts: {
        clientHeaderMs: LIMIT_MS,
        clientBodyMs: LIMIT_MS,
        keepaliveMs: LIMIT_MS,
        upstreamReadMs: this.upstreamReadMs,
      },
    });
  }

  async stop(): Promise<void> {
    await this.proxy?.stop();
    await this.stopOrigin();
  }

  /** Sends pieces, each in a packet of its own where the system wants it so; what comes back until it is over. */
  protected async converse(pieces: readonly Buffer[]): Promise<string> {
    const socket = connect({ port: this.proxy!.address.port, host: '127.0.0.1', noDelay: true });
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
    });
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.destroy());
    // Not `once`, which rejects at an error: a client that goes on after it was closed on gets a reset.
    const closed = new Promise((resolve) => socket.once('close', resolve));
    for (const piece of pieces) {
      if (socket.destroyed) break;
      socket.write(piece);
      await turn();
    }
    await closed;
    return text;
  }

  /** Throws an Error when the proxy logged what only a bug can cause. */
  protected checkLog(): void {
    const { errorLog, accessLog } = this.proxy!;
    const [bug] = errorLog.matching(/\[(?:alert|crit|emerg)\]/);
    if (bug !== undefined) throw new Error(bug);
    errorLog.lines.length = 0;
    accessLog.lines.length = 0;
  }
}

/** Broken requests to an origin that records them. */
export class RequestStage extends Stage {
  // It always answers; a machine that is slow just now is no reason to give it up.
  protected readonly upstreamReadMs = 10_000;
  private readonly origin = new RecordingOrigin();

  /** Sends a case; throws an Error when the origin got what it should not. Gives what the client was answered. */
  async run(pieces: readonly Buffer[]): Promise<string> {
    this.origin.forget();
    const { origin } = this;
    const text = await this.converse(pieces);
    if (origin.offence !== null) {
      throw new Error(`offence at the origin: ${origin.offence}; it got ${JSON.stringify(origin.text)}`);
    }
    const answers = text.match(/HTTP\/1\.1 200 /g)?.length ?? 0;
    if (origin.requestCount > answers) {
      const got = `${JSON.stringify(text)}; the origin got ${JSON.stringify(origin.text)}`;
      throw new Error(`${origin.requestCount} requests for ${answers} answers: ${got}`);
    }
    const after = await this.converse([Buffer.from(GOOD_REQUEST)]);
    // Or it was slow to arrive.
    if (!/^HTTP\/1\.1 (?:200|408) /.test(after))
      throw new Error(`a good request after it got ${JSON.stringify(after)}`);
    this.checkLog();
    return firstAnswer(text);
  }

  protected startOrigin(): Promise<number> {
    return this.origin.listen();
  }

  protected stopOrigin(): Promise<void> {
    return this.origin.close();
  }
}

/** Good requests to an origin that answers them badly. */
export class ResponseStage extends Stage {
  protected readonly upstreamReadMs = LIMIT_MS;
  private answer: readonly Buffer[] = [];
  private closes = false;
  private readonly server = createServer((socket) => void this.play(socket));

  /**
   * Has the origin answer in these pieces, and close behind them or not; throws an Error when clients get what
   * they should not. Gives what the first answer was.
   */
  async run(answer: readonly Buffer[], closes: boolean, method: string): Promise<string> {
    this.answer = answer;
    this.closes = closes;
    const requests = `${method} /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n`;
    const text = await this.converse([Buffer.from(requests)]);
    const { statuses, isCut, offence } = readStrictResponses(text, [method, 'GET']);
    if (offence !== null)
      throw new Error(`offence at the client: ${offence}; it got ${JSON.stringify(text)}`);
    this.checkLog();
    return isCut && statuses.length === 0 ? 'cut' : firstAnswer(text);
  }

  protected async startOrigin(): Promise<number> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  protected async stopOrigin(): Promise<void> {
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async play(socket: Socket): Promise<void> {
    socket.on('error', () => socket.destroy());
    for (;;) {
      await once(socket, 'data').catch(() => undefined);
      if (socket.destroyed) return;
      for (const piece of this.answer) {
        socket.write(piece);
        await turn();
      }
      if (this.closes) socket.end();
      if (socket.destroyed || this.closes) return;
    }
  }
}

/** Stages for as many cases as are under way at once. */
export class StagePool<Kind extends Stage> {
  readonly #make: () => Kind;
  readonly #all: Kind[] = [];
  readonly #free: Kind[] = [];

  constructor(make: () => Kind) {
    this.#make = make;
  }

  /** Runs one case on a stage; an Error it throws tells of the case's bytes. */
  async use(text: string, run: (stage: Kind) => Promise<string>): Promise<string> {
    const stage = this.#free.pop() ?? (await this.#startAnother());
    try {
      return await run(stage);
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : error}\n  sent: ${JSON.stringify(text)}`);
    } finally {
      this.#free.push(stage);
    }
  }

  async stop(): Promise<void> {
    this.#free.length = 0;
    await Promise.all(this.#all.splice(0).map((stage) => stage.stop()));
  }

  async #startAnother(): Promise<Kind> {
    const stage = this.#make();
    this.#all.push(stage);
    await stage.start();
    return stage;
  }
}

function firstAnswer(text: string): string {
  const [, status] = /(?:^|\n)HTTP\/1\.1 ([2-5]\d\d) /.exec(text) ?? [];
  return status === undefined ? 'no answer' : `answered ${status}`;
}
