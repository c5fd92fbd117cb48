/*
 * nginx's own options, read as nginx reads them: single letters that may share a word (`-tq`), values in the same word
 * or the next one. What is done for them is nginx-command.ts.
 */

/** The words behind -s. */
export const SIGNAL_WORDS = ['stop', 'quit', 'reopen', 'reload'] as const;
export type SignalWord = (typeof SIGNAL_WORDS)[number];

/** What was asked for. A value that was not given is null. */
export interface NginxOptions {
  readonly showHelp: boolean;
  readonly showVersion: boolean;
  readonly showConfigure: boolean;
  readonly test: boolean;
  readonly dump: boolean;
  readonly quiet: boolean;
  readonly signal: SignalWord | null;
  readonly prefix: string | null;
  readonly confFile: string | null;
  readonly errorLog: string | null;
  readonly globals: string | null;
}

const VALUE_NAMES: Readonly<Record<string, string>> = {
  p: 'directory name',
  e: 'file name',
  c: 'file name',
  g: 'parameter',
  s: 'parameter',
};

/** Whether words are nginx's options rather than ours: `-c`, `-p`, `-t`, `-T`, `-s`, `-g`, `-e`, `-q` and `-V` are. */
export function isNginxCommand(args: readonly string[]): boolean {
  return args[0]?.startsWith('-') === true && args.some((arg) => /^-[?hv]*[cptTsgeqV]/.test(arg));
}

/** Reads the words. Throws an Error in nginx's words for what isn't one of its options. */
export function parseNginxOptions(args: readonly string[]): NginxOptions {
  const letters = new Set<string>();
  const values = new Map<string, string>();
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (!arg.startsWith('-')) throw new Error(`invalid option: "${arg}"`);
    for (let at = 1; at < arg.length; at++) {
      const letter = arg[at]!;
      const valueName = VALUE_NAMES[letter];
      if (valueName !== undefined) {
        const value = at + 1 < arg.length ? arg.slice(at + 1) : args[++i];
        if (value === undefined) throw new Error(`option "-${letter}" requires ${valueName}`);
        values.set(letter, value);
        break;
      }
      if (!'?hvVtTq'.includes(letter)) throw new Error(`invalid option: "${letter}"`);
      letters.add(letter);
    }
  }
  const signal = values.get('s');
  const known = SIGNAL_WORDS.find((word) => word === signal);
  if (signal !== undefined && known === undefined) throw new Error(`invalid option: "-s ${signal}"`);
  const showHelp = letters.has('?') || letters.has('h');
  return {
    showHelp,
    showVersion: showHelp || letters.has('v') || letters.has('V'),
    showConfigure: letters.has('V'),
    test: letters.has('t') || letters.has('T'),
    dump: letters.has('T'),
    quiet: letters.has('q'),
    signal: known ?? null,
    prefix: values.get('p') ?? null,
    confFile: values.get('c') ?? null,
    errorLog: values.get('e') ?? null,
    globals: values.get('g') ?? null,
  };
}
