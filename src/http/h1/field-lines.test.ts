import { describe, expect, it } from 'vitest';
import { FIELD_ID_COUNT, FieldId } from '../message/field-id.js';
import { listFields } from './contract.js';
import { FieldLines, fieldSet, IGNORES_ODD_NAMES, IGNORES_ODD_NAMES_BUT_UNDERSCORES } from './field-lines.js';
import { DEFAULT_HEAD_LIMITS, INCOMPLETE, MALFORMED } from './malformed.js';

const NONE = fieldSet(FIELD_ID_COUNT);

function scan(text: string, lines = new FieldLines(DEFAULT_HEAD_LIMITS, 431)): FieldLines {
  const bytes = Buffer.from(text, 'latin1');
  lines.reset();
  expect(lines.scan(bytes, 0, 0, bytes.length)).toBe(bytes.length);
  lines.text = text;
  return lines;
}

describe('FieldLines', () => {
  it('finds known names in any case, and no others', () => {
    const lines = scan('HOST: a\r\ncontent-length: 1\r\nContent_Length: 2\r\nHos: t\r\nHostt: t\r\n\r\n');
    expect(Array.from({ length: lines.count }, (_, i) => lines.id(i))).toEqual([
      FieldId.host,
      FieldId.contentLength,
      FieldId.other,
      FieldId.other,
      FieldId.other,
    ]);
    expect(lines.valueOf(FieldId.contentLength)).toBe('1');
    expect(lines.valueOf(FieldId.referer)).toBe('');
  });

  it('gives the first value of a name that stands several times', () => {
    expect(scan('Cookie: a\r\nCookie: b\r\n\r\n').valueOf(FieldId.cookie)).toBe('a');
  });

  it('forgets the lines of the message before', () => {
    const lines = scan(`${'A: b\r\n'.repeat(500)}\r\n`);
    expect(listFields(scan('C: d\r\n\r\n', lines))).toEqual([['C', 'd']]);
    expect(scan(`${'A: b\r\n'.repeat(500)}\r\n`, lines).count).toBe(500);
  });

  it('does not keep the room that one large head needed', () => {
    const lines = scan(`${'A: b\r\n'.repeat(900)}\r\n`);
    expect(lines.room).toBeGreaterThan(899);
    lines.reset();
    expect(lines.room).toBeLessThan(100);
  });

  it('goes on at the line it stopped in', () => {
    const lines = new FieldLines(DEFAULT_HEAD_LIMITS, 431);
    const bytes = Buffer.from('xxA: b\r\nC: d\r\n\r\n');
    expect(lines.scan(bytes, 2, 2, 11)).toBe(INCOMPLETE);
    expect(lines.resumeAt).toBe(8);
    expect(lines.scan(bytes, 2, lines.resumeAt, bytes.length)).toBe(bytes.length);
    expect(lines.count).toBe(2);
  });

  it('refuses LF without CR where it is told to', () => {
    const lines = new FieldLines(DEFAULT_HEAD_LIMITS, 400, true);
    for (const text of ['A: b\n\r\n', 'A: b\r\n\n']) {
      lines.reset();
      expect(lines.scan(Buffer.from(text), 0, 0, text.length)).toBe(MALFORMED);
      expect(lines.malformed).toEqual({ status: 400, reason: 'a LF without CR' });
    }
  });

  describe('passOn', () => {
    it('passes lines on as they came', () => {
      const text = 'Host: a\r\nx-a: b \t c\r\nX-B: \xff\r\nX-C: \r\n';
      expect(scan(`${text}\r\n`).passOn(NONE, true, null)).toBe(text);
      expect(scan('\r\n').passOn(NONE, true, null)).toBe('');
    });

    it('leaves out dropped ids wherever they stand', () => {
      const dropped = fieldSet(FIELD_ID_COUNT, FieldId.connection, FieldId.te);
      const lines = scan('TE: a\r\nA: b\r\nC: d\r\nConnection: e\r\nte: f\r\nG: h\r\nTE: i\r\n\r\n');
      expect(lines.passOn(dropped, true, null)).toBe('A: b\r\nC: d\r\nG: h\r\n');
      expect(scan('TE: a\r\n\r\n').passOn(dropped, true, null)).toBe('');
    });

    it.each(['Content_Length', '_', 'Content.Length', 'Transfer+Encoding', 'X~', '!'])(
      'leaves out %s, which is not of letters, digits and hyphens, where it is told to',
      (name) => {
        const text = `${name}: 5\r\nA-b-9: c\r\n`;
        expect(scan(`${text}\r\n`).passOn(NONE, true, null)).toBe('A-b-9: c\r\n');
        expect(scan(`${text}\r\n`).passOn(NONE, false, null)).toBe(text);
      },
    );

    it('leaves out lines that were ignored, also between two that pass as they came', () => {
      const lines = new FieldLines(DEFAULT_HEAD_LIMITS, 431, false, IGNORES_ODD_NAMES);
      scan('A: b\r\nContent_Length: 5\r\nC: d\r\nE.F: g\r\nH: i\r\n_: j\r\n\r\n', lines);
      expect(lines.passOn(NONE, false, null)).toBe('A: b\r\nC: d\r\nH: i\r\n');
    });

    it('leaves out further names, in any case', () => {
      const lines = scan('X-A: b\r\nx-a: c\r\nX-AB: d\r\n\r\n');
      expect(lines.passOn(NONE, true, new Set(['x-a']))).toBe('X-AB: d\r\n');
    });

    it.each(['A: b\n', 'A:b\r\n', 'A:  b\r\n', 'A:\tb\r\n', 'A: b \r\n', 'A: b\t\r\n', 'A:\t b\t \n'])(
      'writes %j anew, with one space and CRLF',
      (line) => {
        const lines = scan(`C: d\r\n${line}E: f\r\n\r\n`);
        expect(lines.passOn(NONE, true, null)).toBe('C: d\r\nA: b\r\nE: f\r\n');
        expect(lines.passOn(NONE, true, new Set(['a']))).toBe('C: d\r\nE: f\r\n');
      },
    );

    it.each(['A:\r\n', 'A: \t\r\n', 'A: \n', 'A:\n'])('writes %j anew, without a value', (line) => {
      expect(scan(`${line}\n`).passOn(NONE, true, null)).toBe('A: \r\n');
    });
  });
});

