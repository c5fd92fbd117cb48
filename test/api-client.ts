// Calls of the status API in tests.
import type { TestConf } from '../src/testing/index.js';
import { type Answer, ask } from './conf-scene.js';

/** An answer with what its body says; undefined for an empty one. */
export interface ApiResult extends Answer {
  // biome-ignore lint/suspicious/noExplicitAny: whatever it says is what a test looks at
  readonly json: any;
}

/** One call on a connection of its own. A body that is no text goes as JSON; `fields` are further lines. */
export async function call(
  conf: TestConf,
  method: string,
  target: string,
  body?: unknown,
  fields = body === undefined ? '' : 'Content-Type: application/json\r\n',
): Promise<ApiResult> {
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(text)}\r\n`;
  const head = `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${fields}${length}\r\n`;
  const answer = await ask(conf, head + Buffer.from(text).toString('latin1'));
  return { ...answer, json: answer.body === '' ? undefined : JSON.parse(answer.body) };
}
