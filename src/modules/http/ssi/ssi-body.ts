/*
 * One body with SSI commands: text goes on, commands are carried out where they stand. An include that is waited for
 * stops it until the included answer is whole.
 */
import { BodyFilter } from '../../../request/body-sink.js';
import { logErrorOf } from '../../../request/error-line.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { parseInternalUri } from '../../../request/internal-uri.js';
import { Pieces } from '../../../request/pieces.js';
import { startSubrequest } from '../../../request/subrequest.js';
import { escapeUri } from '../../../request/uri-escape.js';
import { type ExpressionReader, holds } from './ssi-expression.js';
import { evaluateText, type SsiPage, SsiProblem } from './ssi-page.js';
import { MAX_PARAMETERS, SsiParser } from './ssi-parser.js';

/** What one location says. */
export interface SsiSettings {
  readonly isSilent: boolean;
  readonly maxValue: number;
  /** The value of one of the configuration's variables; null for one that isn't found. */
  readonly readVariable: (name: string, request: HttpRequest) => string | null;
}

export const DEFAULT_TIME_FORMAT = '%A, %d-%b-%Y %H:%M:%S %Z';

/** One `if` that isn't closed yet. */
interface Condition {
  /** Whether what stands around it counts. */
  readonly isOuterActive: boolean;
  /** Whether one of its branches has been taken. */
  isChosen: boolean;
  /** Whether the branch it is in counts. */
  isActive: boolean;
  isInElse: boolean;
}

type Parameters = ReadonlyMap<string, string>;

/** A command's parameters, those that it must have first. */
interface Command {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  run(body: SsiBody, parameters: Parameters): void;
}

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  [
    'include',
    {
      required: [],
      optional: ['virtual', 'file', 'wait', 'set', 'stub'],
      run: (body, parameters) => body.include(parameters),
    },
  ],
  [
    'echo',
    {
      required: ['var'],
      optional: ['default', 'encoding'],
      run: (body, parameters) => body.echo(parameters),
    },
  ],
  [
    'config',
    { required: [], optional: ['errmsg', 'timefmt'], run: (body, parameters) => body.configure(parameters) },
  ],
  [
    'set',
    { required: ['var', 'value'], optional: [], run: (body, parameters) => body.setVariable(parameters) },
  ],
  ['if', { required: ['expr'], optional: [], run: (body, parameters) => body.openCondition(parameters) }],
  ['elif', { required: ['expr'], optional: [], run: (body, parameters) => body.tryBranch(parameters) }],
  ['else', { required: [], optional: [], run: (body) => body.takeElse() }],
  ['endif', { required: [], optional: [], run: (body) => body.closeCondition() }],
  ['block', { required: ['name'], optional: [], run: (body, parameters) => body.openBlock(parameters) }],
  ['endblock', { required: [], optional: [], run: () => {} }],
]);

const CONDITIONALS: ReadonlySet<string> = new Set(['if', 'elif', 'else', 'endif']);

export class SsiBody extends BodyFilter implements ExpressionReader {
  timeFormat = DEFAULT_TIME_FORMAT;
  private errorMessage = '[an error occurred while processing the directive]';
  private encoding = 'entity';
  private readonly request: HttpRequest;
  private readonly settings: SsiSettings;
  private readonly page: SsiPage;
  private readonly parser: SsiParser;
  private readonly conditions: Condition[] = [];
  /** What the block that is open has so far; null without one. */
  private block: Buffer[] | null = null;
  /** Came while an include was waited for. Its writer is stopped then, so this is what it had under way. */
  private readonly held: Buffer[] = [];
  private readonly pieces = new Pieces();
  private isWaiting = false;
  private isBorrowed = false;
  private isEnded = false;
  private isAborted = false;

  constructor(request: HttpRequest, settings: SsiSettings, page: SsiPage) {
    super();
    this.request = request;
    this.settings = settings;
    this.page = page;
    this.parser = new SsiParser(settings.maxValue);
  }

  override write(bytes: Buffer, isBorrowed: boolean): void {
    if (this.isEnded || this.isAborted) return;
    if (this.isWaiting) {
      this.held.push(isBorrowed ? Buffer.from(bytes) : bytes);
      return;
    }
    this.isBorrowed = isBorrowed;
    this.parser.feed(bytes);
    this.run();
    if (this.isWaiting && isBorrowed) this.parser.keepRest();
  }

  override flush(): void {
    if (!this.isWaiting) this.next.flush();
  }

  override end(): void {
    if (this.isEnded || this.isAborted) return;
    this.isEnded = true;
    if (!this.isWaiting) this.finish();
  }

