// error_log at each level of a configuration: who is told what.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { get, serveConf } from './conf-scene.js';

/** A request that is refused with [error]. */
const DENIED = 'deny all; access_log off;';

it('takes the logs of the innermost level that has some, each from its own level on', async () => {
  const conf = await serveConf(`
    error_log main.log;
    http { access_log off; error_log http.log;
      server { listen 127.0.0.1:%PORT%;
        location /inherits { ${DENIED} }
        location /own { ${DENIED} error_log own.log; error_log warn.log warn; error_log crit.log crit; error_log twice.log; error_log twice.log; }
      } }`);
  await get(conf, '/inherits');
  await get(conf, '/own');
  await conf.log('own.log').waitFor(/access forbidden by rule/);
  const counts = ['main', 'http', 'own', 'warn', 'crit', 'twice'].map(
    (name) => conf.log(`${name}.log`).matching(/access forbidden by rule/).length,
  );
  expect(counts).toEqual([0, 1, 1, 1, 0, 2]);
  expect(conf.log('own.log').lines[0]).toMatch(
    /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[error\] \d+#\d+: \*\d+ access forbidden by rule, client: 127\.0\.0\.1,.* request: "GET \/own HTTP\/1\.1"/,
  );
});

it('sends its lines to a syslog server with the severity of their level', async () => {
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  const received: string[] = [];
  socket.on('message', (bytes) => received.push(bytes.toString()));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const target = `syslog:server=127.0.0.1:${socket.address().port},tag=web,nohostname`;
  const conf = await serveConf(
    `http { access_log off; server { listen 127.0.0.1:%PORT%; deny all; error_log ${target}; error_log file.log; } }`,
  );
  await get(conf, '/');
  await expect.poll(() => received).toHaveLength(1);
  expect(received[0]).toMatch(
    /^<187>\w{3} [ \d]\d \d\d:\d\d:\d\d web: \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[error\] .*access forbidden by rule/,
  );
  expect(conf.log('file.log').matching(/forbidden/)).toHaveLength(1);
});

it.each([
  ['error_log a.log loud;', 'invalid log level "loud"'],
  ['error_log a.log info warn;', 'duplicate log level "warn"'],
  ['error_log syslog:tag=a;', 'no syslog server specified'],
  ['error_log memory:1k;', 'invalid buffer size "1k"'],
])('%s is refused in the words of nginx', async (text, words) => {
  await expect(serveConf(`${text} http { server { listen 127.0.0.1:%PORT%; } }`)).rejects.toThrow(words);
});
