import { describe, expect, it } from 'vitest';
import { renderForLog, renderForPeople } from '../diagnostics/render.js';
import { directivesOf, type Item } from './ast.js';
import { MAX_NESTING, parse } from './parser.js';
import { Source } from './source.js';

/** Items as nested arrays: ['name', 'argument', ..., [block]], comments as '#text'. */
type Sketch = string | (string | Sketch[])[];

function sketch(items: readonly Item[]): Sketch[] {
  return items.map((item) => {
    if (item.kind === 'comment') return `#${item.text}`;
    const words = [item.name, ...item.args.map((arg) => arg.text)];
    return item.block === null ? words : [...words, sketch(item.block)];
  });
}

function parseText(text: string) {
  return parse(new Source('nginx.conf', text));
}

describe('parse', () => {
  it('makes a tree of directives, blocks and comments', () => {
    const { items, diagnostics } = parseText(`# top
user nobody;
http { # open
    server { listen 80; location / { } } # close
    # last
}`);
    expect(diagnostics).toEqual([]);
    expect(sketch(items)).toEqual([
      '# top',
      ['user', 'nobody'],
      [
        'http',
        [
          '# open',
          [
            'server',
            [
              ['listen', '80'],
              ['location', '/', []],
            ],
          ],
          '# close',
          '# last',
        ],
      ],
    ]);
  });

  it('tells where a directive, its words and its end are', () => {
    const [http] = directivesOf(parseText('http {\n  root "/a b" ;\n}\n').items);
    const [root] = directivesOf(http!.block!);
    expect(http).toMatchObject({ start: 0, end: 24, headEnd: 5 });
    expect(root).toMatchObject({
      start: 9,
      end: 22,
      headEnd: 21,
      word: { start: 9, end: 13 },
      args: [{ text: '/a b', raw: '"/a b"', quote: '"', start: 14, end: 20 }],
    });
  });

  it('keeps comments between words apart from those that stand alone', () => {
    const [format] = directivesOf(parseText('a b # one\n # two\n c # three\n;# four').items);
    expect(
      format!.innerComments.map(({ before, comment }) => [before, comment.text, comment.isTrailing]),
    ).toEqual([
      [1, ' one', true],
      [1, ' two', false],
      [2, ' three', true],
    ]);
    expect(format!.args.map((arg) => arg.isOnNewLine)).toEqual([false, true]);
  });

  it('notes blank lines between items and comments on the line of something', () => {
    const { items } = parseText('\n\n# a\na; # b\n\nb {\n\n c;\n \t\n\n # c\n}\n\n# d');
    const notes = (some: readonly Item[]) =>
      some.map((item) => [item.isAfterBlankLine, item.kind === 'comment' && item.isTrailing]);
    expect(notes(items)).toEqual([
      [false, false],
      [false, false],
      [false, true],
      [true, false],
      [true, false],
    ]);
    expect(notes(directivesOf(items)[1]!.block!)).toEqual([
      [false, false],
      [true, false],
    ]);
  });

  it('takes a text without directives', () => {
    for (const text of ['', ' \r\n', '# a', '\ufeff']) expect(parseText(text).items.length).toBeLessThan(2);
    expect(parseText(' \n').diagnostics).toEqual([]);
  });

  // What is left of the text after the error, and how both renderings word it.
  it.each<[string, Sketch[], string[], string[]]>([
    [
      'a {\n  b c\n}\nd;',
      [['a', [['b', 'c']]], ['d']],
      ['2:5 directive "b" does not end; put a ";" after it'],
      ['unexpected "}" in nginx.conf:3'],
    ],
    [
      'a;\n}\nb;',
      [['a'], ['b']],
      ['2:1 unexpected "}"; no block is open here'],
      ['unexpected "}" in nginx.conf:2'],
    ],
    ['a;;\n;b;', [['a'], ['b']], ['1:3 unexpected ";"; remove it', '2:1 unexpected ";"; remove it'], []],
    [
      'a { { b; } c; }\n',
      [['a', [['c']]]],
      ['1:5 unexpected "{"; a block needs a name before it'],
      ['unexpected "{" in nginx.conf:1'],
    ],
    [
      'a {\n b {\n c;\n',
      [['a', [['b', [['c']]]]]],
      [
        '4:1 the file ends within the block "b"; a "}" is missing\nnginx.conf:2:2 note: "b" was opened here\nnginx.conf:1:1 note: "a" was opened here',
      ],
      ['unexpected end of file, expecting "}" in nginx.conf:4'],
    ],
    [
      'a {\n b c\n',
      [['a', [['b', 'c']]]],
      ['2:4 the text ends within the directive "b"; put a ";" after it'],
      ['unexpected end of file, expecting ";" or "}" in nginx.conf:3'],
    ],
    [
      'a "b;\nc d;\n}',
      [['a', 'b;\nc d;\n}']],
      ['1:3 this " is never closed'],
      ['unexpected end of file, expecting ";" or "}" in nginx.conf:3'],
    ],
    [
      'a "b"c;\nd;',
      [['a', 'b', 'c'], ['d']],
      ['1:6 unexpected "c"; a blank, ";" or "{" must follow a closing quote'],
      ['unexpected "c" in nginx.conf:1'],
    ],
  ])('goes on after an error: %j', (text, tree, forPeople, forLog) => {
    const { items, diagnostics } = parseText(text);
    expect(sketch(items)).toEqual(tree);
    expect(diagnostics.map((one) => renderForPeople(one, { withSource: false }))).toEqual(
      forPeople.map((line) => `nginx.conf:${line}`),
    );
    if (forLog.length > 0)
      expect(diagnostics.map(renderForLog)).toEqual(forLog.map((line) => `[emerg] ${line}`));
  });

  it('says of a directive with a syntax error in its words that it is broken', () => {
    const { items } = parseText('a "b"c; d e; f { g }');
    expect(directivesOf(items).map((one) => one.isBroken)).toEqual([true, false, false]);
    expect(directivesOf(directivesOf(items)[2]!.block!)[0]!.isBroken).toBe(true);
  });

  it('finds all errors of a file', () => {
    const { diagnostics } = parseText('a "b"c;\n;\nd }\n{ }\n"e');
    expect(diagnostics.map(renderForLog)).toEqual([
      '[emerg] unexpected "c" in nginx.conf:1',
      '[emerg] unexpected ";" in nginx.conf:2',
      '[emerg] unexpected "}" in nginx.conf:3',
      '[emerg] unexpected "}" in nginx.conf:3',
      '[emerg] unexpected "{" in nginx.conf:4',
      '[emerg] unexpected end of file, expecting ";" or "}" in nginx.conf:5',
    ]);
  });

  it.each([
    ['a', 'unexpected end of parameter, expecting ";"'],
    ['a "b', 'unexpected end of parameter, expecting ";"'],
    ['a { b; }', 'block directives are not supported in -g option'],
    ['a; }', 'unexpected "}"'],
  ])('words errors of the -g option %j as nginx does', (text, message) => {
    const { diagnostics } = parse(new Source('-g', text, true));
    expect(diagnostics.map(renderForLog)).toEqual([`[emerg] ${message} in command line`]);
  });

  it('reads blocks to its limit of nesting and drops what is deeper', () => {
    const nested = (depth: number) => `${'a{'.repeat(depth)}b;${'}'.repeat(depth)}c;`;
    expect(parseText(nested(MAX_NESTING)).diagnostics).toEqual([]);
    const { items, diagnostics } = parseText(nested(MAX_NESTING + 50));
    expect(diagnostics.map(({ code }) => code)).toEqual(['nested-too-deep']);
    expect(directivesOf(items).map((one) => one.name)).toEqual(['a', 'c']);
    expect(JSON.stringify(sketch(items))).not.toContain('b');
  });

  it('stops reading what is no configuration at all', () => {
    const { diagnostics } = parseText(';'.repeat(100_000));
    expect(diagnostics.length).toBe(101);
    expect(diagnostics.at(-1)!.code).toBe('too-many-errors');
  });
});
