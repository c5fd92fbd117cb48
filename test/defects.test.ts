// A defect of the proxy's own that shows in one request: that request ends, its client's connection with it,
// and nobody else notices. Planted in the logs, which are written wherever a request can end.
import { expect, onTestFinished, test } from 'vitest';
import { answering, startTestProxy, type TestProxy } from '../src/testing/index.js';
import { connect, startOrigin } from './scene.js';

const NO_CONTENT = 'HTTP/1.1 204 No Content\r\n\r\n';

/** A proxy one of whose logs throws once for a line that matches. */
async function startPlanted(
  log: 'accessLog' | 'errorLog',
  pattern: RegExp,
  options: Parameters<typeof startTestProxy>[1] = {},
): Promise<TestProxy> {
  const origin = await startOrigin(answering(NO_CONTENT));
  const proxy = await startTestProxy([origin], options);
  onTestFinished(() => proxy.stop());
  const sink = proxy[log];
  const write = sink.write.bind(sink);
  let isPlanted = true;
  sink.write = (line) => {
    if (isPlanted && pattern.test(line)) {
      isPlanted = false;
      throw new Error('planted');
    }
    write(line);
  };
  return proxy;
}

test.each([
  ['as a request is refused', 'GET /planted HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', {}],
  ['as a time is over', 'GET /planted', { timeouts: { clientHeaderMs: 50 } }],
  [
    'in a pipelined request',
    'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /planted HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n',
    {},
  ],
])('a defect that shows %s ends that request alone', async (_when, request, options) => {
  const proxy = await startPlanted('errorLog', /\[info\].*client (?:sent|timed out)/, options);
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

test('a defect of what runs after a response costs not even the connection', async () => {
  const proxy = await startPlanted('accessLog', /GET \/planted /);
  const client = await connect(proxy);
  client.send('GET /planted HTTP/1.1\r\nHost: a\r\n\r\n');
  expect((await client.readResponse()).status).toBe(204);
  await proxy.errorLog.waitFor(/\[alert\] .*Error: planted.* at /);
  client.send('GET /other HTTP/1.1\r\nHost: a\r\n\r\n');
  expect((await client.readResponse()).status).toBe(204);
  expect(proxy.activeRequests).toBe(0);
});
