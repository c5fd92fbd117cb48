import { describe, expect, it } from 'vitest';
import { LocationMatch, LocationTree } from './location-tree.js';

/** One location as a test writes it; its text is what the tree holds. */
interface Written {
  /** "= /path", "^~ /path", "/path", "~ regex" or "@name"; "> " in front: its path without '/' is redirected. */
  text: string;
  nested: Written[];
}

function at(text: string, ...nested: Written[]): Written {
  return { text, nested };
}

function parts({ text }: Written): { hasAutoRedirect: boolean; sign: string; path: string } {
  const [, redirect, sign = '', path] = /^(> )?(?:(=|\^~|~) |(?=@))?(.*)$/.exec(text)!;
  return { hasAutoRedirect: redirect !== undefined, sign, path: path! };
}

function treeOf(locations: Written[]): LocationTree<string> {
  const tree = new LocationTree<string>();
  for (const written of locations) {
    const { hasAutoRedirect, sign, path } = parts(written);
    const location = written.text;
    const nested = written.nested.length > 0 ? treeOf(written.nested) : null;
    if (path.startsWith('@')) tree.addNamed(path, location);
    else if (sign === '=') tree.addExact(path, { location, hasAutoRedirect });
    else if (sign === '~') tree.addRegex({ location, regex: new RegExp(path), nested });
    else tree.addPrefix(path, { location, hasAutoRedirect, stopsRegexes: sign === '^~', nested });
  }
  return tree;
}

/** The location found for `path`, with " redirect" behind it when that is the answer. */
function find(locations: Written[], path: string): string | null {
  const match = new LocationMatch<string>();
  const found = treeOf(locations).find(path, match);
  expect(match.location).toBe(found);
  return match.isRedirect ? `${found} redirect` : found;
}

describe('LocationTree', () => {
  const mixed = [
    at('~ \\.(gif|jpe?g)$'),
    at('/'),
    at('= /'),
    at('/documents/'),
    at('^~ /images/'),
    at('~ ^/documents/\\d'),
    at('@fallback'),
  ];

  it.each([
    ['/', '= /'],
    ['/index.html', '/'],
    ['/documents/document.html', '/documents/'],
    ['/documents/1.gif', '~ \\.(gif|jpe?g)$'],
    ['/documents/1.txt', '~ ^/documents/\\d'],
    ['/images/1.gif', '^~ /images/'],
    ['/Images/1.gif', '~ \\.(gif|jpe?g)$'],
    ['/images', '/'],
    ['@fallback', null],
  ])('finds for %s the location %s', (path, expected) => {
    expect(find(mixed, path)).toBe(expected);
  });

  it('finds nothing where nothing fits', () => {
    expect(find([at('/a'), at('= /b'), at('~ c$')], '/b/')).toBeNull();
    expect(find([], '/')).toBeNull();
  });

  it('finds named locations by their names alone, the first of a name', () => {
    const tree = treeOf(mixed);
    tree.addNamed('@fallback', 'second');
    expect([tree.findNamed('@fallback'), tree.findNamed('@other')]).toEqual(['@fallback', null]);
  });

  it('refuses a second location of the same path, unless one of them is exact', () => {
    const tree = new LocationTree<string>();
    const rule = { location: 'a', hasAutoRedirect: false };
    const prefixRule = { ...rule, stopsRegexes: false, nested: null };
    expect(tree.addPrefix('/a', prefixRule)).toBe(true);
    expect(tree.addExact('/a', rule)).toBe(true);
    expect(tree.addPrefix('/a', { ...prefixRule, location: 'b', stopsRegexes: true })).toBe(false);
    expect(tree.addExact('/a', { ...rule, location: 'b' })).toBe(false);
    expect(tree.find('/a', new LocationMatch())).toBe('a');
  });

  it('forgets what the search before found', () => {
    const tree = treeOf([at('> /a/'), at('~ (b)')]);
    const match = new LocationMatch<string>();
    tree.find('/a', match);
    tree.find('/b', match);
    expect(match).toMatchObject({ location: '~ (b)', isRedirect: false });
    tree.find('/c', match);
    expect(match).toEqual({ location: null, matches: [], isRedirect: false });
  });
});

describe('LocationTree with a location that redirects', () => {
  it.each([
    [[at('> /a/')], '> /a/ redirect'],
    [[at('> /a/'), at('/'), at('~ a')], '> /a/ redirect'],
    [[at('> /a/'), at('= /a')], '= /a'],
    [[at('> /a/'), at('/a')], '/a'],
    [[at('> /a/'), at('/a'), at('~ a')], '~ a'],
    [[at('> = /a/')], '> = /a/ redirect'],
    [[at('> /a/'), at('= /a/')], '= /a/ redirect'],
    [[at('= /a/'), at('> /a/')], '= /a/ redirect'],
    [[at('/', at('> /a/'))], '> /a/ redirect'],
    [[at('~ ^/', at('> /a/'))], '~ ^/'],
    [[at('/a/')], null],
    [[at('> /a/'), at('= /ab')], '> /a/ redirect'],
  ])('finds in %j for /a: %s', (locations, expected) => {
    expect(find(locations, '/a')).toBe(expected);
  });

  it('serves the path with its slash', () => {
    expect(find([at('> /a/')], '/a/')).toBe('> /a/');
    expect(find([at('> /a/')], '/a/b')).toBe('> /a/');
  });
});

