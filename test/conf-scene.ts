// A configuration on stage: served for one test, asked by whole requests, its answers taken apart.
import { expect, onTestFinished } from 'vitest';
import { startTestConf, type TestConf, type TestConfOptions } from '../src/testing/index.js';

/**
 * Serves the text of a configuration until the test ends; in it `%PORT%` stands for a free port. A bug that was caught
 * and logged ([alert]) fails the test. Throws an Error with nginx's words for what is wrong with the text.
 */
export async function serveConf(text: string, options: TestConfOptions = {}): Promise<TestConf> {
  const conf = await startTestConf(text, options);
  onTestFinished(async () => {
    await conf.stop();
    expect(conf.log('error.log').matching(/\[alert\]/)).toEqual([]);
  });
  return conf;
}

/** An answer taken apart; texts are latin1. */
export interface Answer {
  readonly status: number;
  /** The head with its final empty line. */
  readonly head: string;
  /** By name in lower case; several of a name joined by ", ". */
  readonly fields: Readonly<Record<string, string>>;
  /** Decoded if it came in chunks. */
  readonly body: string;
}

/** What a server answers to one request on a connection of its own, which the request should close. */
export async function ask(conf: TestConf, request: string): Promise<Answer> {
  const client = await conf.connect();
  await client.send(request);
  return readAnswer(await client.readToEnd());
}

/** GET with `Connection: close`; `fields` are further lines, each with its line end. */
export function get(conf: TestConf, target: string, fields = '', host = 'localhost'): Promise<Answer> {
  return ask(conf, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${fields}\r\n`);
}

/** The first answer of what was received. */
export function readAnswer(received: string): Answer {
  const end = received.indexOf('\r\n\r\n') + 4;
  if (end < 4) throw new Error(`no whole head in ${JSON.stringify(received)}`);
  const head = received.slice(0, end);
  const [statusLine, ...lines] = head.trimEnd().split('\r\n');
  const fields: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    fields[name] = name in fields ? `${fields[name]}, ${value}` : value;
  }
  const rest = received.slice(end);
  const body = fields['transfer-encoding'] === 'chunked' ? readChunks(rest) : rest;
  return { status: Number(statusLine!.split(' ')[1]), head, fields, body };
}

function readChunks(text: string): string {
  let body = '';
  let at = 0;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (!(size > 0)) return body;
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 4 + size;
  }
}
