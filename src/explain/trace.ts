/*
 * The record of a request while it is served for an explanation: steps, each with what happened during it. Who is
 * watched says so by `frame` and `note`; nothing is known here of what it means.
 */
import type { Directive } from '../conf/syntax/ast.js';
import type { HttpRequest } from '../request/http-request.js';
import type { Place, Step, StepKind } from './explanation.js';

/** A step while it is written. */
export interface OpenStep extends Step {
  text: string;
  result?: 'won' | 'lost' | 'not tried';
  readonly places: Place[];
  readonly details: OpenStep[];
}

export function makeStep(kind: StepKind, text: string, places: readonly Place[] = []): OpenStep {
  return { kind, text, places: [...places], details: [] };
}

/** Where a directive stands, and how it reads. */
export function placeOf({ word, name, args }: Directive): Place {
  const { source, start } = word;
  let directive = name;
  let { end } = word;
  for (const arg of args) {
    // What stands behind a quote without a blank is a word of its own, such as the end of `if ($x ~ "y")`.
    directive += arg.start === end && end > 0 ? arg.raw : ` ${arg.raw}`;
    end = arg.end;
  }
  directive = directive.replace(/\s+/g, ' ');
  return { file: source.name, ...source.positionAt(start), directive };
}

/** Of one client's request and its subrequests. */
export class Trace {
  readonly steps: OpenStep[] = [];
  /** Where steps of each request go; the client's are the whole's. */
  private readonly lists: WeakMap<HttpRequest, OpenStep[]> = new WeakMap();
  private open: OpenStep[] | null = null;
  private request: HttpRequest | null = null;
  private isSilent = false;

  /** The request that what happens now is about; null between two. */
  get current(): HttpRequest | null {
    return this.request;
  }

  /** Adds a step to what is open, or to the request's own ones. What was said there already is left out. */
  note(step: OpenStep): void {
    if (this.isSilent) return;
    const list = this.list;
    if (!isRepeated(step, list)) list.push(step);
  }

  /**
   * Runs something as a step; what happens meanwhile becomes its details. `done` fills in how it ended, and says whether
   * the step says anything: it is left out else.
   */
  frame<T>(step: OpenStep, request: HttpRequest, run: () => T, done: (result: T) => boolean): T {
    if (this.isSilent) return run();
    const { open, request: before } = this;
    const list = request === before && open !== null ? open : this.listOf(request);
    list.push(step);
    this.open = step.details;
    this.request = request;
    try {
      const result = run();
      const isKept = this.silently(() => done(result));
      if (!isKept || isRepeated(step, list)) list.splice(list.lastIndexOf(step), 1);
      return result;
    } finally {
      this.open = open;
      this.request = before;
    }
  }

  /** What follows is about `request`, and no detail of what is open: it begins, or begins anew. */
  focus(request: HttpRequest): void {
    this.open = this.listOf(request);
    this.request = request;
  }

  /** A subrequest begins: its steps are details of one step of its parent's. */
  beginSubrequest(request: HttpRequest, step: OpenStep): void {
    this.listOf(request.parent!).push(step);
    this.lists.set(request, step.details);
  }

  /** Reads something without recording that. */
  silently<T>(read: () => T): T {
    const before = this.isSilent;
    this.isSilent = true;
    try {
      return read();
    } finally {
      this.isSilent = before;
    }
  }

  private get list(): OpenStep[] {
    return this.open ?? this.steps;
  }

  private listOf(request: HttpRequest): OpenStep[] {
    return this.lists.get(request) ?? this.steps;
  }
}

/** Whether a step that only tells of a fact says what another in the list has said. */
function isRepeated(step: Step, list: readonly Step[]): boolean {
  if (!FACTS.has(step.kind)) return false;
  const text = JSON.stringify(step);
  return list.some((other) => other !== step && JSON.stringify(other) === text);
}

const FACTS: ReadonlySet<StepKind> = new Set(['variable', 'match', 'file', 'log']);
