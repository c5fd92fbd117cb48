/*
 * SSI commands in a body that comes in pieces: `<!--#include virtual="/a" -->`. Only what a command says is kept
 * between two pieces, and that is bounded. What commands mean is not known here.
 */

/** What comes next in the body. */
export type SsiEvent =
  /** `text` stays as it is. */
  | 'text'
  /** A command: `command` and `parameters`. */
  | 'command'
  /** Something that began like a command and isn't one; `problem` says why. */
  | 'broken'
  /** All that was fed has been read. */
  | 'end';

export interface SsiParameter {
  readonly name: string;
  readonly value: string;
}

const OPENING = Buffer.from('<!--#');
const NOTHING = Buffer.alloc(0);

/** nginx's bounds. */
const MAX_NAME = 32;
export const MAX_PARAMETERS = 16;

/** Where in the body it is. */
const TEXT = 0;
const BEFORE_COMMAND = 1;
const COMMAND = 2;
const BEFORE_PARAMETER = 3;
const PARAMETER = 4;
const BEFORE_EQUALS = 5;
const BEFORE_VALUE = 6;
const VALUE = 7;
const ESCAPED = 8;
const AFTER_VALUE = 9;
const CLOSING = 10;
const CLOSED = 11;
const BROKEN = 12;
const BROKEN_CLOSING = 13;
const BROKEN_CLOSED = 14;

/** One body. Texts are bytes in latin1. */
export class SsiParser {
  /** Of the event `text`: a part of what was fed. */
  text: Buffer = NOTHING;
  command = '';
  parameters: SsiParameter[] = [];
  /** With more than MAX_PARAMETERS only their number counts. */
  parameterCount = 0;
  problem = '';
  private readonly maxValue: number;
  private bytes: Buffer = NOTHING;
  private at = 0;
  private state = TEXT;
  /** How many bytes of `<!--#` the last piece ended with. */
  private opened = 0;
  private name = '';
  private value = '';
  private quote = '';

  /** `maxValue`: how long a parameter's value may be. */
  constructor(maxValue: number) {
    this.maxValue = maxValue;
  }

  /** More of the body; all that was fed before has been read. */
  feed(bytes: Buffer): void {
    this.bytes = bytes;
    this.at = 0;
  }

  /** What is not read yet will be read later, though the bytes are borrowed. */
  keepRest(): void {
    this.bytes = Buffer.from(this.bytes.subarray(this.at));
    this.at = 0;
  }

  /** The body is whole: what looked like the beginning of a command, if there is any, is text. */
  finish(): Buffer {
    const { opened } = this;
    this.opened = 0;
    return OPENING.subarray(0, opened);
  }

  next(): SsiEvent {
    for (;;) {
      if (this.state === TEXT) {
        const hasText = this.readText();
        if (hasText) return 'text';
        if (this.state === TEXT) return 'end';
      }
      while (this.at < this.bytes.length) {
        const event = this.step(String.fromCharCode(this.bytes[this.at++]!));
        if (event === null) continue;
        this.state = TEXT;
        return event;
      }
      if (this.state !== TEXT) return 'end';
    }
  }

  /** Reads up to a command, or to the end. Whether there is text before it. */
  private readText(): boolean {
    const { bytes } = this;
    if (this.opened > 0) {
      while (
        this.opened < OPENING.length &&
        this.at < bytes.length &&
        bytes[this.at] === OPENING[this.opened]
      ) {
        this.opened++;
        this.at++;
      }
      if (this.opened === OPENING.length) {
        this.openCommand();
        return false;
      }
      if (this.at === bytes.length) return false;
      return this.giveText(this.finish());
    }
    const start = this.at;
    const found = bytes.indexOf(OPENING, start);
    if (found >= 0) {
      this.at = found + OPENING.length;
      this.openCommand();
      return this.giveText(bytes.subarray(start, found));
    }
    this.at = bytes.length;
    for (let length = Math.min(OPENING.length - 1, bytes.length - start); length > 0; length--) {
      if (OPENING.compare(bytes, bytes.length - length, bytes.length, 0, length) !== 0) continue;
      this.opened = length;
      break;
    }
    return this.giveText(bytes.subarray(start, bytes.length - this.opened));
  }

