/*
 * What an argument of a directive is: a label for people and a way to read it. One file of this folder for
 * each kind of value; they say what is wrong with a text but not where it stands.
 */

/** How a text becomes a value. */
export interface ValueType<T> {
  /** For reference pages: `size`, `on | off`. */
  readonly label: string;
  /** The text names a file that must be there when the configuration is checked. */
  readonly mustExist?: boolean;
  /** The value, or why there is none. Never throws. */
  parse(text: string): T | Refusal;
}

/** What `parse` of a type gives when it does not refuse. */
export type ValueOf<Type> = Type extends ValueType<infer T> ? T : never;

/** Why a text is no value of a type. */
export class Refusal {
  /** For people, a whole sentence: `Cannot parse size "10mb": unknown unit "mb"; use k, m or g`. */
  readonly message: string;
  /** In nginx's words, which may need the name of the directive. */
  readonly nginxText: (directive: string) => string;
  /** Where in the text, if it is not about all of it. */
  readonly at: number | null;

  constructor(
    message: string,
    nginxText: (directive: string) => string = invalidValue,
    at: number | null = null,
  ) {
    this.message = message;
    this.nginxText = nginxText;
    this.at = at;
  }
}

/** nginx's words for most values. */
function invalidValue(directive: string): string {
  return `"${directive}" directive invalid value`;
}

/** Reads with a parser that throws an Error for people, as those in core/ do. */
export function refuseErrors<T>(parse: () => T): T | Refusal {
  try {
    return parse();
  } catch (error) {
    return new Refusal((error as Error).message);
  }
}
