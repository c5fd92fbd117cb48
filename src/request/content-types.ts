/*
 * Which responses a filter looks at, by their type: what gzip_types, sub_filter_types and their like list.
 */

/** A set of MIME types, or all of them. */
export class ContentTypes {
  /** Null: any type, also none. */
  private readonly types: ReadonlySet<string> | null;

  constructor(types: ReadonlySet<string> | null) {
    this.types = types;
  }

  /** Whether a Content-Type is among them; parameters and case don't matter. */
  has(contentType: string): boolean {
    const { types } = this;
    if (types === null || types.has(contentType)) return true;
    const semicolon = contentType.indexOf(';');
    const type = semicolon < 0 ? contentType : contentType.slice(0, semicolon).trimEnd();
    return types.has(type.toLowerCase());
  }
}
