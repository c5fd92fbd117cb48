import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventClock } from '../core/clock.js';
import { type Gate, SocketBudget } from './socket-budget.js';
import { forgetSockets, makeSocketCounts, SocketCounts } from './socket-counts.js';

/** A gate that writes down what it is told. */
class RecordingGate implements Gate {
  readonly told: string[] = [];
  pause = () => void this.told.push('pause');
  resume = () => void this.told.push('resume');
  noteShortage = (isShort: boolean) => void this.told.push(isShort ? 'short' : 'calm');
  reclaim = () => void this.told.push('reclaim');
}

/** 12 descriptors of the process are no sockets, and 10 are kept in reserve: 8 sockets of 30. */
const OTHERS = 12;

let limit: number;
let budget: SocketBudget;
let gate: RecordingGate;

beforeEach(() => {
  vi.useFakeTimers();
  eventClock.refresh();
  limit = 30;
  budget = new SocketBudget(() => ({ limit, open: OTHERS + budget.openCount }));
  gate = new RecordingGate();
  budget.addGate(gate);
});

afterEach(() => {
  budget.removeGate(gate);
  vi.useRealTimers();
  eventClock.refresh();
});

function open(clients: number, upstreams = 0): void {
  for (let i = 0; i < clients; i++) budget.noteOpened(true);
  for (let i = 0; i < upstreams; i++) budget.noteOpened(false);
}

