import { describe, expect, it } from 'vitest';
import { Source } from '../syntax/source.js';
import { duplicateDirective, hostNotFound, unknownDirective } from './catalogue.js';
import { diagnose } from './diagnostic.js';
import { renderForLog, renderForPeople } from './render.js';

const TEXT = `http {\n\tserver {\n\t\tproxy_pas http://a\n\t\t;\n\t}\n}\n`;

describe('renderForPeople', () => {
  const source = new Source('/etc/nginx.conf', TEXT);
  const at = TEXT.indexOf('proxy_pas');
  const found = diagnose(
    unknownDirective('proxy_pas', 'did you mean "proxy_pass"?'),
    { source, start: at, end: at + 9 },
    TEXT.indexOf(';'),
  );

  it('shows place, sentence, line and carets', () => {
    expect(renderForPeople(found, { withSource: true })).toBe(
      [
        '/etc/nginx.conf:3:3 unknown directive "proxy_pas"; did you mean "proxy_pass"?',
        '   3 | \t\tproxy_pas http://a',
        '     | \t\t^^^^^^^^^',
      ].join('\n'),
    );
  });

  it('is one line where there is no terminal, with files called as the caller likes', () => {
    const nameOf = (one: Source) => one.name.replace('/etc/', '');
    expect(renderForPeople(found, { withSource: false, nameOf })).toBe(
      'nginx.conf:3:3 unknown directive "proxy_pas"; did you mean "proxy_pass"?',
    );
  });

  it('names no place when there is none, and the places of notes', () => {
    expect(renderForPeople(diagnose(hostNotFound('upstream "a"'), null), { withSource: true })).toBe(
      'host not found in upstream "a"',
    );
    const notes = [{ message: 'the first is here', span: { source, start: 0, end: 4 } }];
    const twice = diagnose(duplicateDirective('http'), { source, start: 7, end: 8 }, 7, notes);
    expect(renderForPeople(twice, { withSource: false })).toBe(
      '/etc/nginx.conf:2:1 "http" stands here twice; keep one of them\n/etc/nginx.conf:1:1 note: the first is here',
    );
  });

  it('marks a warning as one', () => {
    expect(renderForPeople({ ...found, severity: 'warning' }, { withSource: false })).toContain(
      ':3:3 warning: unknown directive',
    );
  });

  it('marks the first line of what spans several, and the end of the text', () => {
    const carets = (start: number, end: number) =>
      renderForPeople(diagnose(duplicateDirective('a'), { source, start, end }), { withSource: true })
        .split('\n')
        .at(-1);
    expect(carets(8, TEXT.length)).toBe('     | \t^^^^^^^^');
    expect(carets(TEXT.length, TEXT.length)).toBe('     | ^');
  });

  it('shows the part of a long line that matters', () => {
    const long = new Source('a.conf', `${'x'.repeat(5000)} here ${'y'.repeat(5000)}`);
    const [, line, carets] = renderForPeople(
      diagnose(duplicateDirective('a'), { source: long, start: 5001, end: 5005 }),
      {
        withSource: true,
      },
    ).split('\n');
    expect(line!.length).toBeLessThan(130);
    expect(line!.slice(carets!.indexOf('^'), carets!.lastIndexOf('^') + 1)).toBe('here');
  });

  it('lets no control character through', () => {
    const text = 'a\x1b[31m\r\u202e\0\udcff\ufeff;';
    const evil = new Source('a.conf', text);
    const shown = renderForPeople(
      diagnose(unknownDirective(text, null), { source: evil, start: 0, end: 3 }),
      {
        withSource: true,
      },
    );
    expect(shown).not.toMatch(/(?!\n)\p{Cc}|[\u202e\ufeff]|[\ud800-\udfff]/u);
  });
});

describe('renderForLog', () => {
  const source = new Source('/etc/nginx.conf', TEXT);

  it('names the line where the directive ends, as nginx does', () => {
    const found = diagnose(
      unknownDirective('proxy_pas', 'x'),
      { source, start: 18, end: 27 },
      TEXT.indexOf(';'),
    );
    expect(renderForLog(found)).toBe('[emerg] unknown directive "proxy_pas" in /etc/nginx.conf:4');
  });

  it('names the command line instead of a file, and nothing when there is no place', () => {
    const commandLine = new Source('-g', 'x;', true);
    expect(
      renderForLog(diagnose(unknownDirective('x', null), { source: commandLine, start: 0, end: 1 })),
    ).toBe('[emerg] unknown directive "x" in command line');
    expect(renderForLog(diagnose(unknownDirective('x', null), null))).toBe('[emerg] unknown directive "x"');
  });

  it('cuts a message at 1024 bytes', () => {
    const found = diagnose(unknownDirective('é'.repeat(2000), null), { source, start: 0, end: 1 });
    expect(renderForLog(found)).toBe(`[emerg] unknown directive "${'é'.repeat(502)} in /etc/nginx.conf:1`);
  });

  it('gives a warning its level', () => {
    const found = { ...diagnose(unknownDirective('a', null), null), severity: 'warning' as const };
    expect(renderForLog(found)).toBe('[warn] unknown directive "a"');
  });
});
