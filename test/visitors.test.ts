// Who a request comes from and whether it may be there: realip, userid, secure_link, referer and browser.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ask, get, serveConf } from './conf-scene.js';

function serveServer(directives: string, text = '') {
  return serveConf(`
    server {
      listen 127.0.0.1:%PORT%;
      ${directives}
      ${text === '' ? '' : `location / { return 200 "${text}"; }`}
    }`);
}

describe('realip', () => {
  const SHOWN = '$remote_addr:$remote_port';

  it('takes the address from X-Real-IP of a trusted proxy, and keeps the old one', async () => {
    const conf = await serveServer('set_real_ip_from 127.0.0.0/8;', `${SHOWN} $realip_remote_addr`);
    expect((await get(conf, '/', 'X-Real-IP: 192.0.2.1\r\n')).body).toBe('192.0.2.1: 127.0.0.1');
    expect((await get(conf, '/', 'X-Real-IP: 192.0.2.1:80\r\n')).body).toBe('192.0.2.1:80 127.0.0.1');
    expect((await get(conf, '/', 'X-Real-IP: [2001:DB8:0::1]:80\r\n')).body).toBe('2001:db8::1:80 127.0.0.1');
    expect((await get(conf, '/', 'X-Real-IP: nobody\r\n')).body).toMatch(/^127\.0\.0\.1:\d+ 127\.0\.0\.1$/);
    expect((await get(conf, '/')).body).toMatch(/^127\.0\.0\.1:\d+ 127\.0\.0\.1$/);
  });

  it.each([
    ['set_real_ip_from 10.0.0.0/8;', 'X-Real-IP: 192.0.2.1', '127.0.0.1'],
    ['set_real_ip_from localhost;', 'X-Real-IP: 192.0.2.1', '192.0.2.1'],
    [
      'set_real_ip_from 127.0.0.1; real_ip_header X-Who;',
      'X-Who: 192.0.2.1\r\nX-Who: 192.0.2.2',
      '192.0.2.1',
    ],
    [
      'set_real_ip_from 127.0.0.1; set_real_ip_from 192.0.2.2; real_ip_header X-Forwarded-For;',
      'X-Forwarded-For: 192.0.2.1, 192.0.2.2',
      '192.0.2.2',
    ],
    [
      'set_real_ip_from 127.0.0.1; set_real_ip_from 192.0.2.2; real_ip_header X-Forwarded-For; real_ip_recursive on;',
      'X-Forwarded-For: 192.0.2.1, 192.0.2.2',
      '192.0.2.1',
    ],
  ])('with %s and %s is %s', async (directives, fields, address) => {
    const conf = await serveServer(directives, '$remote_addr');
    expect((await get(conf, '/', `${fields}\r\n`)).body).toBe(address);
  });

  it('believes the PROXY protocol when told to', async () => {
    const conf = await serveConf(`
      server {
        listen 127.0.0.1:%PORT% proxy_protocol;
        set_real_ip_from 127.0.0.1;
        real_ip_header proxy_protocol;
        location / { return 200 "${SHOWN}"; }
      }`);
    const header = 'PROXY TCP4 192.0.2.1 192.0.2.2 1234 5678\r\n';
    const answer = await ask(conf, `${header}GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(answer.body).toBe('192.0.2.1:1234');
  });

  it('comes before access rules, and a location may have its own', async () => {
    const conf = await serveServer(`
      location /own {
        set_real_ip_from 127.0.0.1;
        deny 192.0.2.1;
        error_page 404 = /shown;
        root /nowhere;
      }
      location = /shown { internal; return 200 "$remote_addr"; }`);
    expect((await get(conf, '/own', 'X-Real-IP: 192.0.2.1\r\n')).status).toBe(403);
    expect((await get(conf, '/own', 'X-Real-IP: 192.0.2.2\r\n')).body).toBe('192.0.2.2');
  });

  it('refuses what is no address', async () => {
    await expect(serveServer('set_real_ip_from 10.0.0.0/33;')).rejects.toThrow(
      'host not found in set_real_ip_from "10.0.0.0/33"',
    );
  });
});

describe('userid', () => {
  async function cookieOf(conf: Awaited<ReturnType<typeof serveServer>>, cookie = ''): Promise<string> {
    const fields = cookie === '' ? '' : `Cookie: ${cookie}\r\n`;
    return (await get(conf, '/', fields)).fields['set-cookie'] ?? '';
  }

  it('gives a new browser a number, and knows it again', async () => {
    const conf = await serveServer('userid on;', '[$uid_got][$uid_set]');
    const first = await get(conf, '/');
    const [, value] = /^uid=([A-Za-z0-9+/]{22}==); path=\/$/.exec(first.fields['set-cookie']!)!;
    expect(first.body).toMatch(/^\[\]\[uid=[0-9A-F]{32}\]$/);
    const again = await get(conf, '/', `Cookie: uid=${value}\r\n`);
    expect(again.fields).not.toHaveProperty('set-cookie');
    expect(again.body).toBe(`[${first.body.slice(3, -1)}][]`);
    expect(await cookieOf(conf)).not.toBe(first.fields['set-cookie']);
  });

  it('has the server, the second and a counter in the number', async () => {
    const bytesOf = async (directives: string) => {
      const conf = await serveServer(directives, 'x');
      return Buffer.from(/=([^;]*)/.exec(await cookieOf(conf))![1]!, 'base64');
    };
    const byAddress = await bytesOf('userid on;');
    expect([...byAddress.subarray(0, 4)]).toEqual([127, 0, 0, 1]);
    expect(Math.abs(byAddress.readUInt32BE(4) - Date.now() / 1000)).toBeLessThan(60);
    expect((await bytesOf('userid on; userid_service 258;')).readUInt32BE(0)).toBe(258);
    const old = await bytesOf('userid v1; userid_service 258;');
    expect(old.readUInt32LE(0)).toBe(258);
    expect(Math.abs(old.readUInt32LE(4) - Date.now() / 1000)).toBeLessThan(60);
  });

  it.each([
    ['userid_name who;', /^who=.{24}; path=\/$/],
    ['userid_domain a.example; userid_path /x;', /^uid=.{24}; domain=a\.example; path=\/x$/],
    ['userid_expires max;', /^uid=.{24}; expires=Thu, 31-Dec-37 23:55:55 GMT; path=\/$/],
    ['userid_expires 1d;', /^uid=.{24}; expires=\w{3}, \d\d-\w{3}-\d\d \d\d:\d\d:\d\d GMT; path=\/$/],
    ['userid_flags secure httponly samesite=lax;', /^uid=.{24}; path=\/; secure; httponly; samesite=lax$/],
    ['userid_flags off;', /^uid=.{24}; path=\/$/],
    ['userid_mark t;', /^uid=.{22}t=; path=\/$/],
  ])('with %s writes %s', async (directives, cookie) => {
    const conf = await serveServer(`userid on; ${directives}`, 'x');
    expect(await cookieOf(conf)).toMatch(cookie);
  });

  it('marks a cookie without the mark, and keeps its number', async () => {
    const conf = await serveServer('userid on; userid_mark t;', 'x');
    const number = 'fwAAAWVhYmNkZWZnaGlqaw';
    expect(await cookieOf(conf, `uid=${number}==`)).toBe(`uid=${number}t=; path=/`);
    expect(await cookieOf(conf, `uid=${number}t=`)).toBe('');
  });

  it('gives a new number where $uid_reset says so, and tells of it for "log"', async () => {
    const conf = await serveServer('userid on; set $uid_reset $arg_reset;', 'x');
    const fields = 'Cookie: uid=fwAAAWVhYmNkZWZnaGlqaw==\r\n';
    expect((await get(conf, '/?reset=0', fields)).fields).not.toHaveProperty('set-cookie');
    expect((await get(conf, '/?reset=1', fields)).fields['set-cookie']).not.toContain('fwAAAWVhYmNk');
    const logged = await serveConf(`
      error_log error.log notice;
      server { listen 127.0.0.1:%PORT%; userid on; set $uid_reset log; location / { return 200; } }`);
    await get(logged, '/', fields);
    expect(
      logged.log('error.log').matching(/userid cookie "uid=0100007F[0-9A-F]{24}" was reset/),
    ).toHaveLength(1);
  });

  it('only reads with log, and tells of cookies that hold no number', async () => {
    const conf = await serveServer('userid log;', '[$uid_got][$uid_set]');
    const known = await get(conf, '/', 'Cookie: UID=fwAAAWVhYmNkZWZnaGlqaw==\r\n');
    expect(known.body).toMatch(/^\[uid=0100007F[0-9A-F]{24}\]\[\]$/);
    expect(known.fields).not.toHaveProperty('set-cookie');
    await get(conf, '/', 'Cookie: uid=short\r\n');
    await get(conf, '/', 'Cookie: uid=!!!!!!!!!!!!!!!!!!!!!!!!\r\n');
    expect(conf.log('error.log').matching(/client sent too short userid cookie "short"/)).toHaveLength(1);
    expect(conf.log('error.log').matching(/client sent invalid userid cookie "!+"/)).toHaveLength(1);
  });
});

describe('secure_link', () => {
  const hashOf = (text: string) => createHash('md5').update(text).digest('base64url');

  it('is 1 with the right hash, 0 once its time is over, empty otherwise', async () => {
    const conf = await serveServer(
      'secure_link $arg_md5,$arg_e; secure_link_md5 "secret$uri$arg_e";',
      '[$secure_link][$secure_link_expires]',
    );
    const later = Math.floor(Date.now() / 1000) + 1000;
    const valueFor = async (md5: string, end: string) => (await get(conf, `/a?md5=${md5}&e=${end}`)).body;
    expect(await valueFor(hashOf(`secret/a${later}`), `${later}`)).toBe(`[1][${later}]`);
    expect(await valueFor(`${hashOf(`secret/a${later}`)}==`, `${later}`)).toBe(`[1][${later}]`);
    expect(await valueFor(hashOf('secret/a1000'), '1000')).toBe('[0][1000]');
    expect(await valueFor(hashOf('secret/b1000'), '1000')).toBe('[][1000]');
    expect(await valueFor(hashOf('secret/a'), '')).toBe('[][]');
    expect(await valueFor('short', '1000')).toBe('[][1000]');
  });

  it('has no end without a comma', async () => {
    const conf = await serveServer('secure_link $arg_md5; secure_link_md5 "secret$uri";', '[$secure_link]');
    expect((await get(conf, `/a?md5=${hashOf('secret/a')}`)).body).toBe('[1]');
    expect((await get(conf, '/a')).body).toBe('[]');
  });

  it('with a secret is the link behind its hash', async () => {
    const conf = await serveServer('secure_link_secret word;', '[$secure_link]');
    const hash = createHash('md5').update('a/bword').digest('hex');
    expect((await get(conf, `/p/${hash}/a/b`)).body).toBe('[a/b]');
    expect((await get(conf, `/p/${hash}/a/c`)).body).toBe('[]');
    expect((await get(conf, '/p/a/b')).body).toBe('[]');
  });

  it('is done in one way at a time', async () => {
    await expect(serveServer('secure_link_secret a; secure_link b;')).rejects.toThrow(
      '"secure_link_secret" cannot be mixed with "secure_link" and "secure_link_md5"',
    );
  });
});

describe('valid_referers', () => {
  it('accepts pages by host, path and expression, others not', async () => {
    const conf = await serveServer(
      `server_name own.example ~^www\\d\\.example$;
      valid_referers server_names *.friend.example page.example/here ~search\\.;`,
      '[$invalid_referer]',
    );
    const isValid = async (referer: string) =>
      (await get(conf, '/', referer === '' ? '' : `Referer: ${referer}\r\n`)).body === '[]';
    for (const referer of [
      'http://own.example/',
      'https://OWN.example:8443/x',
      'http://www1.example/',
      'http://a.friend.example/',
      'http://page.example/here/too',
      'http://a.example/search.html',
    ]) {
      expect(await isValid(referer), referer).toBe(true);
    }
    for (const referer of [
      '',
      'own.example',
      'http://friend.example/',
      'http://page.example/there',
      'http://page.example',
      'ftp://own.example/',
    ]) {
      expect(await isValid(referer), referer).toBe(false);
    }
  });

  it('accepts none and blanked ones when told to', async () => {
    const conf = await serveServer('valid_referers none blocked a.example;', '[$invalid_referer]');
    expect((await get(conf, '/')).body).toBe('[]');
    expect((await get(conf, '/', 'Referer: blanked\r\n')).body).toBe('[]');
    expect((await get(conf, '/', 'Referer: http://b.example/\r\n')).body).toBe('[1]');
  });

  it.each([
    ['valid_referers none;', 'without any valid referer'],
    ['valid_referers ~;', 'empty regex in "~"'],
    ['valid_referers a.example a.example;', 'conflicting parameter "a.example"'],
  ])('refuses %s', async (directive, words) => {
    await expect(serveServer(directive)).rejects.toThrow(words);
  });
});

describe('modern_browser', () => {
  it.each([
    ['Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)', 'modern'],
    ['Mozilla/4.0 (compatible; MSIE 5.0; Windows 98)', 'ancient'],
    ['Mozilla/4.0 (compatible; MSIE 6.0; X11) Opera 7.50', 'ancient'],
    ['Mozilla/5.0 (X11; rv:1.0.1) Gecko/2002', 'modern'],
    ['Mozilla/5.0 (X11; rv:0.9.8) Gecko/2002', 'ancient'],
    ['Lynx/2.8', 'ancient'],
    ['', 'ancient'],
  ])('finds "%s" %s', async (agent, kind) => {
    const conf = await serveServer(
      `modern_browser msie 5.5; modern_browser gecko 1.0;
      modern_browser_value modern; ancient_browser_value ancient;`,
      '$modern_browser$ancient_browser',
    );
    expect((await get(conf, '/', agent === '' ? '' : `User-Agent: ${agent}\r\n`)).body).toBe(kind);
  });

  it('takes what is not listed as told, but for what is ancient by name', async () => {
    const conf = await serveServer(
      'modern_browser unlisted; ancient_browser Lynx netscape4;',
      '[$modern_browser][$ancient_browser][$msie]',
    );
    expect((await get(conf, '/', 'User-Agent: curl/8\r\n')).body).toBe('[1][][]');
    expect((await get(conf, '/', 'User-Agent: Lynx/2\r\n')).body).toBe('[][1][]');
    expect((await get(conf, '/', 'User-Agent: Mozilla/4.72 [en]\r\n')).body).toBe('[][1][]');
    expect((await get(conf, '/', 'User-Agent: a MSIE 7.0\r\n')).body).toBe('[1][][1]');
  });

  it.each([
    ['modern_browser mosaic 1.0;', 'unknown browser name "mosaic"'],
    ['modern_browser msie new;', 'invalid browser version "new"'],
  ])('refuses %s', async (directive, words) => {
    await expect(serveServer(directive)).rejects.toThrow(words);
  });
});