  override get isBlocked(): boolean {
    return this.isWaiting || this.next.isBlocked;
  }

  override onDrain(): void {
    if (!this.isWaiting && !this.isEnded) this.source.onDrain();
  }

  override abort(): void {
    this.isAborted = true;
    this.held.length = 0;
    this.next.abort();
  }

  /** Goes through what was fed, until its end or until an include must be waited for. */
  private run(): void {
    this.readCommands();
    if (this.isAborted) this.pieces.clear();
    else this.pieces.sendTo(this.next);
  }

  private readCommands(): void {
    const { parser } = this;
    while (!this.isWaiting && !this.isAborted) {
      switch (parser.next()) {
        case 'text':
          this.takeText(parser.text);
          break;
        case 'command':
          this.takeCommand();
          break;
        case 'broken':
          this.reportProblem(parser.problem);
          break;
        case 'end':
          return;
      }
    }
  }

  /** What was waited for is there. */
  private resume(): void {
    if (this.isAborted) return;
    this.isWaiting = false;
    this.isBorrowed = false;
    this.run();
    while (!this.isWaiting && this.held.length > 0) {
      this.parser.feed(this.held.shift()!);
      this.run();
    }
    if (this.isWaiting || this.isAborted) return;
    if (this.isEnded) this.finish();
    else if (!this.next.isBlocked) this.source.onDrain();
  }

  private finish(): void {
    const rest = this.parser.finish();
    if (rest.length > 0) this.takeText(rest);
    this.pieces.sendTo(this.next);
    this.next.end();
  }

  private get isActive(): boolean {
    const { conditions } = this;
    return conditions.length === 0 || conditions[conditions.length - 1]!.isActive;
  }

  private takeText(text: Buffer): void {
    if (this.block !== null) this.block.push(Buffer.from(text));
    else if (this.isActive) this.pieces.add(text, this.isBorrowed);
  }

  private say(text: string): void {
    if (text !== '') this.pieces.add(Buffer.from(text, 'latin1'), false);
  }

  private takeCommand(): void {
    const { command } = this.parser;
    if (this.block !== null) {
      if (command === 'endblock') this.block = null;
      else this.block.push(Buffer.from(this.commandText(), 'latin1'));
      return;
    }
    if (!this.isActive && !CONDITIONALS.has(command)) return;
    try {
      this.runCommand(command);
    } catch (problem) {
      if (!(problem instanceof SsiProblem)) throw problem;
      this.reportProblem(problem.message);
    }
  }

  private reportProblem(problem: string): void {
    logErrorOf(this.request, 'error', problem);
    if (!this.settings.isSilent) this.say(this.errorMessage);
  }

  private commandText(): string {
    const { command, parameters } = this.parser;
    return `<!--#${command}${parameters.map(({ name, value }) => ` ${name}="${value}"`).join('')} -->`;
  }

  private runCommand(name: string): void {
    const command = COMMANDS.get(name);
    if (command === undefined) throw new SsiProblem(`invalid SSI command: "${name}"`);
    const isMisplaced =
      (name === 'elif' || name === 'else' || name === 'endif') && this.conditions.length === 0;
    const isBehindElse = (name === 'elif' || name === 'else') && this.conditions.at(-1)?.isInElse === true;
    if (isMisplaced || isBehindElse) throw new SsiProblem(`invalid context of SSI command: "${name}"`);
    const { parameterCount, parameters } = this.parser;
    if (parameterCount > MAX_PARAMETERS) throw new SsiProblem(`too many SSI command parameters: "${name}"`);
    const given = new Map<string, string>();
    for (const parameter of parameters) {
      const of = `"${parameter.name}" in "${name}" SSI command`;
      if (!command.required.includes(parameter.name) && !command.optional.includes(parameter.name)) {
        throw new SsiProblem(`invalid parameter name: ${of}`);
      }
      if (given.has(parameter.name)) throw new SsiProblem(`duplicate parameter ${of}`);
      given.set(parameter.name, parameter.value);
    }
    const missing = command.required.find((required) => !given.has(required));
    if (missing !== undefined) {
      throw new SsiProblem(`mandatory "${missing}" parameter is absent in "${name}" SSI command`);
    }
    command.run(this, given);
  }

  /** A parameter's text with its variables. */
  evaluate(text: string): string {
    return evaluateText(text, (name) => this.read(name));
  }

  match(pattern: string, text: string): boolean {
    return this.page.match(pattern, text);
  }

  private read(name: string): string | null {
    const own = this.page.find(name);
    // Groups of the location's own regular expression are not meant.
    return own !== null || /^\d$/.test(name) ? own : this.settings.readVariable(name, this.request);
  }

