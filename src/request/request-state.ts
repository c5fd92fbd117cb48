/*
 * What a module remembers of one request: a slot of its own, empty when a request begins and, as in nginx, after an
 * internal redirect. What has to last longer is kept for the client's request and all that comes of it.
 */

let slotCount = 0;

/** Whose slots these are. */
export interface StateHolder {
  /** By slot; undefined where nothing was set. */
  readonly states: unknown[];
}

/** One module's slot. Made once, when the module is loaded. */
export class RequestState<T> {
  readonly #slot: number;

  constructor() {
    this.#slot = slotCount++;
  }

  /** What was set; undefined before. */
  of(request: StateHolder): T | undefined {
    return request.states[this.#slot] as T | undefined;
  }

  set(request: StateHolder, value: T): void {
    request.states[this.#slot] = value;
  }
}

/** Whose slots those are that last: every request has the client's as its `main`. */
export interface LastingStateHolder {
  /** By slot; undefined where nothing was set. */
  readonly main: { readonly lastingStates: unknown[] };
}

let lastingSlotCount = 0;

/** One module's slot for a client's request: its redirects and subrequests share it. Made once, as above. */
export class LastingState<T> {
  readonly #slot: number;

  constructor() {
    this.#slot = lastingSlotCount++;
  }

  /** What was set; undefined before. */
  of(request: LastingStateHolder): T | undefined {
    return request.main.lastingStates[this.#slot] as T | undefined;
  }

  set(request: LastingStateHolder, value: T): void {
    request.main.lastingStates[this.#slot] = value;
  }
}
