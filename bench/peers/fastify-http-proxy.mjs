// Starts @fastify/http-proxy: node fastify-http-proxy.mjs LISTEN_PORT UPSTREAM_PORT. Run by the
// benchmark only.

import httpProxy from '@fastify/http-proxy';
import fastify from 'fastify';

const [listenPort, upstreamPort] = process.argv.slice(2).map(Number);
const server = fastify({ logger: false, bodyLimit: 2 ** 30 });
await server.register(httpProxy, {
  upstream: `http://127.0.0.1:${upstreamPort}`,
  websocket: false,
  disableRequestLogging: true,
  replyOptions: { rewriteRequestHeaders },
});
await server.listen({ host: '127.0.0.1', port: listenPort });

function rewriteRequestHeaders(request, headers) {
  const before = headers['x-forwarded-for'];
  const client = request.socket.remoteAddress;
  headers.host = request.headers.host;
  headers['x-forwarded-for'] = before === undefined ? client : `${before}, ${client}`;
  headers['x-forwarded-proto'] = request.protocol;
  headers['x-forwarded-host'] = request.headers.host;
  return headers;
}
