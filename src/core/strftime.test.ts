import { expect, test } from 'vitest';
import { formatTime } from './strftime.js';

// Monday.
const DATE = new Date(Date.UTC(2024, 11, 30, 15, 4, 5));

test.each([
  ['%A, %d-%b-%Y %H:%M:%S %Z', 'Monday, 30-Dec-2024 15:04:05 GMT'],
  ['%c', 'Mon Dec 30 15:04:05 2024'],
  ['%D %F %R %T', '12/30/24 2024-12-30 15:04 15:04:05'],
  ['%I %l %p %k', '03  3 PM 15'],
  ['%j %U %W %V %G %g', '365 52 53 01 2025 25'],
  ['%u %w %y %C %e %h %B', '1 1 24 20 30 Dec December'],
  ['%s %z %%', '1735571045 +0000 %'],
  ['100% %Q', '100% %Q'],
  ['plain', 'plain'],
])('formats "%s"', (format, expected) => {
  expect(formatTime(format, DATE, true)).toBe(expected);
});

test('takes the time zone of the machine', () => {
  const shown = formatTime('%Y-%m-%d %H:%M', DATE, false);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${DATE.getFullYear()}-${two(DATE.getMonth() + 1)}-${two(DATE.getDate())}`;
  expect(shown).toBe(`${day} ${two(DATE.getHours())}:${two(DATE.getMinutes())}`);
});
