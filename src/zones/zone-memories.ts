/*
 * The shared memory of one configuration by what it is for, so that every worker finds what the others have. Whoever
 * builds the configuration first makes the memory, and hands all of it on.
 */

/** Pieces of memory by their names. */
export type NamedMemories = ReadonlyMap<string, SharedArrayBuffer>;

/** What one configuration uses. */
export class ZoneMemories {
  /** All that was asked for: what lives on after a reload, and what doesn't. */
  private readonly used: Map<string, SharedArrayBuffer>;
  private readonly lasting: Set<string>;
  private readonly given: NamedMemories;

  /** @param given what is there already: of the configuration before, or of the thread that built this one before */
  constructor(given: NamedMemories = new Map()) {
    this.used = new Map();
    this.lasting = new Set();
    this.given = given;
  }

  /**
   * The memory of that name and size, full of zeros when it is new. It begins with the word of its lock, if it has one.
   * @param lasts whether the next configuration takes it over
   */
  get(name: string, bytes: number, lasts: boolean): SharedArrayBuffer {
    const key = `${name} ${bytes}`;
    let memory = this.used.get(key);
    if (memory === undefined) {
      memory = this.given.get(key) ?? new SharedArrayBuffer(bytes);
      this.used.set(key, memory);
    }
    if (lasts) this.lasting.add(key);
    return memory;
  }

  /** For the workers that serve this configuration. */
  get all(): NamedMemories {
    return this.used;
  }

  /** For the next configuration. */
  get carried(): NamedMemories {
    return new Map([...this.used].filter(([key]) => this.lasting.has(key)));
  }
}
