import { expect, test } from 'vitest';
import { ContentTypes } from './content-types.js';

test('types are found whatever their case and parameters', () => {
  const types = new ContentTypes(new Set(['text/html', 'text/css']));
  expect(types.has('text/css')).toBe(true);
  expect(types.has('Text/HTML; charset=a')).toBe(true);
  expect(types.has('text/html ;a')).toBe(true);
  expect(types.has('text/plain')).toBe(false);
  expect(types.has('')).toBe(false);
  expect(new ContentTypes(null).has('')).toBe(true);
});
