/*
 * The command as commander sees it: subcommands, flags (from flags.ts), help and its examples, and
 * the one line for what commander cannot read. What the commands do stands in their own files.
 */
import { Command, type CommanderError, Option } from 'commander';
import { nearestWord } from '../core/nearest-word.js';
import { version } from '../core/version.js';
import { DEMO_FLAGS, ECHO_FLAGS, environmentName, type Flag, PROXY_FLAGS } from './flags.js';

/** Option values as commander hands them over, by camel-case name. */
export type OptionValues = Readonly<Record<string, unknown>>;

/** What the commands do, handed in so that a test can look at what they are called with. */
export interface CommandActions {
  proxy(host: string | undefined, port: string | undefined, options: OptionValues): Promise<void>;
  echo(options: OptionValues): Promise<void>;
  demo(options: OptionValues): Promise<void>;
  doctor(file: string | undefined, options: OptionValues): Promise<void>;
  directives(name: string | undefined, options: OptionValues): Promise<void>;
  explain(url: string, options: OptionValues): Promise<void>;
  diff(before: string, after: string): Promise<void>;
  top(url: string | undefined, options: OptionValues): Promise<void>;
}

const EXAMPLES = `
Examples:
  sluice echo                                              an app to try it with, on 127.0.0.1:9001
  sluice                                                   127.0.0.1:8080 -> 127.0.0.1:9001
  sluice --to 127.0.0.1:9001 --to 127.0.0.1:9002,weight=3  balance between two peers
  sluice -c /etc/nginx/nginx.conf                          serve nginx's file; -t, -s, -p work too

An addr is PORT, HOST:PORT, [IPV6]:PORT or unix:/PATH; a time is 500ms, 60s, 1m or 1h.
Every flag has a variable: --read-timeout is SLUICE_READ_TIMEOUT; the flag wins over it.`;

/** Flags of other tools, and nginx's own names, that people will try. */
const KNOWN_ELSEWHERE: Readonly<Record<string, string>> = {
  '-l': '--listen',
  '--port': '--listen',
  '--host': '--listen',
  '--bind': '--listen',
  '--upstream': '--to',
  '--target': '--to',
  '--backend': '--to',
  '--proxy-pass': '--to',
  '--proxy-connect-timeout': '--connect-timeout',
  '--proxy-read-timeout': '--read-timeout',
  '--proxy-send-timeout': '--upstream-send-timeout',
};

/** The whole command line; parsing throws CommanderError instead of ending the process. */
export function buildProgram(actions: CommandActions): Command {
  const program = new Command('sluice');
  program
    .description('A reverse proxy and load balancer with its own HTTP/1.1 engine.')
    .exitOverride()
    // Its own error text spans two lines; describeParseFailure says the same in one.
    .configureOutput({ writeErr: () => {} })
    .configureHelp({ helpWidth: 100, subcommandTerm: (command) => command.name() })
    .enablePositionalOptions()
    .version(`sluice ${version}`, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'Print the help of a command.')
    .argument('[host]')
    .argument('[port]')
    .usage('[flags] [host] [port]')
    .addHelpText('after', EXAMPLES)
    .action((host: string | undefined, port: string | undefined) =>
      actions.proxy(host, port, program.opts()),
    );
  addFlags(program, PROXY_FLAGS);
  const echo = program.command('echo').description('Run an app that answers with what it received, as JSON.');
  addFlags(
    echo.action(() => actions.echo(echo.opts())),
    ECHO_FLAGS,
  );
  const demo = program.command('demo').description('Run the proxy and two echo apps, and say what to type.');
  addFlags(
    demo.action(() => actions.demo(demo.opts())),
    DEMO_FLAGS,
  );
  const doctor = program
    .command('doctor')
    .description('Say what of a configuration of nginx works, line by line.')
    .argument('[file]')
    .option('-p, --prefix <folder>', "where its relative paths start (the file's folder)")
    .option('--json', 'for programs');
  doctor.action((file: string | undefined) => actions.doctor(file, doctor.opts()));
  const directives = program
    .command('directives')
    .description('List the directives that there are, or describe one.')
    .argument('[name]')
    .option('--schema', 'the whole language as a JSON Schema');
  directives.action((name: string | undefined) => actions.directives(name, directives.opts()));
  const explain = program
    .command('explain')
    .description('Say what a configuration does with a request, and why.')
    .argument('<url>')
    .option('-c, --conf <file>', 'the configuration (/etc/nginx/nginx.conf)')
    .option('-p, --prefix <folder>', "where its relative paths start (the file's folder)")
    .option('-X, --method <method>', 'the method (GET)')
    .option('-H, --header <field>', "a field: 'Name: value'; may be given several times", collect)
    .option('-d, --body <size>', 'with a body of that many bytes: 512, 10k, 2m')
    .option('--from <address>', "the client's address (127.0.0.1)")
    .option('--json', 'for programs');
  explain.action((url: string) => actions.explain(url, explain.opts()));
  const diff = program
    .command('diff')
    .description('Say what a reload from one configuration to another changes.')
    .argument('<old>')
    .argument('<new>')
    .action((before: string, after: string) => actions.diff(before, after));
  const top = program
    .command('top')
    .description('Show what a running proxy does, live, by its status API.')
    .argument('[url]')
    .option('--interval <seconds>', 'between two looks (1)')
    .option('--once', 'print it once and end');
  top.action((url: string | undefined) => actions.top(url, top.opts()));
  for (const command of [doctor, directives, explain, diff, top])
    command.helpOption('-h, --help', 'print this help');
  for (const command of [echo, demo]) command.helpOption('-h, --help', 'print this help').usage('[flags]');
  return program;
}

