// Origins that tell in every answer who they are.
import { onTestFinished } from 'vitest';
import { answering, RawOrigin } from '../src/testing/index.js';

/** Starts an origin for each name; it answers its name and lives until the test ends. */
export async function startOrigins(...names: string[]): Promise<RawOrigin[]> {
  const origins = await Promise.all(names.map((name) => RawOrigin.start(answering(answer(name)))));
  onTestFinished(async () => {
    await Promise.all(origins.map((origin) => origin.stop()));
  });
  return origins;
}

/** A whole response with that body. */
export function answer(body: string, fields = ''): string {
  return `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
}
