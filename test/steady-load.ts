// Clients that never stop asking: what they get is counted, whatever happens to the servers meanwhile.
import { RawClient } from '../src/testing/index.js';

/** Clients that each send one request after the other, each on its own connection, until told to stop. */
export class SteadyLoad {
  /** How many answers of 200 had which body. */
  readonly served: Map<string, number>;
  /** The heads of other answers, and why there were none. */
  readonly failures: string[];
  #isOver: boolean;
  #waiting: (() => void)[];
  readonly #clients: Promise<void>[];

  constructor(server: { readonly port: number }, count: number, nextRequest: () => string) {
    this.served = new Map();
    this.failures = [];
    this.#isOver = false;
    this.#waiting = [];
    this.#clients = Array.from({ length: count }, () => this.#ask(server, nextRequest));
  }

  /** Waits until `name` has answered `count` more requests. */
  async waitFor(name: string, count: number): Promise<void> {
    const goal = (this.served.get(name) ?? 0) + count;
    while ((this.served.get(name) ?? 0) < goal) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients);
  }

  async #ask({ port }: { readonly port: number }, nextRequest: () => string): Promise<void> {
    let client: RawClient | null = null;
    while (!this.#isOver) {
      try {
        client ??= await RawClient.connect({ host: '127.0.0.1', port, path: null });
        await client.send(nextRequest());
        const { head, body } = await client.readResponse();
        if (!head.startsWith('HTTP/1.1 200 ')) this.failures.push(head);
        if (!head.startsWith('HTTP/1.1 200 ') || /^connection: close/im.test(head)) {
          client.close();
          client = null;
        }
        const name = body.toString();
        this.served.set(name, (this.served.get(name) ?? 0) + 1);
      } catch (error) {
        this.failures.push(String(error));
        client?.close();
        client = null;
      }
      for (const resolve of this.#waiting.splice(0)) resolve();
    }
    client?.close();
  }
}