function collect(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), text];
}

function addFlags(command: Command, flags: readonly Flag[]): void {
  for (const flag of flags) {
    const option = new Option(`--${flag.name} <${flag.value}>`, `${flag.meaning} (${flag.fallback})`);
    if (flag.isRepeatable) {
      option.argParser(collect);
    }
    command.addOption(option);
  }
}

/** One line for what commander could not read, with what would work. */
export function describeParseFailure(
  error: CommanderError,
  program: Command,
  args: readonly string[],
): string {
  const command = program.commands.find((candidate) => candidate.name() === args[0]) ?? program;
  const help = command === program ? 'sluice --help' : `sluice ${command.name()} --help`;
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? '';
  switch (error.code) {
    case 'commander.unknownOption':
      return `Cannot use "${quoted}": there is no such flag; ${suggestFlag(quoted, command, help)}`;
    case 'commander.optionMissingArgument':
      return `Cannot use "${quoted.split(' ')[0]}": its value is missing; write ${quoted}`;
    case 'commander.help':
      return describeUnknownCommand(args[1] ?? '', program);
    case 'commander.excessArguments':
      return `Cannot use "${args.join(' ')}": too many words; ${help} shows what goes`;
    default:
      return `${error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ')}; see ${help}`;
  }
}

/** Of `sluice help ehco`. */
function describeUnknownCommand(typed: string, program: Command): string {
  const near = nearestWord(
    typed,
    program.commands.map((command) => command.name()),
  );
  const advice = near === null ? 'sluice --help lists them' : `did you mean "${near}"?`;
  return `Cannot help with "${typed}": there is no such command; ${advice}`;
}

function suggestFlag(typed: string, command: Command, help: string): string {
  const name = typed.split('=')[0]!;
  const flags = command.options.map((option) => option.long!);
  const elsewhere = KNOWN_ELSEWHERE[name];
  const near = elsewhere !== undefined && flags.includes(elsewhere) ? elsewhere : nearestWord(name, flags);
  return near === null ? `${help} lists them` : `did you mean "${near}"?`;
}

/**
 * Looks for variables that nobody reads, such as SLUICE_LISEN: one line for each that is near to a real one.
 * Others pass, as Kubernetes sets SLUICE_PORT and more by itself for a service named sluice.
 */
export function describeUnknownVariables(environment: NodeJS.ProcessEnv): string[] {
  const known = [
    ...PROXY_FLAGS.map((flag) => environmentName('', flag.name)),
    ...ECHO_FLAGS.map((flag) => environmentName('echo', flag.name)),
    ...DEMO_FLAGS.map((flag) => environmentName('demo', flag.name)),
  ];
  return Object.keys(environment).flatMap((name) => {
    if (!name.startsWith('SLUICE_') || known.includes(name)) return [];
    const words = known.map((variable) => variable.slice('SLUICE_'.length));
    const near = nearestWord(name.slice('SLUICE_'.length), words);
    return near === null ? [] : [`ignoring the variable "${name}": did you mean "SLUICE_${near}"?`];
  });
}
