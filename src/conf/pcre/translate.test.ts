import { describe, expect, it } from 'vitest';
import { type Regex, translatePcre } from './translate.js';

function translate(pattern: string, isCaseless = false): Regex {
  const result = translatePcre(pattern, isCaseless);
  if ('reason' in result) throw new Error(`${pattern}: ${result.reason}`);
  return result;
}

/** The groups of a match by PCRE's numbers, or null. */
function match(pattern: string, subject: string, isCaseless = false): (string | undefined)[] | null {
  const { regexp, groupIndexes } = translate(pattern, isCaseless);
  const found = regexp.exec(subject);
  return found && groupIndexes.map((index) => found[index]);
}

describe('translatePcre', () => {
  // What PCRE2 answers for the same pattern and text.
  it.each<[pattern: string, subject: string, groups: (string | undefined)[] | null]>([
    ['\\.php$', '/a.php', ['.php']],
    ['\\.php$', '/a.php\n', ['.php']],
    ['\\.php$', '/a.php\n\n', null],
    ['\\.php\\z', '/a.php\n', null],
    ['\\.php\\Z', '/a.php\n', ['.php']],
    ['^/a', '\n/a', null],
    ['(?m)^/a$', 'b\n/a\nc', ['/a']],
    ['(?m)^$', 'a\n', null],
    ['a.c', 'a\rc', ['a\rc']],
    ['a.c', 'a\nc', null],
    ['(?s)a.c', 'a\nc', ['a\nc']],
    ['^/(\\w+)/(\\d+)?$', '/ab/', ['/ab/', 'ab', undefined]],
    ['(?<name>a)(b)', 'ab', ['ab', 'a', 'b']],
    ["(?P<a>a)(?'b'b)", 'ab', ['ab', 'a', 'b']],
    ['(?i)/IMG/(?-i)x', '/img/x', ['/img/x']],
    ['(?i)/IMG/(?-i)x', '/img/X', null],
    ['a(?i)b|c', 'C', ['C']],
    ['(a(?i)b)c', 'aBC', null],
    ['(?i:a)b', 'Ab', ['Ab']],
    ['(?x) a b # c\n d', 'abd', ['abd']],
    ['(?U)a+(.*)', 'aab', ['a', '']],
    ['(?n)(a)(?<x>b)', 'ab', ['ab', 'b']],
    ['a++a', 'aaa', null],
    ['(?>a+)b', 'aab', ['aab']],
    ['(?>a|ab)c', 'abc', null],
    ['x(?>(a+))b(c)', 'xaabc', ['xaabc', 'aa', 'c']],
    ['(?:a|(?>b)){2}+c', 'abc', ['abc']],
    ['(a)(?>b)\\1', 'aba', ['aba', 'a']],
    ['(a)(?>b)\\g{-1}2', 'aba2', ['aba2', 'a']],
    ['(?<q>["\'])x\\k<q>', "'x'", ["'x'", "'"]],
    ['(?P<q>a)(?P=q)\\g{q}\\g1', 'aaaa', ['aaaa', 'a']],
    ['(?i)(a)\\1', 'aA', ['aA', 'a']],
    ['\\h\\H', '\xa0a', ['\xa0a']],
    ['\\s', '\xa0', null],
    ['\\R', 'a\r\nb', ['\r\n']],
    ['\\R\\n', '\r\n', null],
    ['\\N+', 'ab\n', ['ab']],
    ['[[:alpha:]]+', '1é=ab', ['ab']],
    ['[[:^alpha:][:digit:]]', 'a1', ['1']],
    ['[]a]+', 'a]', ['a]']],
    ['[^]a]', 'a]b', ['b']],
    ['[\\w.-]+', 'a.b-c', ['a.b-c']],
    ['[a\\-z]+', 'b-a', ['-a']],
    ['[\\Q^]\\E]+', ']^', [']^']],
    ['[\\b]', '\b', ['\b']],
    ['\\Qa.b\\E+', 'a.bb', ['a.bb']],
    ['\\x2f\\x{2e}\\056\\o{57}', '/../', ['/../']],
    ['(?#comment)a', 'a', ['a']],
    ['a\\Kb', 'ab', ['ab']],
    ['a{,3}', 'a{,3}', ['a{,3}']],
    ['a{2', 'a{2', ['a{2']],
    ['/{1,2}$', '//', ['//']],
    ['a|(*FAIL)b', 'b', null],
    ['(?<!\\.)x', '.xx', ['x']],
    ['(?=.*b)a', 'ab', ['a']],
    ['(|a)?', 'a', ['', '']],
    ['\\/\\-\\_\\"', '/-_"', ['/-_"']],
  ])('%s on %j', (pattern, subject, groups) => {
    expect(match(pattern, subject)).toEqual(groups);
  });

  it('ignores case of ASCII letters alone, as nginx does', () => {
    expect(match('^/É/[a-c]\\x64$', '/\xc3\x89/BD', true)).toEqual(['/\xc3\x89/BD']);
    expect(match('\udcc9', '\xe9', true)).toBeNull();
    expect(match('[^a]', 'A', true)).toBeNull();
    expect(match('k', '\u212a', true)).toBeNull();
  });

  it('matches bytes: a character beyond ASCII is as many as in UTF-8', () => {
    expect(match('^/ж.$', '/\xd0\xb6\xd0')).not.toBeNull();
    expect(match('^/..$', '/\xd0\xb6')).not.toBeNull();
    expect(match('ж+', '\xd0\xb6\xb6')).toEqual(['\xd0\xb6\xb6']);
  });

  it('gives names and numbers of groups as PCRE counts them', () => {
    const { names, groupCount, groupIndexes } = translate('(?>(?<a>x))(y)++(?<b>z)');
    expect([...names]).toEqual([
      ['a', 1],
      ['b', 3],
    ]);
    expect(groupCount).toBe(3);
    expect(groupIndexes).toEqual([0, 2, 4, 5]);
  });

  it.each([
    ['(a)|b', []],
    ['(a)+', []],
    ['(a|b)+', []],
    ['(?:(a)|b)+', [1]],
    ['((a)|b)*', [2]],
    ['(?:(a)|b){2}', [1]],
    ['(a*)*', [1]],
    ['(?:(a)|b)?', []],
    ['(|a)*(b)', [0, 1, 2]],
    ['(?<=(a))b', [1]],
  ])('says which groups of %s may hold something else than in PCRE', (pattern, groups) => {
    expect(translate(pattern).unsureGroups).toEqual(groups);
  });

  it.each([
    ['(a', 'missing closing parenthesis', 2],
    ['a)b', 'unmatched closing parenthesis', 1],
    ['[a', 'missing terminating ] for character class', 2],
    ['*a', 'quantifier does not follow a repeatable item', 0],
    ['a**', 'quantifier does not follow a repeatable item', 2],
    ['^+', 'quantifier does not follow a repeatable item', 1],
    ['a{2}{3}', 'quantifier does not follow a repeatable item', 6],
    ['[z-a]', 'range out of order in character class', 3],
    ['[\\d-z]', 'invalid range in character class', 3],
    ['[[:foo:]]', 'unknown POSIX class name', 3],
    ['a{3,2}', 'numbers out of order in {} quantifier', 5],
    ['a{70000}', 'number too big in {} quantifier', 7],
    ['a\\', '\\ at end of pattern', 2],
    ['\\y', 'unrecognized character follows \\', 1],
    ['(a)\\2', 'reference to non-existent subpattern', 4],
    ['(?<1>a)', 'subpattern name must start with a non-digit', 3],
    ['(?<a>b)(?<a>c)', 'two named subpatterns have the same name (PCRE2_DUPNAMES not set)', 12],
    ['(?z)', 'unrecognized character after (? or (?-', 2],
    ['\\x{100}', 'character code point value in \\x{} or \\o{} is too large', 6],
    ['ж(', 'missing closing parenthesis', 2],
    ['(?#', 'missing ) after (?# comment', 3],
    [`${'('.repeat(300)}${')'.repeat(300)}`, 'parentheses are too deeply nested', 250],
  ])('refuses %s as PCRE does', (pattern, reason, at) => {
    expect(translatePcre(pattern, false)).toMatchObject({ reason, at, isUntranslatable: false });
  });

  it.each([
    ['\\p{N}+', '12\xb2\xbd', 'a'],
    ['\\pL', 'e', '1'],
    ['\\p{L}', '\xe9', '\xb7'],
    ['\\p{^L}', '7', 'x'],
    ['\\P{Lu}', 'a', 'A'],
    ['[\\p{Nd}_]+', '1_2', '-'],
    ['\\p{Latin}', '\xe9', '1'],
    ['\\p{L&}', 'Q', '\xaa'],
    ['\\p{Any}', '\xff', ''],
  ])('takes properties of characters up to U+00FF: %s matches %j, not %j', (pattern, good, bad) => {
    const result = translatePcre(`^${pattern}$`, false);
    const { regexp } = result as Extract<typeof result, { regexp: RegExp }>;
    expect([regexp.test(good), regexp.test(bad)]).toEqual([true, false]);
  });

  it('words a refusal as nginx does', () => {
    expect(translatePcre('^/a(b', false)).toMatchObject({
      nginxText: 'pcre2_compile() failed: missing closing parenthesis in "^/a(b"',
    });
    expect(translatePcre('a)b', false)).toMatchObject({
      nginxText: 'pcre2_compile() failed: unmatched closing parenthesis in "a)b" at ")b"',
    });
  });

  it.each([
    ['a\\p{Q}', 1, 'Unicode property "Q"'],
    ['\\X', 0, 'grapheme clusters (\\X)'],
    ['(?|(a)|(b))', 0, 'groups with the same numbers in each alternative ((?|...))'],
    ['(a)?(?(1)b|c)', 4, 'conditions ((?(...)...))'],
    ['a(?R)?', 1, 'recursion ((?R))'],
    ['(?<n>a)(?&n)', 7, 'subroutine calls ((?1), (?&name))'],
    ['(?1)(a)', 0, 'subroutine calls ((?1), (?&name))'],
    ['(?<n>a)\\g<n>', 7, 'subroutine calls (\\g<...>)'],
    ['(*UTF8)é', 0, 'UTF mode ((*UTF8)); patterns are matched against bytes'],
    ['a(*SKIP)', 1, 'verbs that steer backtracking'],
    ['(*ANYCRLF)a', 0, 'other ends of lines than a line feed'],
    ['(a)?\\1', 4, 'references to a group that may not have matched (group 1)'],
    ['\\1(a)', 0, 'references to a group that may not have matched (group 1)'],
    ['(?:(a)|b)\\1', 9, 'references to a group that may not have matched (group 1)'],
    ['(?i)(a)(?-i)b\\1', 13, null],
    ['(?i)(a)\\1(?-i)b', 7, 'references that ignore case where other parts do not'],
    ['(a)(?<=\\1)', 7, 'backreferences in lookbehind'],
    ['(?<=(?>a))b', 0, 'atomic groups in lookbehind'],
    ['(?:(|a)*)++b', 0, 'loops of what may match nothing that fit an atomic group'],
  ])('refuses %s, which PCRE takes, and says what JavaScript lacks', (pattern, at, what) => {
    const result = translatePcre(pattern, false);
    if (what === null) expect(result).toHaveProperty('regexp');
    else {
      expect(result).toEqual({
        reason: `JavaScript has no ${what}`,
        at,
        isUntranslatable: true,
        nginxText: null,
      });
    }
  });

  it('never throws: an expression too large for JavaScript is a problem like any other', () => {
    const result = translatePcre('(?:(?:a?b?c?){30000}){300}', false);
    expect(result).toMatchObject({ isUntranslatable: true });
  });
});
