import { describe, expect, it } from 'vitest';
import { makeDirective, quoteWord } from './ast.js';
import { parse } from './parser.js';
import { print } from './printer.js';
import { Source } from './source.js';

function format(text: string): string {
  return print(parse(new Source('a.conf', text)).items);
}

describe('print', () => {
  it('writes a directive a line, four spaces a level, one blank line at most', () => {
    expect(
      format(`
# top


user   nobody ;worker_processes 2; # two
events{}
http { # open

  server{listen 80;   # http
      if ($a = "b") { return 1; }
      # alone


      location / { } # empty
  } }`),
    ).toBe(`# top

user nobody;
worker_processes 2; # two
events {}
http { # open

    server {
        listen 80; # http
        if ($a = "b") {
            return 1;
        }
        # alone

        location / {} # empty
    }
}
`);
  });

  it('keeps the lines of a long directive and the comments between them', () => {
    expect(
      format(`a { log_format main # name
'$a'
  # second
     '$b' "c" # third
; b # x
{} }`),
    ).toBe(`a {
    log_format main # name
        '$a'
        # second
        '$b' "c" # third
    ;
    b # x
    {}
}
`);
  });

  it('keeps words as they were written', () => {
    const words = `a "b c" 'd\\'e' f\\;g \${h}i ~\\.php$ "\\t\n" "j" )k;\n`;
    expect(format(words)).toBe(words.replace('"j" )k', '"j")k'));
  });

  it('prints nothing for nothing', () => {
    expect(format(' \n')).toBe('');
  });

  it('prints trees that a program made', () => {
    const server = makeDirective('server', [], [makeDirective('return', ['200', 'a "b" $c;\n'])]);
    expect(print([server])).toBe('server {\n    return 200 "a \\"b\\" $c;\n";\n}\n');
  });
});

describe('quoteWord', () => {
  it.each([
    ['a', 'a'],
    ['$a', '$a'],
    ['a"b', 'a"b'],
    ['', '""'],
    ['a b', '"a b"'],
    ['"a', '"\\"a"'],
    ["'a", '"\'a"'],
    ['#a', '"#a"'],
    ['}', '"}"'],
    ['a{2}', '"a{2}"'],
    ['\\.php$', '"\\.php$"'],
    ['\\n', '"\\\\n"'],
    ['\\', '"\\\\"'],
    ['\\\\"', '"\\\\\\\\\\""'],
    ['a\n', '"a\n"'],
  ])('writes %j as %j, which reads back', (text, raw) => {
    expect(quoteWord(text)).toBe(raw);
    const { items, diagnostics } = parse(new Source('a.conf', `x ${raw};`));
    expect(diagnostics).toEqual([]);
    expect(items).toMatchObject([{ args: [{ text }] }]);
  });
});
