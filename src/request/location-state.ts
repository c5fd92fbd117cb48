/*
 * What a module keeps of a location for its variables, which are the same everywhere and ask where the request is.
 */
import type { Location } from './location.js';

/** One module's settings by location. Made once, when the module is loaded. */
export class LocationState<T> {
  readonly #values: WeakMap<Location, T> = new WeakMap();

  /** What was set when the location was built; undefined for nothing. */
  of({ location }: { readonly location: Location }): T | undefined {
    return this.#values.get(location);
  }

  set({ location }: { readonly location: Location }, value: T): void {
    this.#values.set(location, value);
  }
}
