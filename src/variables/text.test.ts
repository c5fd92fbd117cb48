import { describe, expect, test } from 'vitest';
import { compileText, type TextPart } from './text.js';
import { VariableTable } from './variable-table.js';

class Subject {
  readonly variableValues: (string | null | undefined)[] = [];
  reads = 0;
  readonly query: Record<string, string> = { a: '1' };
}

function tableOfSubject(): VariableTable<Subject> {
  const table = new VariableTable<Subject>();
  table.define({ name: 'uri', get: () => '/index.html' });
  table.define({ name: 'reads', get: (subject) => String(++subject.reads) });
  table.define({ name: 'now', isVolatile: true, get: (subject) => String(++subject.reads) });
  table.defineFamily({
    prefix: 'arg_',
    member: (name) => ({ get: (subject) => subject.query[name] ?? null }),
  });
  table.defineFamily({ prefix: 'arg_x_', member: (name) => ({ get: () => `x:${name}` }) });
  return table;
}

function evaluate(parts: TextPart[], subject = new Subject(), table = tableOfSubject()): string {
  const compiled = compileText(parts, table);
  if ('unknownVariable' in compiled) throw new Error(compiled.unknownVariable);
  return compiled.text.evaluate(subject);
}

describe('text with variables', () => {
  test('without a variable is its own constant', () => {
    const compiled = compileText([{ literal: 'a' }, { literal: 'b' }], tableOfSubject());
    expect(compiled).toMatchObject({ text: { constant: 'ab' } });
    expect(evaluate([])).toBe('');
  });

  test('puts values between literals', () => {
    expect(
      evaluate([{ literal: 'http://h' }, { variable: 'uri' }, { literal: '?' }, { variable: 'arg_a' }]),
    ).toBe('http://h/index.html?1');
  });

  test('takes a value that is not found as empty', () => {
    expect(evaluate([{ variable: 'arg_b' }])).toBe('');
    expect(evaluate([{ literal: '<' }, { variable: 'arg_b' }, { literal: '>' }])).toBe('<>');
  });

  test('finds names whatever their case', () => {
    expect(evaluate([{ variable: 'URI' }])).toBe('/index.html');
  });

  test('reads a variable once a subject, a volatile one each time', () => {
    const reads: TextPart = { variable: 'reads' };
    const now: TextPart = { variable: 'now' };
    expect(evaluate([reads, { literal: ' ' }, reads])).toBe('1 1');
    expect(evaluate([now, { literal: ' ' }, now])).toBe('1 2');
  });

  test('asks the family with the longest prefix', () => {
    expect(evaluate([{ variable: 'arg_x_y' }])).toBe('x:y');
  });

  test('names the variable that does not exist', () => {
    expect(compileText([{ variable: 'uri' }, { variable: 'nosuch' }], tableOfSubject())).toEqual({
      unknownVariable: 'nosuch',
    });
    expect(compileText([{ variable: 'arg_' }], tableOfSubject())).toEqual({ unknownVariable: 'arg_' });
  });

  test('a later definition of a name wins, and keeps no value of the earlier one', () => {
    const table = tableOfSubject();
    const subject = new Subject();
    expect(evaluate([{ variable: 'uri' }], subject, table)).toBe('/index.html');
    table.define({ name: 'uri', get: () => '/other' });
    table.use('reads');
    expect(evaluate([{ variable: 'uri' }], subject, table)).toBe('/other');
  });
});
