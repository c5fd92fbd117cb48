// biome-ignore-all lint/suspicious/noTemplateCurlyInString: "${" is syntax of nginx here
import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../diagnostics/diagnostic.js';
import { renderForLog } from '../diagnostics/render.js';
import { Lexer } from './lexer.js';
import { Source } from './source.js';

/** All tokens of a text: a word as `<what it says>`, with its quotes around if it has any. */
function tokensOf(text: string): string[] {
  const lexer = new Lexer(new Source('a.conf', text), []);
  const tokens: string[] = [];
  while (lexer.next() !== 'end') {
    const { word } = lexer;
    if (word !== null) tokens.push(`${word.quote}<${word.text}>${word.quote}`);
    else tokens.push(lexer.kind === 'comment' ? text.slice(lexer.start, lexer.end) : lexer.kind);
  }
  return tokens;
}

function errorsOf(text: string): string[] {
  const diagnostics: Diagnostic[] = [];
  const lexer = new Lexer(new Source('a.conf', text), diagnostics);
  while (lexer.next() !== 'end');
  return diagnostics.map(renderForLog);
}

describe('lexer', () => {
  it.each([
    ['listen 80;', ['<listen>', '<80>', ';']],
    ['a\tb\r\nc\n;', ['<a>', '<b>', '<c>', ';']],
    ['server{listen 80;}', ['<server>', '{', '<listen>', '<80>', ';', '}']],
    ['a"b" c\'d;', ['<a"b">', "<c'd>", ';']],
    ['"a b" \'c;d\'{', ['"<a b>"', "'<c;d>'", '{']],
    ['"" \'\';', ['"<>"', "'<>'", ';']],
    ['"it\'s" \'"\';', ['"<it\'s>"', "'<\">'", ';']],
    ['a#b # c; d\ne;', ['<a#b>', '# c; d', '<e>', ';']],
    ['a;#b\rc', ['<a>', ';', '#b\rc']],
    ['a}b }', ['<a}b>', '}']],
    ['80};', ['<80}>', ';']],
    ['$a{', ['<$a>', '{']],
    ['${a}b;', ['<${a}b>', ';']],
    ['a${{b}{', ['<a${{b}>', '{']],
    ['$ {', ['<$>', '{']],
    ['${a b};', ['<${a>', '<b}>', ';']],
    ['($a = "b")', ['<($a>', '<=>', '"<b>"', '<)>']],
    ['"a")b;', ['"<a>"', '<)b>', ';']],
    ['a,b:/c?d=e&f', ['<a,b:/c?d=e&f>']],
    ['\u00a0a\u3000b', ['<\u00a0a\u3000b>']],
    ['\ufeffuser', ['<\ufeffuser>']],
    ['a\0b\vc\fd', ['<a\0b\vc\fd>']],
  ])('splits %j', (text, tokens) => {
    expect(tokensOf(text)).toEqual(tokens);
  });

  it.each([
    [String.raw`"\" \' \\"`, `"<" ' \\>"`],
    [String.raw`"\t\r\n"`, '"<\t\r\n>"'],
    [String.raw`"\d\$\{\;\ "`, String.raw`"<\d\$\{\;\ >"`],
    [String.raw`a\ b\;c\{d`, String.raw`<a\ b\;c\{d>`],
    [String.raw`\"a\tb`, '<"a\tb>'],
    [String.raw`\\\\d`, String.raw`<\\d>`],
    [String.raw`\\t`, String.raw`<\t>`],
    [String.raw`~\.php$`, String.raw`<~\.php$>`],
    ['\\#a', '<\\#a>'],
    ['\\}a', '<\\}a>'],
    ['a\\\nb', '<a\\\nb>'],
    ['$\\{', '<$\\{>'],
  ])('resolves escapes in %j', (text, token) => {
    expect(tokensOf(text)).toEqual([token]);
  });

  it('keeps a word as it was written beside what it says', () => {
    const lexer = new Lexer(new Source('a.conf', ` 'a\\'b' c`), []);
    lexer.next();
    expect(lexer.word).toMatchObject({ text: "a'b", raw: "'a\\'b'", quote: "'", start: 1, end: 7 });
    lexer.next();
    expect(lexer.word).toMatchObject({ text: 'c', raw: 'c', quote: '', start: 8, end: 9 });
  });

  it.each(['"abc', "'abc", '"abc\\', '"a\\"', '"'])('says that the word of %j has no end', (text) => {
    const lexer = new Lexer(new Source('a.conf', text), []);
    expect(lexer.next()).toBe('word');
    expect(lexer).toMatchObject({ isUnclosed: true, end: text.length });
    expect(lexer.next()).toBe('end');
    expect(lexer.isUnclosed).toBe(false);
  });

  it.each([
    ['"a"b;', 'unexpected "b"'],
    ['"a""b";', 'unexpected """'],
    ['"a"#b', 'unexpected "#"'],
    ['"a"\u{1f600};', 'unexpected "\u{1f600}"'],
  ])('wants a blank after the quote in %j', (text, message) => {
    expect(errorsOf(text)).toEqual([`[emerg] ${message} in a.conf:1`]);
  });

  it.each(['"a" b', '"a";', '"a"{', '"a")', '"a"}', '"a"'])('takes what follows the quote in %j', (text) => {
    expect(errorsOf(text)).toEqual([]);
  });

  // nginx has read 4096 bytes and still holds the word when it needs one more.
  it.each([
    ['a bare word before ";"', `${'x'.repeat(4095)};`, `${'x'.repeat(4096)};`],
    ['a bare word before a blank', `${'x'.repeat(4094)} ;`, `${'x'.repeat(4095)} ;`],
    ['a bare word at the end', 'x'.repeat(4096), 'x'.repeat(4097)],
    ['a quoted word before ";"', `"${'x'.repeat(4094)}";`, `"${'x'.repeat(4095)}";`],
    ['a quoted word before a blank', `"${'x'.repeat(4093)}" ;`, `"${'x'.repeat(4094)}" ;`],
    ['a comment', `#${'x'.repeat(4094)}\n`, `#${'x'.repeat(4096)}\n`],
    ['a word of two-byte characters', `${'é'.repeat(2047)};`, `${'é'.repeat(2048)};`],
  ])('holds %s to 4096 bytes', (_, fits, tooLong) => {
    expect(errorsOf(fits)).toEqual([]);
    expect(errorsOf(tooLong)).toEqual([expect.stringMatching(/^\[emerg\] too long parameter "/)]);
  });

  it('suspects a missing quote in a word that is too long', () => {
    expect(errorsOf(`\n'${'x'.repeat(5000)}`)).toEqual([
      `[emerg] too long parameter, probably missing terminating "'" character in a.conf:2`,
    ]);
  });
});
