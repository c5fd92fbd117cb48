import { describe, expect, test } from 'vitest';
import { compileText, type TextPart } from './text.js';
import { assignVariable, readVariable, VariableTable } from './variable-table.js';

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
  const { text, unknownVariables } = compileText(parts, table);
  expect(unknownVariables).toEqual([]);
  return text.evaluate(subject);
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

  test('names the variables that do not exist', () => {
    const parts = [{ variable: 'uri' }, { variable: 'nosuch' }, { variable: 'arg_' }];
    expect(compileText(parts, tableOfSubject()).unknownVariables).toEqual(['nosuch', 'arg_']);
  });

  test('has the value of a variable that is defined behind it', () => {
    const table = tableOfSubject();
    const { text, unknownVariables } = compileText([{ variable: 'later' }], table);
    expect(unknownVariables).toEqual(['later']);
    expect(text.evaluate(new Subject())).toBe('');
    table.define({ name: 'later', get: () => 'defined' });
    expect(table.isKnown('LATER')).toBe(true);
    expect(text.evaluate(new Subject())).toBe('defined');
  });

  test('a later definition of a name wins, also in texts that have the earlier one', () => {
    const table = tableOfSubject();
    const { text } = compileText([{ variable: 'uri' }], table);
    table.define({ name: 'uri', get: () => '/other' });
    expect(text.evaluate(new Subject())).toBe('/other');
  });
});

describe('a variable that values are assigned to', () => {
  test('is not found before, and has its value afterwards', () => {
    const table = tableOfSubject();
    const variable = table.assignable('Mine');
    const subject = new Subject();
    expect(readVariable(variable, subject)).toBe(null);
    assignVariable(variable, subject, 'x');
    expect(evaluate([{ variable: 'mine' }], subject, table)).toBe('x');
  });

  test('has what its family says until then', () => {
    const table = tableOfSubject();
    const variable = table.assignable('arg_a');
    const subject = new Subject();
    assignVariable(variable, subject, 'x');
    expect(evaluate([{ variable: 'arg_a' }], new Subject(), table)).toBe('1');
    expect(evaluate([{ variable: 'arg_a' }], subject, table)).toBe('x');
  });

  test('keeps the value even if its own would be read anew each time', () => {
    const table = tableOfSubject();
    table.define({ name: 'mapped', isVolatile: true, isChangeable: true, get: () => 'by map' });
    const subject = new Subject();
    assignVariable(table.assignable('mapped'), subject, 'x');
    expect(evaluate([{ variable: 'mapped' }], subject, table)).toBe('x');
  });

  test('is none of those that a module keeps for itself', () => {
    const table = tableOfSubject();
    table.define({ name: 'args', get: () => '', set: () => {} });
    table.assignable('mine');
    expect(['uri', 'args', 'mine', 'arg_a', 'nosuch'].map((name) => table.isFixed(name))).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
