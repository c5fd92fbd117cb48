/*
 * An HTTP/1.1 message as a test sees it: parsed in the plainest way, sharing no code with the proxy, so
 * that a bug of its parser can't hide here.
 */

/** One request or response. Text is latin1. */
export class RawMessage {
  /** Start line and fields as received, with their line ends and the empty line. */
  readonly head: string;
  /** The payload, without its framing. */
  readonly body: Buffer;
  /** The trailer section as received, without the empty line; '' when there is none. */
  readonly trailers: string;

  constructor(head: string, body: Buffer, trailers: string) {
    this.head = head;
    this.body = body;
    this.trailers = trailers;
  }

  get startLine(): string {
    return this.head.slice(0, this.head.indexOf('\r\n'));
  }

  /** Of a response; NaN for a request. */
  get status(): number {
    return Number(/^HTTP\/1\.\d (\d{3})/.exec(this.head)?.[1]);
  }

  get text(): string {
    return this.body.toString('latin1');
  }

  /** The values of a field, joined by ", "; null when there is none. */
  field(name: string): string | null {
    const values = this.fieldLines
      .map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ])
      .filter(([lowerName]) => lowerName === name.toLowerCase())
      .map(([, value]) => value);
    return values.length === 0 ? null : values.join(', ');
  }

  /** The field lines as received, without their line ends. */
  get fieldLines(): string[] {
    return this.head.split('\r\n').slice(1, -2);
  }
}

/** How a message's body ends, from its head alone. */
export type RawFraming = { kind: 'none' } | { kind: 'length'; bytes: number } | { kind: 'chunked' | 'close' };

/** The framing of a request. */
export function requestFraming(head: string): RawFraming {
  const message = new RawMessage(head, Buffer.alloc(0), '');
  if (message.field('transfer-encoding') !== null) return { kind: 'chunked' };
  const length = message.field('content-length');
  return length === null ? { kind: 'none' } : { kind: 'length', bytes: Number(length) };
}

/** The framing of a response to a request of method `method`. */
export function responseFraming(head: string, method: string): RawFraming {
  const message = new RawMessage(head, Buffer.alloc(0), '');
  const { status } = message;
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return { kind: 'none' };
  const framing = requestFraming(head);
  return framing.kind === 'none' ? { kind: 'close' } : framing;
}