  private giveText(text: Buffer): boolean {
    this.text = text;
    return text.length > 0;
  }

  private openCommand(): void {
    this.opened = 0;
    this.state = BEFORE_COMMAND;
    this.command = '';
    this.parameters = [];
    this.parameterCount = 0;
  }

  /** Reads one byte of a command. */
  private step(byte: string): SsiEvent | null {
    const isSpace = byte === ' ' || byte === '\r' || byte === '\n' || byte === '\t';
    switch (this.state) {
      case BEFORE_COMMAND:
        if (isSpace) return null;
        this.command = byte;
        this.state = COMMAND;
        return null;
      case COMMAND:
        if (isSpace) this.state = BEFORE_PARAMETER;
        else if (byte === '-') this.state = CLOSING;
        else if (this.command.length === MAX_NAME) {
          return this.break(BROKEN, `the "${this.command}${byte}..." SSI command is too long`);
        } else this.command += byte;
        return null;
      case BEFORE_PARAMETER:
        if (isSpace) return null;
        if (byte === '-') this.state = CLOSING;
        else {
          this.name = byte;
          this.value = '';
          this.state = PARAMETER;
        }
        return null;
      case PARAMETER:
        if (isSpace) this.state = BEFORE_EQUALS;
        else if (byte === '=') this.state = BEFORE_VALUE;
        else if (byte === '-') return this.breakAt(byte, `after "${this.name}" parameter`);
        else if (this.name.length === MAX_NAME) {
          return this.break(
            BROKEN,
            `too long "${this.name}${byte}..." parameter in "${this.command}" SSI command`,
          );
        } else this.name += byte;
        return null;
      case BEFORE_EQUALS:
        if (isSpace) return null;
        if (byte !== '=') return this.breakAt(byte, `after "${this.name}" parameter`);
        this.state = BEFORE_VALUE;
        return null;
      case BEFORE_VALUE:
        if (isSpace) return null;
        if (byte !== '"' && byte !== "'")
          return this.breakAt(byte, `before value of "${this.name}" parameter`);
        this.quote = byte;
        this.state = VALUE;
        return null;
      case VALUE:
        if (byte !== this.quote) {
          if (byte === '\\') this.state = ESCAPED;
          return this.addToValue(byte);
        }
        this.parameterCount++;
        if (this.parameterCount <= MAX_PARAMETERS)
          this.parameters.push({ name: this.name, value: this.value });
        this.state = AFTER_VALUE;
        return null;
      case ESCAPED:
        this.state = VALUE;
        return this.addToValue(byte);
      case AFTER_VALUE:
        if (isSpace) this.state = BEFORE_PARAMETER;
        else if (byte === '-') this.state = CLOSING;
        else return this.breakAt(byte, `after "${this.value}" value of "${this.name}" parameter`);
        return null;
      case CLOSING:
      case CLOSED:
        if (this.state === CLOSED && byte === '>') return 'command';
        if (this.state === CLOSING && byte === '-') this.state = CLOSED;
        else this.break(BROKEN, `unexpected "${byte}" symbol in "${this.command}" SSI command`);
        return null;
      case BROKEN:
        if (byte === '-') this.state = BROKEN_CLOSING;
        return null;
      case BROKEN_CLOSING:
        this.state = byte === '-' ? BROKEN_CLOSED : BROKEN;
        return null;
      default:
        if (byte === '>') return 'broken';
        this.state = BROKEN;
        return null;
    }
  }

  private addToValue(byte: string): null {
    if (this.value.length < this.maxValue) this.value += byte;
    else {
      const what = `too long "${this.value}${byte}..." value of "${this.name}" parameter`;
      this.break(BROKEN, `${what} in "${this.command}" SSI command`);
    }
    return null;
  }

  private breakAt(byte: string, where: string): null {
    const state = byte === '-' ? BROKEN_CLOSING : BROKEN;
    return this.break(state, `unexpected "${byte}" symbol ${where} in "${this.command}" SSI command`);
  }

  private break(state: number, problem: string): null {
    this.state = state;
    this.problem = problem;
    return null;
  }
}
