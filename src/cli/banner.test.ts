import { describe, expect, it } from 'vitest';
import { parseAddress } from '../net/address.js';
import { demoBanner, echoLine, proxyBanner, proxyLine } from './banner.js';

const address = (text: string) => parseAddress(text, { host: '127.0.0.1', port: 8080 });

describe('proxyBanner', () => {
  it('says where it listens, where it sends and what to type next', () => {
    const text = proxyBanner([address('8080')], [{ address: address('9001') }]);
    expect(text).toContain('listens on   http://127.0.0.1:8080\n');
    expect(text).toContain('sends to     127.0.0.1:9001\n');
    expect(text).toContain('  curl http://127.0.0.1:8080/\n');
  });

  it('says where the dashboard is', () => {
    const peers = [{ address: address('9001') }];
    expect(proxyBanner([address('8080')], peers, address('8081'))).toContain(
      'sends to     127.0.0.1:9001\n  dashboard    http://127.0.0.1:8081/\n',
    );
    expect(proxyLine([address('8080')], peers, address('0.0.0.0:8081'))).toContain(
      '; dashboard on http://127.0.0.1:8081/',
    );
  });

  it.each([
    ['0.0.0.0:81', 'curl http://127.0.0.1:81/'],
    ['[::]:81', "curl 'http://[::1]:81/'"],
    ['unix:/run/a.sock', "curl --unix-socket /run/a.sock 'http://localhost/'"],
  ])('for %s suggests an address one can connect to', (listen, command) => {
    expect(proxyBanner([address(listen)], [{ address: address('9001') }])).toContain(`  ${command}\n`);
  });
});

describe('proxyLine', () => {
  it('names every listener and every peer with its parameters', () => {
    const line = proxyLine(
      [address('8080'), address('unix:/run/a.sock')],
      [
        { address: address('9001'), weight: 3 },
        { address: address('9002'), weight: 1, isBackup: true, isDown: true },
      ],
    );
    expect(line).toBe(
      'listening on 127.0.0.1:8080, unix:/run/a.sock; sending to 127.0.0.1:9001 (weight 3), 127.0.0.1:9002 (backup, down)',
    );
  });
});

it('demoBanner quotes what the shell would take for a pattern', () => {
  const text = demoBanner(address('8080'), [address('9001'), address('9002')]);
  expect(text).toContain("curl 'http://127.0.0.1:8080/hello?name=you'");
  expect(text).toContain('sends to     127.0.0.1:9001\n               127.0.0.1:9002\n\n');
  expect(demoBanner(address('8080'), [address('9001')], address('8081'))).toContain(
    'sends to     127.0.0.1:9001\n  dashboard    http://127.0.0.1:8081/\n\n',
  );
});

it('echoLine says what to type', () => {
  expect(echoLine(address('9001'))).toBe(
    "echo: listening on 127.0.0.1:9001; try: curl 'http://127.0.0.1:9001/hello?name=you'",
  );
});
