import { describe, expect, it } from 'vitest';
import { type NameRegex, ServerMatch, ServerNames } from './server-names.js';

/** Names by server, '~' in front of a regular expression; the default server is 'default'. */
function namesOf(servers: Record<string, string[]>): ServerNames<string, NameRegex> {
  const all = new ServerNames<string, NameRegex>('default');
  for (const [server, names] of Object.entries(servers)) {
    for (const name of names) {
      if (name.startsWith('~')) all.addRegex({ regexp: new RegExp(name.substring(1)) }, server);
      else all.addName(name, server);
    }
  }
  return all;
}

function find(servers: Record<string, string[]>, name: string): string {
  const match = new ServerMatch<string, NameRegex>();
  const server = namesOf(servers).find(name, match);
  expect(match.server).toBe(server);
  return server;
}

describe('ServerNames', () => {
  const servers = {
    exact: ['example.org', 'www.example.org'],
    suffix: ['*.example.org'],
    longSuffix: ['*.shop.example.org'],
    both: ['.example.net'],
    prefix: ['mail.*'],
    longPrefix: ['mail.eu.*'],
    firstRegex: ['~^(?<user>.+)\\.example\\.com$'],
    secondRegex: ['~\\.com$'],
  };

  it.each([
    ['example.org', 'exact'],
    ['www.example.org', 'exact'],
    ['w.example.org', 'suffix'],
    ['w.w.example.org', 'suffix'],
    ['shop.example.org', 'suffix'],
    ['a.shop.example.org', 'longSuffix'],
    ['a.xshop.example.org', 'suffix'],
    ['xexample.org', 'default'],
    ['example.net', 'both'],
    ['www.example.net', 'both'],
    ['mail.com', 'prefix'],
    ['mail.eu', 'prefix'],
    ['mail.eu.com', 'longPrefix'],
    ['mail.us.example.com', 'prefix'],
    ['mail.example.org', 'suffix'],
    ['mail', 'default'],
    ['mails.com', 'secondRegex'],
    ['joe.example.com', 'firstRegex'],
    ['example.com', 'secondRegex'],
    ['example.de', 'default'],
    ['', 'default'],
  ])('finds for %j the server %s', (name, expected) => {
    expect(find(servers, name)).toBe(expected);
  });

  it('matches a request without Host by an empty name alone', () => {
    expect(find({ empty: [''], any: ['~^'] }, '')).toBe('empty');
    expect(find({ any: ['~^'] }, '')).toBe('default');
    expect(find({ any: ['~^'] }, '_')).toBe('any');
  });

  it('matches names in any case of the configuration', () => {
    expect(find({ a: ['EXAMPLE.Org'], b: ['*.Example.NET'] }, 'example.org')).toBe('a');
    expect(find({ a: ['EXAMPLE.Org'], b: ['*.Example.NET'] }, 'a.example.net')).toBe('b');
  });

  it('gives the captures of the regex that decided, and none otherwise', () => {
    const names = namesOf(servers);
    const match = new ServerMatch<string, NameRegex>();
    names.find('joe.example.com', match);
    expect(match.captures!.groups).toEqual({ user: 'joe' });
    names.find('example.de', match);
    expect(match.captures).toBeNull();
    names.find('joe.example.com', match);
    names.find('example.org', match);
    expect(match.captures).toBeNull();
  });
});

describe('ServerNames problems', () => {
  function problems(servers: Record<string, string[]>): string[] {
    return namesOf(servers).problems.map(({ kind, name, server }) => `${kind} ${name} ${server}`);
  }

  it.each([
    [['a.b', 'A.B']],
    [['', '']],
    [['*.a.b', '*.a.b']],
    [['*.a.b', '.a.b']],
    [['.a.b', '*.a.b']],
    [['.a.b', 'a.b']],
    [['a.b', '.a.b']],
    [['a.*', 'a.*']],
  ])('tell that of %j the second is in conflict', ([first, second]) => {
    expect(problems({ one: [first!], two: [second!] })).toEqual([`conflict ${second} two`]);
  });

  it.each([[['a.b', '*.a.b']], [['*.a.b', 'a.b']], [['a.*', 'a']], [['a.*', '*.a']], [['~a', '~a']]])(
    'are none with %j',
    (names) => {
      expect(problems({ one: [names[0]!], two: [names[1]!] })).toEqual([]);
    },
  );

  it.each(['a.*.b', 'a*', '*a', '*', '*.a.*', 'a..b', '..a', '*.', '.'])(
    'tell that %j is invalid',
    (name) => {
      expect(problems({ one: ['x'], two: [name] })).toEqual([`invalid ${name} two`]);
    },
  );

  it('leave a name to the server that had it first', () => {
    expect(find({ one: ['a.b'], two: ['a.b', '.a.b'] }, 'a.b')).toBe('one');
    expect(find({ one: ['a.b'], two: ['.a.b'] }, 'x.a.b')).toBe('default');
  });

  it('take along the name of a wildcard in conflict', () => {
    const servers = { one: ['*.a.b'], two: ['.a.b'], three: ['a.b'] };
    expect(problems(servers)).toEqual(['conflict .a.b two', 'conflict a.b three']);
    expect(find(servers, 'a.b')).toBe('default');
  });

  it('are not looked for in a server that is alone, unless it has regexes', () => {
    expect(problems({ default: ['a', 'a', 'a*'] })).toEqual([]);
    expect(problems({ default: ['a', 'a', '~b'] })).toEqual(['conflict a default']);
  });
});
