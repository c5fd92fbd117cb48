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

/** Whether words are nginx's options rather than ours: `-c`, `-p`, `-t`, `-T`, `-s`, `-g`, `-e`, `-q`, `-V` and `-?` are. */
export function isNginxCommand(args: readonly string[]): boolean {
  return args[0]?.startsWith('-') === true && args.some((arg) => /^-[?hv]*[cptTsgeqV?]/.test(arg));
}

/** What isn't one of nginx's options: in its words, and what would work in ours. */
export class OptionError extends Error {
  /** '' where the message says it all. */
  readonly advice: string;

  constructor(message: string, advice = '') {
    super(message);
    this.advice = advice;
  }
}

const LIST_THEM = '-? lists the options that nginx has';

/** Reads the words. Throws an OptionError. */
export function parseNginxOptions(args: readonly string[]): NginxOptions {
  const letters = new Set<string>();
  const values = new Map<string, string>();
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (!arg.startsWith('-')) {
      const advice = /[./]/.test(arg) ? `a file goes behind -c: -c ${arg}` : LIST_THEM;
      throw new OptionError(`invalid option: "${arg}"`, advice);
    }
    if (arg.startsWith('--')) {
      const advice = `"${arg}" is for running without a file; in one directives say that: sluice directives lists them`;
      throw new OptionError('invalid option: "-"', advice);
    }
    for (let at = 1; at < arg.length; at++) {
      const letter = arg[at]!;
      const valueName = VALUE_NAMES[letter];
      if (valueName !== undefined) {
        const value = at + 1 < arg.length ? arg.slice(at + 1) : args[++i];
        if (value === undefined) throw new OptionError(`option "-${letter}" requires ${valueName}`);
        values.set(letter, value);
        break;
      }
      if (!'?hvVtTq'.includes(letter)) throw new OptionError(`invalid option: "${letter}"`, LIST_THEM);
      letters.add(letter);
    }
  }
  const signal = values.get('s');
  const known = SIGNAL_WORDS.find((word) => word === signal);
  if (signal !== undefined && known === undefined)
    throw new OptionError(`invalid option: "-s ${signal}"`, `-s takes ${SIGNAL_WORDS.join(', ')}`);
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
