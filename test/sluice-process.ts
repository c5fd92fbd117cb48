/*
 * The built command as a process, for black-box tests. Processes of any kind are in program.ts.
 */
import { fileURLToPath } from 'node:url';
import { Program } from './program.js';

/** The file behind the `sluice` of a package; `npm test` builds it first. */
export const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

/** A started `sluice`, with no variables but those given. */
export class SluiceProcess extends Program {
  constructor(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    super(process.execPath, [MAIN, ...args], { env: { PATH: process.env.PATH, ...environment } });
  }

  /** Where it listens, once it does. */
  async origin(): Promise<string> {
    const [, address] = await this.said(/listen(?:ing|s) on +(?:http:\/\/)?(127\.0\.0\.1:\d+)/, 'stderr');
    return `http://${address}`;
  }
}

/** Runs `sluice` to its end. */
export async function runSluice(
  args: readonly string[],
  environment?: NodeJS.ProcessEnv,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new SluiceProcess(args, environment).ended;
  return { code, stdout: stdout.toString(), stderr };
}

/** A sluice before peers on 127.0.0.1, given by port or as `--to` takes them, with a port of its own. */
export interface Sluice {
  readonly program: Program;
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
}

export interface SluiceOptions {
  /** Words before `node`: sets a limit, picks a core. */
  readonly prefix?: readonly string[];
  readonly nodeArgs?: readonly string[];
}

/** Starts a sluice without an access log, with `flags` behind its own. */
export async function startSluice(
  peers: readonly (number | string)[],
  flags: readonly string[] = [],
  { prefix = [], nodeArgs = [] }: SluiceOptions = {},
): Promise<Sluice> {
  const to = peers.flatMap((peer) => ['--to', typeof peer === 'number' ? `127.0.0.1:${peer}` : peer]);
  const own = ['--listen', '127.0.0.1:0', '--access-log', 'off'];
  const [command, ...words] = [...prefix, process.execPath, ...nodeArgs, MAIN, ...own, ...to, ...flags];
  const program = new Program(command!, words, { env: { PATH: process.env.PATH } });
  const [, port] = await program.said(/listening on 127\.0\.0\.1:(\d+)/);
  return { program, port: Number(port), url: `http://127.0.0.1:${port}` };
}
