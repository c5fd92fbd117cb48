// A defect of the proxy's own that shows in one request: that request ends, its client's connection with it,
// and nobody else notices. Planted in the access log, which is written wherever a request can end.
import { expect, onTestFinished, test } from 'vitest';
import { answering, startTestProxy, type TestProxy } from '../src/testing/index.js';
import { connect, startOrigin } from './scene.js';

const NO_CONTENT = 'HTTP/1.1 204 No Content\r\n\r\n';

/** A proxy whose access log throws for requests of /planted, and for those whose head was never whole. */
async function startPlanted(options: Parameters<typeof startTestProxy>[1] = {}): Promise<TestProxy> {
  const origin = await startOrigin(answering(NO_CONTENT));
  const proxy = await startTestProxy([origin], options);
  onTestFinished(() => proxy.stop());
  const write = proxy.accessLog.write.bind(proxy.accessLog);
  proxy.accessLog.write = (line) => {
    if (/\] "(GET \/planted .*|-)" \d/.test(line)) throw new Error('planted');
    write(line);
  };
  return proxy;
}

test.each([
  ['as the response ends', 'GET /planted HTTP/1.1\r\nHost: a\r\n\r\n', {}],
  ['as a request is refused', 'GET /planted HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', {}],
  ['as a time is over', 'GET /planted', { timeouts: { clientHeaderMs: 50 } }],
  ['in a pipelined request', 'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /planted HTTP/1.1\r\nHost: a\r\n\r\n', {}],
])('a defect that shows %s ends that request alone', async (_when, request, options) => {
  const proxy = await startPlanted(options);
  const other = await connect(proxy);
  other.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await other.readResponse();
  const client = await connect(proxy);
  client.send(request);
  await client.waitForEnd();
  await proxy.errorLog.waitFor(/\[alert\] .*Error: planted.* at /);
  await expect.poll(() => proxy.server.connectionCount).toBe(1);
  expect(proxy.activeRequests).toBe(0);
  other.send('GET /other HTTP/1.1\r\nHost: a\r\n\r\n');
  expect((await other.readResponse()).status).toBe(204);
  expect(proxy.errorLog.matching(/\[alert\]/).length).toBe(1);
});