describe('SocketBudget', () => {
  it('is the limit less other descriptors and a reserve', () => {
    expect(budget.limit).toBe(8);
  });

  it('has no limit where it cannot be read', () => {
    const unread = new SocketBudget(() => null);
    unread.addGate(gate);
    for (let i = 0; i < 100_000; i++) unread.noteOpened(true);
    expect(unread.hasRoom).toBe(true);
    unread.removeGate(gate);
  });

  it('pauses the gates when clients have three quarters, and leaves the rest to upstream connections', () => {
    open(5);
    expect(gate.told).toEqual([]);
    open(1);
    expect(gate.told).toEqual(['pause', 'short', 'reclaim']);
    expect(budget.hasRoom).toBe(true);
  });

  it('pauses the gates when all sockets are open, whoever has them', () => {
    open(2, 5);
    expect(gate.told).toEqual([]);
    open(0, 1);
    expect(gate.told).toEqual(['pause', 'short', 'reclaim']);
    expect(budget.hasRoom).toBe(false);
  });

  it('resumes when a socket has been closed', () => {
    open(6);
    budget.noteClosed(true);
    expect(gate.told.at(-1)).toBe('resume');
  });

  it('tells of the next pause only after ten calm seconds', () => {
    open(6);
    for (let second = 0; second < 9; second++) {
      budget.noteClosed(true);
      vi.advanceTimersByTime(1000);
      open(1);
    }
    expect(gate.told.filter((word) => word === 'short')).toHaveLength(1);
    budget.noteClosed(true);
    vi.advanceTimersByTime(9500);
    expect(gate.told).not.toContain('calm');
    vi.advanceTimersByTime(1000);
    expect(gate.told.at(-1)).toBe('calm');
    open(1);
    expect(gate.told.filter((word) => word === 'short')).toHaveLength(2);
  });

  it('holds an upstream connection back until there is room, before any client', () => {
    open(4, 4);
    const opened = vi.fn(() => open(0, 1));
    budget.whenRoom(opened);
    expect(opened).not.toHaveBeenCalled();
    expect(budget.isAwaited).toBe(true);
    expect(gate.told.at(-1)).toBe('reclaim');
    budget.noteClosed(true);
    expect(opened).toHaveBeenCalledOnce();
    expect(budget.isAwaited).toBe(false);
    expect(gate.told).not.toContain('resume');
  });

  it('asks again and again for connections to be closed while there is a shortage', () => {
    open(6);
    vi.advanceTimersByTime(2000);
    expect(gate.told.filter((word) => word === 'reclaim')).toHaveLength(9);
  });

  it('notices a limit that was raised, and one that was lowered', () => {
    open(6);
    limit = 60;
    vi.advanceTimersByTime(1250);
    expect(gate.told.at(-1)).toBe('resume');
    limit = 26;
    vi.advanceTimersByTime(1250);
    expect(gate.told.lastIndexOf('pause')).toBeGreaterThan(gate.told.lastIndexOf('resume'));
  });

  it('does not take sockets for free descriptors that count as open still', () => {
    let closing = 0;
    const busy: SocketBudget = new SocketBudget(() => ({ limit, open: OTHERS + busy.openCount - closing }));
    busy.addGate(gate);
    for (let i = 0; i < 5; i++) busy.noteOpened(true);
    closing = 4;
    busy.measure();
    expect(busy.limit).toBe(8);
    closing = 0;
    for (let i = 0; i < 5; i++) busy.measure();
    expect(busy.limit).toBe(8);
    busy.removeGate(gate);
  });

  it('pauses at what is open when descriptors turn out to be used up, until it knows more', () => {
    open(2, 1);
    budget.noteExhausted();
    expect(gate.told).toEqual(['pause', 'short', 'reclaim']);
    vi.advanceTimersByTime(1250);
    expect(gate.told.at(-1)).toBe('resume');
  });

  it('keeps a gate shut that opens during a pause', () => {
    open(6);
    const late = new RecordingGate();
    budget.addGate(late);
    expect(late.told).toEqual(['pause']);
    budget.removeGate(late);
  });

  it('runs no timer when nothing listens', () => {
    open(6);
    budget.removeGate(gate);
    expect(vi.getTimerCount()).toBe(0);
    open(2);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the SocketBudgets of two threads', () => {
  /** 20 more for the reserve of the second thread, and the same for sockets: 40 for both. */
  const LIMIT = OTHERS + 20 + 40;
  let memory: SharedArrayBuffer;
  let threads: { readonly budget: SocketBudget; readonly gate: RecordingGate }[];

  beforeEach(() => {
    memory = makeSocketCounts(8);
    threads = [0, 1].map((index) => {
      const counts = new SocketCounts(memory, index);
      const one: SocketBudget = new SocketBudget(() => ({ limit: LIMIT, open: OTHERS + one.openCount }));
      one.share(counts);
      one.threadCount = 2;
      return { budget: one, gate: new RecordingGate() };
    });
    for (const thread of threads) thread.budget.addGate(thread.gate);
  });
  afterEach(() => {
    for (const thread of threads) thread.budget.removeGate(thread.gate);
  });

  /** Has a thread accept clients until it pauses; how many that were. */
  function fill({ budget: one }: (typeof threads)[number]): number {
    let count = 0;
    for (; !one.isPaused; count++) one.noteOpened(true);
    return count;
  }

  it('have one limit, of which a thread leaves the other a quarter, however often it is measured', () => {
    const [first, second] = threads;
    expect(fill(first!)).toBe(23); // 30 for clients: 7 are the other's, and 16 of 23 are for all
    vi.advanceTimersByTime(5000);
    expect(first!.budget.isPaused).toBe(true);
    expect(fill(second!)).toBe(7);
    vi.advanceTimersByTime(5000);
    expect([first!.budget.openCount, first!.budget.limit]).toEqual([30, 40]);
  });

  it('let who comes first have the half that is for all, and the other once that is free', () => {
    const [first, second] = threads;
    fill(first!);
    fill(second!);
    for (let i = 0; i < 4; i++) first!.budget.noteClosed(true);
    for (let i = 0; i < 4; i++) first!.budget.noteOpened(true);
    expect(first!.budget.isPaused).toBe(true);
    for (let i = 0; i < 4; i++) first!.budget.noteClosed(true);
    vi.advanceTimersByTime(250);
    expect(second!.gate.told.at(-1)).toBe('resume');
    expect(fill(second!)).toBe(4);
  });

  it('let an upstream connection wait for what the other thread closes', () => {
    const [first, second] = threads;
    for (let i = 0; i < 30; i++) first!.budget.noteOpened(false);
    for (let i = 0; i < 10; i++) second!.budget.noteOpened(false);
    const opened = vi.fn();
    second!.budget.whenRoom(opened);
    vi.advanceTimersByTime(1000);
    expect(opened).not.toHaveBeenCalled();
    first!.budget.noteClosed(false);
    vi.advanceTimersByTime(250);
    expect(opened).toHaveBeenCalledOnce();
  });

  it('tell of a shortage once, and once that it is over', () => {
    const [first, second] = threads;
    for (const thread of threads) fill(thread);
    expect(first!.gate.told.filter((word) => word === 'short')).toHaveLength(1);
    expect(second!.gate.told).not.toContain('short');
    for (let i = 0; i < 4; i++) for (const thread of threads) thread.budget.noteClosed(true);
    vi.advanceTimersByTime(11_000);
    const calm = threads.flatMap((thread) => thread.gate.told).filter((word) => word === 'calm');
    expect(calm).toHaveLength(1);
  });

  it('have again what a thread had that is gone', () => {
    const [first, second] = threads;
    fill(first!);
    fill(second!);
    forgetSockets(memory, 0);
    vi.advanceTimersByTime(250);
    expect(second!.gate.told.at(-1)).toBe('resume');
    expect(second!.budget.openCount).toBe(7);
  });
});
