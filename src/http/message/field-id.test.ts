import { describe, expect, it } from 'vitest';
import { FIELD_ID_COUNT, FieldId, fieldIdOf, findFieldId, TOKEN_LOWER } from './field-id.js';

/** Looks a name up as the head parser does: among other bytes. */
function find(name: string): number {
  return findFieldId(Buffer.from(`x${name}:`), 1, name.length + 1);
}

/** The names as the fields are called, by FieldId's keys. */
const NAMES: Record<string, string> = {
  forwardedFor: 'x-forwarded-for',
  forwardedProto: 'x-forwarded-proto',
  forwardedHost: 'x-forwarded-host',
  realIp: 'x-real-ip',
};

const KNOWN = Object.entries(FieldId)
  .filter(([key]) => key !== 'other')
  .map(
    ([key, id]) => [NAMES[key] ?? key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), id] as const,
  );

describe('findFieldId', () => {
  it.each(KNOWN)('finds %s in any case', (name, id) => {
    expect(find(name)).toBe(id);
    expect(find(name.toUpperCase())).toBe(id);
    expect(fieldIdOf(name)).toBe(id);
  });

  it.each(KNOWN)('takes nothing else for %s', (name) => {
    for (const near of [
      `${name}s`,
      name.slice(1),
      name.slice(0, -1),
      `x${name.slice(1)}`,
      name.replace('-', '_'),
    ]) {
      const isKnown = KNOWN.some(([known]) => known === near);
      if (!isKnown) expect([find(near), fieldIdOf(near)]).toEqual([FieldId.other, FieldId.other]);
    }
  });

  it('has a number below FIELD_ID_COUNT for each', () => {
    expect(KNOWN).toHaveLength(FIELD_ID_COUNT - 1);
    expect(new Set(KNOWN.map(([, id]) => id))).toEqual(new Set(KNOWN.map((_, i) => i + 1)));
  });
});

describe('TOKEN_LOWER', () => {
  it('holds the characters of a token, folded to lower case, and no others', () => {
    for (let byte = 0; byte < 256; byte++) {
      const char = String.fromCharCode(byte);
      const isToken = /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(char);
      expect(TOKEN_LOWER[byte]).toBe(isToken ? char.toLowerCase().charCodeAt(0) : 0);
    }
  });
});
