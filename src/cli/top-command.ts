/*
 * `sluice top URL`: what a running proxy does, live in the terminal, by its status API.
 */
import { fold, frame } from './top/frame.js';
import { isEnding } from './top/keys.js';
import { fetchStatus, findApi, type Status } from './top/status.js';
import { UsageError } from './usage-error.js';

export interface TopOptions {
  readonly interval?: string;
  readonly once?: boolean;
}

const DEFAULT_URL = 'http://127.0.0.1:8080/api';
const LEAST_SECONDS = 0.1;

const TO_START = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';

/**
 * Shows it until `q` or Ctrl-C; once where standard output is no terminal, or with `once`. Throws a UsageError when the
 * API can't be asked.
 */
export async function runTop(url = DEFAULT_URL, options: TopOptions = {}): Promise<number> {
  const intervalMs = readInterval(options.interval) * 1000;
  const isLive = process.stdout.isTTY === true && options.once !== true;
  const base = await findApi(url);
  const first = await fetchStatus(base);
  if (isLive) await showLive(base, first, intervalMs);
  else {
    await pause(intervalMs);
    process.stdout.write(`${draw(await fetchStatus(base), first, false).join('\n')}\n`);
  }
  return 0;
}

function readInterval(text = '1'): number {
  const value = Number(text);
  if (!(value >= LEAST_SECONDS && value <= 3600))
    throw new UsageError(`Cannot use "--interval ${text}": write seconds, such as 1 or 0.5`);
  return value;
}

/** A terminal may not know its size, and says 0 then. */
function terminalWidth(): number {
  return process.stdout.columns || 120;
}

/** @param reserved lines of the terminal that are for others */
function draw(now: Status, before: Status | null, isLive: boolean, reserved = 0): string[] {
  const width = terminalWidth();
  const height = (process.stdout.rows || 40) - reserved;
  const hasColours = isLive && process.env.NO_COLOR === undefined;
  return frame(now, before, { width: isLive ? width : 200, height: isLive ? height : 10_000, hasColours });
}

async function showLive(base: string, first: Status, intervalMs: number): Promise<void> {
  const { stdin, stdout } = process;
  let isOver = false;
  let wake = () => {};
  const end = () => {
    isOver = true;
    wake();
  };
  const onKeys = (keys: Buffer) => {
    if (isEnding(keys)) end();
  };
  stdout.write(ENTER);
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.on('data', onKeys);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  let trouble = '';
  let before: Status | null = null;
  let now = first;
  const paint = () => {
    const told = trouble === '' ? [] : ['', ...fold(trouble, terminalWidth())];
    const lines = [...draw(now, before, true, told.length), ...told];
    stdout.write(TO_START + lines.map((line) => `${line}${CLEAR_LINE}\n`).join('') + CLEAR_BELOW);
  };
  stdout.on('resize', paint);
  try {
    while (!isOver) {
      paint();
      await pause(intervalMs, (stop) => {
        wake = stop;
      });
      if (isOver) break;
      try {
        const next = await fetchStatus(base);
        before = now;
        now = next;
        trouble = '';
      } catch (error) {
        trouble = (error as Error).message;
      }
    }
  } finally {
    stdout.off('resize', paint);
    stdin.off('data', onKeys);
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.pause();
    stdout.write(LEAVE);
  }
}

/** Resolves after that time, or when what it gives to `withStop` is called. */
function pause(ms: number, withStop: (stop: () => void) => void = () => {}): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    withStop(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
