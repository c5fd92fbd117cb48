/*
 * What a reader makes of the bytes of a connection, in a form in which two readers can be compared.
 */

export type Fields = [name: string, value: string][];

/** One message. Text is latin1. */
export interface Message {
  /** Method, target and version; or status and reason. */
  start: string;
  fields: Fields;
  /** Payload and trailer section; '' and none when the message isn't whole. */
  body: string;
  trailers: Fields;
  isWhole: boolean;
}

/** How a connection's bytes end: behind whole messages, within one, or where no message can be. */
export type End = 'whole' | 'unfinished' | 'malformed';

/** All that one reader made of the bytes. */
export interface Reading {
  messages: Message[];
  end: End;
  /** Why it ended there; for people, and to tell classes of disagreement apart. */
  why: string;
  /** The bytes of each message's head, from a reader that knows them. */
  heads: string[];
}