  echo(parameters: Parameters): void {
    const value = this.read(parameters.get('var')!.toLowerCase()) ?? parameters.get('default') ?? '(none)';
    const encoding = parameters.get('encoding');
    if (encoding === 'none' || encoding === 'url' || encoding === 'entity') this.encoding = encoding;
    else if (encoding !== undefined) {
      logErrorOf(this.request, 'error', `unknown encoding "${encoding}" in the "echo" command`);
    }
    if (this.encoding === 'url') this.say(escapeUri(value, 'ssi'));
    else this.say(this.encoding === 'entity' ? escapeHtml(value) : value);
  }

  setVariable(parameters: Parameters): void {
    const value = this.evaluate(parameters.get('value')!);
    this.page.variables.set(parameters.get('var')!.toLowerCase(), value);
  }

  configure(parameters: Parameters): void {
    this.timeFormat = parameters.get('timefmt') ?? this.timeFormat;
    this.errorMessage = parameters.get('errmsg') ?? this.errorMessage;
  }

  /**
   * differs from nginx: an `if` may stand inside another; there it is an error.
   */
  openCondition(parameters: Parameters): void {
    const isOuterActive = this.isActive;
    const isActive = isOuterActive && holds(parameters.get('expr')!, this);
    this.conditions.push({ isOuterActive, isActive, isChosen: isActive, isInElse: false });
  }

  tryBranch(parameters: Parameters): void {
    const condition = this.conditions.at(-1)!;
    const isTried = condition.isOuterActive && !condition.isChosen;
    condition.isActive = isTried && holds(parameters.get('expr')!, this);
    condition.isChosen ||= condition.isActive;
  }

  takeElse(): void {
    const condition = this.conditions.at(-1)!;
    condition.isActive = condition.isOuterActive && !condition.isChosen;
    condition.isInElse = true;
  }

  closeCondition(): void {
    this.conditions.pop();
  }

  openBlock(parameters: Parameters): void {
    this.block = [];
    this.page.blocks.set(parameters.get('name')!, this.block);
  }

  include(parameters: Parameters): void {
    const virtual = parameters.get('virtual');
    const file = parameters.get('file');
    const set = parameters.get('set')?.toLowerCase();
    const stub = parameters.get('stub');
    if (virtual !== undefined && file !== undefined) {
      throw new SsiProblem(`inclusion may be either virtual="${virtual}" or file="${file}"`);
    }
    const named = virtual ?? file;
    if (named === undefined) throw new SsiProblem('no parameter in "include" SSI command');
    if (set !== undefined && stub !== undefined) {
      throw new SsiProblem('"set" and "stub" cannot be used together in "include" SSI command');
    }
    const isWaited = this.mustWait(parameters.get('wait'), file);
    const text = this.evaluate(named);
    const { path } = this.request;
    const uri = text.startsWith('/') ? text : path.slice(0, path.lastIndexOf('/') + 1) + text;
    const target = parseInternalUri(uri);
    if (target === null) throw new SsiProblem(`unsafe URI "${uri}" was detected`);
    const { payload } = this.request.main;
    // Before the included body takes its place.
    this.pieces.sendTo(this.next);
    const isBegun = startSubrequest(this.request, target.path, target.args, {
      body: set === undefined ? 'part' : 'memory',
      hasPayload: payload?.isComplete === true,
      ...(stub === undefined ? {} : { stub: this.stubOf(stub) }),
      whenOver: (subrequest) => {
        if (set !== undefined) this.keep(set, subrequest);
        if (isWaited || set !== undefined) this.resume();
      },
    });
    if (isBegun === null) throw new SsiProblem(`"${uri}" is not included`);
    if (set !== undefined && this.page.find(set) === null) this.page.variables.set(set, '');
    this.isWaiting = isWaited || set !== undefined;
  }

  private mustWait(wait: string | undefined, file: string | undefined): boolean {
    if (wait === undefined) return file !== undefined;
    if (file !== undefined) throw new SsiProblem(`"wait" cannot be used with file="${file}"`);
    const word = wait.toLowerCase();
    if (word !== 'yes' && word !== 'no')
      throw new SsiProblem(`invalid value "${wait}" in the "wait" parameter`);
    return word === 'yes';
  }

  private stubOf(name: string): Buffer {
    const block = this.page.blocks.get(name);
    if (block === undefined) throw new SsiProblem(`"stub"="${name}" for "include" not found`);
    return Buffer.concat(block);
  }

  private keep(variable: string, { response, collected }: HttpRequest): void {
    if (response.status >= 300) return;
    this.page.variables.set(variable, Buffer.concat(collected).toString('latin1'));
  }
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character]!);
}
