// Starts http-proxy-3: node http-proxy-3.mjs LISTEN_PORT UPSTREAM_PORT. Run by the benchmark only.

import { Agent } from 'node:http';
import httpProxy from 'http-proxy-3';

const [listenPort, upstreamPort] = process.argv.slice(2).map(Number);
const proxy = httpProxy.createProxyServer({
  target: { host: '127.0.0.1', port: upstreamPort },
  agent: new Agent({ keepAlive: true }),
  xfwd: true,
});
proxy.on('error', (_error, _request, response) => {
  if ('headersSent' in response && !response.headersSent) response.writeHead(502);
  response.end();
});
proxy.listen(listenPort, '127.0.0.1');