describe('LocationTree with locations inside locations', () => {
  it.each([
    ['prefers the regex inside', [at('/a/', at('~ b')), at('~ a')], '~ b'],
    ['tries the regexes outside after a prefix inside', [at('/a/', at('/a/b')), at('~ b')], '~ b'],
    ['tries no regex outside after an exact one inside', [at('/a/', at('= /a/b')), at('~ b')], '= /a/b'],
    ['takes the deepest prefix', [at('/', at('/a/', at('/a/b'))), at('/a')], '/a'],
    ['tries the regexes inside a ^~', [at('^~ /a/', at('~ b')), at('~ a')], '~ b'],
    ['tries none beside a ^~', [at('^~ /a/', at('/a/b')), at('~ b')], '/a/b'],
    [
      'keeps a ^~ inside from regexes at its level alone',
      [at('/a/', at('^~ /a/b'), at('~ b')), at('~ a')],
      '~ a',
    ],
    ['looks inside a regex, not beside it', [at('~ a', at('~ b')), at('~ b$')], '~ b'],
    [
      'finds nothing but regexes inside a regex',
      [at('~ a', at('/a'), at('= /a/b'), at('~ b', at('/')))],
      '~ b',
    ],
    ['keeps the regex when nothing inside fits', [at('~ a', at('~ c')), at('~ b')], '~ a'],
  ])('%s', (_, locations, expected) => {
    expect(find(locations, '/a/b')).toBe(expected);
  });
});

describe('LocationTree captures', () => {
  function captures(locations: Written[], path: string): RegExpExecArray | null {
    const match = new LocationMatch<string>();
    treeOf(locations).find(path, match);
    return match.matches.at(-1)?.captures ?? null;
  }

  it('are none when no regex decides', () => {
    expect(captures([at('/a'), at('~ (x)')], '/a')).toBeNull();
  });

  it('are those of the regex that decides', () => {
    expect([...captures([at('~ ^/(x)'), at('~ ^/(a)(x)?')], '/a')!]).toEqual(['/a', 'a', undefined]);
  });

  it('are told for every regex on the way, the outer ones first', () => {
    const match = new LocationMatch<string>();
    treeOf([at('~ ^/(.)(.)', at('~ (c)'))]).find('/abc', match);
    expect(match.matches.map(({ captures: [...groups] }) => groups)).toEqual([
      ['/ab', 'a', 'b'],
      ['c', 'c'],
    ]);
  });
});

describe('LocationTree beside a list that is searched from end to end', () => {
  /** The search as one would tell it, over lists. Null: nothing found; `isFinal`: no regex outside is tried. */
  function findByList(locations: Written[], path: string): { answer: string; isFinal: boolean } | null {
    const rules = locations.map((written) => ({ ...parts(written), written }));
    const exact = rules.find((rule) => rule.sign === '=' && rule.path === path);
    if (exact) return { answer: exact.written.text, isFinal: true };
    const prefixes = rules.filter(({ sign }) => sign === '' || sign === '^~');
    const slashed = rules.filter((rule) => rule.sign !== '~' && rule.path === `${path}/`);
    if (slashed.some((rule) => rule.hasAutoRedirect) && !prefixes.some((rule) => rule.path === path)) {
      const { written } = slashed.find((rule) => rule.sign === '=') ?? slashed[0]!;
      return { answer: `${written.text} redirect`, isFinal: true };
    }
    const [longest] = prefixes
      .filter((rule) => path.startsWith(rule.path))
      .sort((one, other) => other.path.length - one.path.length);
    const inside = longest ? findByList(longest.written.nested, path) : null;
    if (inside?.isFinal) return inside;
    const answer = inside ?? (longest ? { answer: longest.written.text, isFinal: false } : null);
    const regex =
      longest?.sign !== '^~' && rules.find((rule) => rule.sign === '~' && new RegExp(rule.path).test(path));
    if (!regex) return answer;
    const inRegex = regex.written.nested.filter((written) => parts(written).sign === '~');
    return { answer: findByList(inRegex, path)?.answer ?? regex.written.text, isFinal: true };
  }

  /** Numbers below `limit`, the same in every run. */
  function randomNumbers(seed: number): (limit: number) => number {
    let state = seed;
    return (limit) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
  }

  it('finds the same', () => {
    const random = randomNumbers(2);
    const randomPath = (start: string, most: number) =>
      start + Array.from({ length: random(most + 1) }, () => 'ab/'[random(3)]).join('');
    const randomLocations = (start: string, depth: number): Written[] => {
      const taken = new Set<string>();
      return Array.from({ length: random(6) }, (): Written => {
        const kind = random(5);
        const nested = () => (depth > 0 && random(3) > 0 ? depth - 1 : -1);
        const within = (path: string, at: number) => (at < 0 ? [] : randomLocations(path, at));
        if (kind === 0) {
          const regex = ['a$', 'b', '/a', '^/b', 'aa', '/$'][random(6)]!;
          return { text: `~ ${regex}`, nested: within('/', nested()) };
        }
        const path = randomPath(start, 3);
        const mark = path.endsWith('/') && random(2) === 0 ? '> ' : '';
        if (kind === 1) return { text: `${mark}= ${path}`, nested: [] };
        return { text: `${mark}${kind === 2 ? '^~ ' : ''}${path}`, nested: within(path, nested()) };
      }).filter((written) => {
        const { sign, path } = parts(written);
        const key = `${sign === '^~' ? '' : sign} ${path}`;
        if (sign !== '~' && taken.has(key)) return false;
        taken.add(key);
        return true;
      });
    };
    for (let round = 0; round < 400; round++) {
      const locations = randomLocations('/', 2);
      for (let i = 0; i < 15; i++) {
        const path = randomPath('/', 5);
        const expected = findByList(locations, path)?.answer ?? null;
        expect(find(locations, path), `${path} in ${JSON.stringify(locations)}`).toBe(expected);
      }
    }
  });
});
