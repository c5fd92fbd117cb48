// A configuration in a folder of its own that a process of the built command serves: for what only a process shows.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { RawClient } from '../src/testing/index.js';
import { freePort } from './free-port.js';
import { Program } from './program.js';
import { MAIN } from './sluice-process.js';

export interface ServedFolderOptions {
  /** Words before `node`: sets a limit. */
  readonly prefix?: readonly string[];
}

/** See above; ends with the test. */
export class ServedFolder {
  readonly folder: string;
  readonly port: number;
  program: Program;
  readonly #words: readonly string[];

  private constructor(folder: string, port: number, words: readonly string[]) {
    this.folder = folder;
    this.port = port;
    this.#words = words;
    this.program = run(words);
  }

  /** Serves a whole file but for `daemon` and `pid`; in it `%PORT%` stands for a free port, `%FOLDER%` for where it is. */
  static async start(text: string, { prefix = [] }: ServedFolderOptions = {}): Promise<ServedFolder> {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-served-'));
    const port = await freePort();
    write(folder, port, text);
    const words = [...prefix, process.execPath, MAIN, '-p', `${folder}/`, '-c', 'nginx.conf'];
    const served = new ServedFolder(folder, port, words);
    onTestFinished(async () => {
      await served.program.kill();
      rmSync(folder, { recursive: true });
    });
    await served.isServing();
    return served;
  }

  /** The same again, as after a kill. */
  async startAgain(): Promise<void> {
    this.program = run(this.#words);
    await this.isServing();
  }

  private async isServing(): Promise<void> {
    const { program } = this;
    const isThere = expect.poll(() => this.read('pid'), { timeout: 10_000 }).toBe(`${program.pid}\n`);
    await Promise.race([isThere, program.ended]);
    if (program.child.exitCode !== null) throw new Error(`it does not serve: ${program.stderr}`);
  }

  at(name: string): string {
    return join(this.folder, name);
  }

  /** What was logged; '' before the file is there. */
  read(name: string): string {
    return existsSync(this.at(name)) ? readFileSync(this.at(name), 'utf8') : '';
  }

  /** Waits for a line in error.log, or for several. */
  async logged(pattern: RegExp, count = 1): Promise<void> {
    const all = new RegExp(pattern, 'gm');
    await expect
      .poll(() => this.read('error.log').match(all)?.length ?? 0, { timeout: 10_000 })
      .toBeGreaterThanOrEqual(count);
  }

  /** Another text for the next reload. */
  write(text: string): void {
    write(this.folder, this.port, text);
  }

  signal(name: NodeJS.Signals): void {
    this.program.child.kill(name);
  }

  /** A connected client. */
  async connect(): Promise<RawClient> {
    const client = await RawClient.connect({ host: '127.0.0.1', port: this.port, path: null });
    onTestFinished(() => client.close());
    return client;
  }

  /** Status and body of the answer to a GET on a connection of its own. */
  async get(target: string): Promise<string> {
    const client = await this.connect();
    await client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    const { head, text } = await client.readResponse();
    client.close();
    return `${head.split(' ')[1]} ${text}`;
  }
}

function run([command, ...words]: readonly string[]): Program {
  return new Program(command!, words, { env: { PATH: process.env.PATH } });
}

function write(folder: string, port: number, text: string): void {
  const filled = text.replaceAll('%PORT%', String(port)).replaceAll('%FOLDER%', folder);
  const whole = `daemon off; pid pid; ${filled}`;
  writeFileSync(join(folder, 'nginx.conf'), whole);
}
