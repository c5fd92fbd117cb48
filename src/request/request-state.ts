/*
 * What a module remembers of one request: a slot of its own, empty when a request begins and, as in nginx, after an
 * internal redirect.
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
