import { expect, it } from 'vitest';
import { History, historyBytes } from './history.js';

it('a history tells what came after a moment, oldest first, for as long as it has room', () => {
  const memory = new SharedArrayBuffer(historyBytes(2));
  const history = new History(memory, 2);
  expect(history.lastAtMs).toBe(0);
  expect(history.since(-1)).toEqual([]);
  for (let second = 1; second <= 700; second++) history.add([second * 1000, second]);
  const reader = new History(memory, 2);
  expect(reader.lastAtMs).toBe(700_000);
  expect(reader.since(-1)).toHaveLength(600);
  expect(reader.since(-1)[0]).toEqual([101_000, 101]);
  expect(reader.since(698_000)).toEqual([
    [699_000, 699],
    [700_000, 700],
  ]);
  expect(reader.since(700_000)).toEqual([]);
});
