/*
 * One run of the command: arguments and environment in, exit code out. Every mistake of the user ends
 * here as one line on stderr; only a defect of ours shows a stack.
 */
import { CommanderError } from 'commander';
import { nearestWord } from '../core/nearest-word.js';
import { runDemo } from './demo-command.js';
import { runDiff } from './diff-command.js';
import { runDirectives } from './directives-command.js';
import { runDoctor } from './doctor-command.js';
import { runEcho } from './echo-command.js';
import { runExplain } from './explain-command.js';
import { isNginxCommand, SIGNAL_WORDS } from './nginx/options.js';
import { runNginx } from './nginx-command.js';
import { buildProgram, describeParseFailure, describeUnknownVariables } from './program.js';
import { runProxy } from './proxy-command.js';
import { say } from './say.js';
import { runTop } from './top-command.js';
import { EXIT_DEFECT, EXIT_USAGE, UsageError } from './usage-error.js';

/**
 * Runs the command.
 * @param args the words after `sluice`
 * @returns the exit code when it is over, or null when something now serves until a signal
 */
export async function runCommand(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number | null> {
  if (isNginxCommand(args)) return runNginx(args);
  let exitCode: number | null = null;
  const program = buildProgram({
    async proxy(host, port, options) {
      if (host !== undefined) rejectMistypedCommand(host);
      await runProxy(host, port, options, environment);
    },
    async echo(options) {
      rejectFlagsBefore('echo', args);
      await runEcho(options, environment);
    },
    async demo(options) {
      rejectFlagsBefore('demo', args);
      await runDemo(options, environment);
    },
    async doctor(file, options) {
      rejectFlagsBefore('doctor', args);
      exitCode = runDoctor(file, options);
    },
    async directives(name, options) {
      rejectFlagsBefore('directives', args);
      runDirectives(name, options);
      exitCode = 0;
    },
    async diff(before, after) {
      rejectFlagsBefore('diff', args);
      exitCode = runDiff(before, after);
    },
    async explain(url, options) {
      rejectFlagsBefore('explain', args);
      exitCode = await runExplain(url, options);
    },
    async top(url, options) {
      rejectFlagsBefore('top', args);
      exitCode = await runTop(url, options);
    },
  });
  try {
    for (const line of describeUnknownVariables(environment)) say(line);
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof UsageError) say(error.message);
    else if (!(error instanceof CommanderError)) {
      say(`this is a defect of sluice: ${error instanceof Error ? error.stack : String(error)}`);
      return EXIT_DEFECT;
    } else if (error.exitCode === 0) return 0;
    else say(describeParseFailure(error, program, args));
    return EXIT_USAGE;
  }
}

/** `sluice ehco`, or `sluice reload`, would listen on a host of that name; nobody means that. */
function rejectMistypedCommand(host: string): void {
  if (SIGNAL_WORDS.some((word) => word === host))
    throw new UsageError(`Cannot run "${host}": there is no such command; write -s ${host} -c nginx.conf`);
  const near = host.includes('.')
    ? null
    : nearestWord(host, ['echo', 'demo', 'doctor', 'directives', 'explain', 'diff', 'top', 'help']);
  if (near !== null)
    throw new UsageError(`Cannot run "${host}": there is no such command; did you mean "${near}"?`);
}

/** Flags before a subcommand would be the proxy's, and be ignored. */
function rejectFlagsBefore(command: string, args: readonly string[]): void {
  if (args[0] === command) return;
  throw new UsageError(`Cannot use "${args[0]}" before "${command}": the flags of ${command} go after it`);
}
