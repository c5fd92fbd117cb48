import { expect, it } from 'vitest';
import { WaitingPlaces, waitingPlacesBytes } from './waiting-places.js';

function twoWorkers(): [WaitingPlaces, WaitingPlaces] {
  const memory = new SharedArrayBuffer(waitingPlacesBytes({ index: 0, count: 2 }));
  return [
    new WaitingPlaces(memory, { index: 0, count: 2 }),
    new WaitingPlaces(memory, { index: 1, count: 2 }),
  ];
}

it('has one limit for all workers, and gives back the places of one that died', () => {
  const [a, b] = twoWorkers();
  expect([a.take(3), b.take(3), b.take(3), a.take(3), b.take(3)]).toEqual([true, true, true, false, false]);
  expect([a.waiting, a.overflows]).toEqual([3, 2]);
  a.giveBack();
  expect([a.take(3), b.take(3)]).toEqual([true, false]);
  a.forgetWorker(1);
  expect(a.waiting).toBe(1);
  b.clearOverflows();
  expect(a.overflows).toBe(0);
});

it('wakes a worker where somebody waits', async () => {
  const [a, b] = twoWorkers();
  a.take(3);
  const startedMs = performance.now();
  const woken = new Promise<void>((resolve) => a.listen(resolve));
  b.ring();
  await woken;
  // Without a bell it takes a second.
  expect(performance.now() - startedMs).toBeLessThan(900);
});