describe('fieldSet', () => {
  it('never holds the id of unknown names', () => {
    expect(scan('A: b\r\n\r\n').passOn(fieldSet(FIELD_ID_COUNT, FieldId.other), true, null)).toBe('A: b\r\n');
  });
});

describe('lines with names that are ignored', () => {
  function namesOf(ignored: number): string[] {
    const lines = new FieldLines(DEFAULT_HEAD_LIMITS, 431, false, ignored);
    scan('A: 1\r\nB_c: 2\r\nD.e: 3\r\nF_.g: 4\r\nH-9: 5\r\n\r\n', lines);
    return Array.from({ length: lines.count }, (_, i) => lines.name(i));
  }

  it('are all there unless something says so', () => {
    expect(namesOf(0)).toEqual(['A', 'B_c', 'D.e', 'F_.g', 'H-9']);
  });

  it('have other characters than letters, digits, hyphens and, where that is allowed, underscores', () => {
    expect(namesOf(IGNORES_ODD_NAMES)).toEqual(['A', 'H-9']);
    expect(namesOf(IGNORES_ODD_NAMES_BUT_UNDERSCORES)).toEqual(['A', 'B_c', 'H-9']);
  });

  it('can be told afterwards: the last of them', () => {
    const lines = new FieldLines(DEFAULT_HEAD_LIMITS, 431, false, IGNORES_ODD_NAMES);
    scan('a_b: 1\r\nc.d: 2\r\n\r\n', lines);
    expect(lines.text.substring(lines.ignoredStart, lines.ignoredEnd)).toBe('c.d');
    lines.reset();
    expect(lines.ignoredEnd).toBe(0);
  });

  it('count for nothing among the lines there may be', () => {
    const lines = new FieldLines({ ...DEFAULT_HEAD_LIMITS, fieldCount: 1 }, 431, false, IGNORES_ODD_NAMES);
    scan('a_b: 1\r\nc: 2\r\nd_e: 3\r\n\r\n', lines);
    expect(lines.count).toBe(1);
  });
});
