import { expect, it } from 'vitest';
import { describeDefect } from './describe-defect.js';

it('an error is its stack on one line', () => {
  const line = describeDefect(new Error('broken'));
  expect(line).toMatch(/^Error: broken \| at .*describe-defect\.test\.ts/);
  expect(line).not.toContain('\n');
});

it.each([
  [undefined, 'undefined'],
  ['text\nof two lines', 'text | of two lines'],
])('what is no error is said as it is: %j', (thrown, line) => {
  expect(describeDefect(thrown)).toBe(line);
});
