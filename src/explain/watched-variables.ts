/*
 * Variables that tell the trace when they are read: name, value, what makes them, and what they read themselves.
 */
import type { HttpRequest } from '../request/http-request.js';
import { type VariableDefinition, type VariableFamily, VariableTable } from '../variables/variable-table.js';
import { makeStep, placeOf } from './trace.js';
import type { Watched } from './watched.js';

type Get = VariableDefinition<HttpRequest>['get'];

export class WatchedVariables extends VariableTable<HttpRequest> {
  private readonly watched: Watched;
  private readonly watchers: WeakSet<Get> = new WeakSet();

  constructor(watched: Watched) {
    super();
    this.watched = watched;
  }

  override define(definition: VariableDefinition<HttpRequest>): void {
    const { name } = definition;
    const { declaring, makers } = this.watched;
    const maker = declaring.find(({ node }) =>
      node.args.some(({ text }) => text.toLowerCase() === `$${name}`),
    );
    // One of `set` has no value of its own that could be read.
    if (maker !== undefined && maker.node.name !== 'set') makers.set(name, maker.node);
    super.define({ ...definition, get: this.watch(name, definition.get) });
  }

  override defineFamily({ prefix, member }: VariableFamily<HttpRequest>): void {
    super.defineFamily({
      prefix,
      member: (rest) => {
        const definition = member(rest);
        return { ...definition, get: this.watch(prefix + rest, definition.get) };
      },
    });
  }

  private watch(name: string, get: Get): Get {
    if (this.watchers.has(get)) return get;
    const { trace, makers } = this.watched;
    const watching: Get = (request) => {
      const maker = makers.get(name);
      const step = makeStep('variable', `$${name}`, maker === undefined ? [] : [placeOf(maker)]);
      return trace.frame(
        step,
        request,
        () => get(request),
        (value) => {
          step.text = `$${name} ${value === null ? 'has no value' : `= "${printable(name, value)}"`}`;
          return true;
        },
      );
    };
    this.watchers.add(watching);
    return watching;
  }
}

/** Addresses in bytes are no text. */
function printable(name: string, value: string): string {
  return name.startsWith('binary_') ? Buffer.from(value, 'latin1').toString('hex') : value;
}
