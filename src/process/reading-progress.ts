/*
 * What a terminal sees while a large configuration is read and checked: a line that names the file, gone when it is over.
 */
import type { ConfReader } from '../conf/load/reader.js';

/** A start that is over by then says nothing. */
const PATIENCE_MS = 1000;
const PAUSE_MS = 100;

/** Where the line goes, and the time. */
export interface Terminal {
  write(text: string): void;
  nowMs(): number;
}

const ERASE_LINE = '\r\x1b[K';

/** Reads and tells. */
export class ReadingProgress implements ConfReader {
  readonly #reader: ConfReader;
  readonly #terminal: Terminal;
  #nextMs: number;
  #fileCount: number;
  #isShown: boolean;

  constructor(reader: ConfReader, terminal: Terminal) {
    this.#reader = reader;
    this.#terminal = terminal;
    this.#nextMs = terminal.nowMs() + PATIENCE_MS;
    this.#fileCount = 0;
    this.#isShown = false;
  }

  readFile(path: string): ReturnType<ConfReader['readFile']> {
    this.#fileCount++;
    if (this.#terminal.nowMs() >= this.#nextMs) this.#show(`reading file ${this.#fileCount}, ${path}`);
    return this.#reader.readFile(path);
  }

  listFolder(path: string): ReturnType<ConfReader['listFolder']> {
    return this.#reader.listFolder(path);
  }

  /** All is read, and what follows takes a while too where reading did. */
  check(): void {
    if (this.#isShown) this.#show(`checking ${this.#fileCount} files`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.#isShown) this.#terminal.write(ERASE_LINE);
    this.#isShown = false;
  }

  #show(what: string): void {
    this.#isShown = true;
    this.#nextMs = this.#terminal.nowMs() + PAUSE_MS;
    this.#terminal.write(`${ERASE_LINE}sluice: ${what}`);
  }
}

/** The terminal of this process's standard error; null when it is none. */
export function ownTerminal(): Terminal | null {
  if (process.stderr.isTTY !== true) return null;
  return { write: (text) => void process.stderr.write(text), nowMs: () => performance.now() };
}
