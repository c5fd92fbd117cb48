// mirror and post_action: requests that come of a request and whose answers nobody sees.
import { expect, it } from 'vitest';
import { ask, get, serveConf } from './conf-scene.js';
import { startOrigin } from './scene.js';

const POST = 'POST /form?a=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody';

/** An origin that notes what it is asked, and answers with its name. */
async function startNoting(name: string) {
  const requests: string[] = [];
  const origin = await startOrigin(async (connection) => {
    const request = await connection.readRequest();
    requests.push(`${request.startLine.replace(' HTTP/1.1', '')} ${request.text}`.trim());
    await connection.send(
      `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${name.length}\r\n\r\n${name}`,
    );
  });
  return { address: origin.name, requests };
}

it('mirrors a request with its body to each mirror, and answers what the origin does', async () => {
  const [origin, one, two] = await Promise.all(['origin', 'one', 'two'].map(startNoting));
  const conf = await serveConf(`
    server {
      listen %PORT%;
      location / { mirror /one; mirror /two; proxy_pass http://${origin!.address}; }
      location /off/ { mirror off; proxy_pass http://${origin!.address}; }
      location = /one { internal; proxy_pass http://${one!.address}$request_uri; }
      location = /two { internal; proxy_pass http://${two!.address}; }
    }`);
  expect(await ask(conf, POST)).toMatchObject({ status: 200, body: 'origin' });
  expect(await get(conf, '/off/')).toMatchObject({ status: 200, body: 'origin' });
  expect(origin!.requests).toEqual(['POST /form?a=1 body', 'GET /off/']);
  expect(one!.requests).toEqual(['POST /form?a=1 body']);
  expect(two!.requests).toEqual(['POST /two?a=1 body']);
});

it('mirrors without the body where mirror_request_body is off', async () => {
  const [origin, mirror] = await Promise.all(['origin', 'mirror'].map(startNoting));
  const conf = await serveConf(`
    server {
      listen %PORT%;
      location / { mirror /mirror; mirror_request_body off; proxy_pass http://${origin!.address}; }
      location = /mirror {
        internal;
        proxy_pass http://${mirror!.address};
        proxy_pass_request_body off;
        proxy_set_header Content-Length "";
      }
    }`);
  expect(await ask(conf, POST)).toMatchObject({ status: 200, body: 'origin' });
  expect(origin!.requests).toEqual(['POST /form?a=1 body']);
  expect(mirror!.requests).toEqual(['POST /mirror?a=1']);
});

it('has no client wait for a mirror that does not answer', async () => {
  const origin = await startNoting('origin');
  const silent = await startOrigin();
  const conf = await serveConf(`
    access_log access.log;
    server {
      listen %PORT%;
      location / { mirror /mirror; proxy_pass http://${origin.address}; }
      location = /mirror { internal; proxy_pass http://${silent.name}; }
    }`);
  const client = await conf.connect();
  await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const mirrored = await silent.accept();
  await mirrored.readRequest();
  expect((await client.readResponse()).text).toBe('origin');
  expect(conf.log('access.log').lines).toEqual([]);
  await mirrored.send('HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nignored');
  await conf.log('access.log').waitFor(/"GET \/ HTTP\/1.1" 200 6 /);
  await client.send('GET /again HTTP/1.1\r\nHost: a\r\n\r\n');
  expect((await client.readResponse()).text).toBe('origin');
  client.close();
});

it('answers as ever when a mirror fails', async () => {
  const origin = await startNoting('origin');
  const conf = await serveConf(`
    server {
      listen %PORT%;
      location / { mirror /mirror; proxy_pass http://${origin.address}; }
      location = /mirror { internal; return 500; }
    }`);
  expect(await get(conf, '/')).toMatchObject({ status: 200, body: 'origin' });
});

it('takes post_action when a request is answered, and keeps from the client what comes of it', async () => {
  const [origin, action] = await Promise.all(['origin', 'action'].map(startNoting));
  const conf = await serveConf(`
    access_log access.log;
    server {
      listen %PORT%;
      location / { post_action /done; proxy_pass http://${origin!.address}; }
      location = /done { internal; proxy_pass http://${action!.address}/done?$args; }
    }`);
  const answer = await get(conf, '/a');
  expect(answer).toMatchObject({ status: 200, body: 'origin' });
  await conf.log('access.log').waitFor(/"GET \/a HTTP\/1.1" 200 /);
  expect(origin!.requests).toEqual(['GET /a']);
  expect(action!.requests).toHaveLength(1);
});

it('cancels the request whose mirror closes the connection (return 444)', async () => {
  const origin = await startOrigin();
  const second = await startOrigin();
  const conf = await serveConf(`
    server {
      listen %PORT%;
      location / { mirror /mirror; proxy_pass http://${origin.name}; }
      location = /mirror { proxy_intercept_errors on; error_page 500 /close; proxy_pass http://${second.name}; }
      location = /close { return 444; }
    }`);
  const client = await conf.connect();
  await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const upstream = await origin.accept();
  await upstream.readHead();
  const mirrored = await second.accept();
  await mirrored.readHead();
  await mirrored.send('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n');
  expect(await client.readToEnd()).toBe('');
  await upstream.waitForEnd();
});
