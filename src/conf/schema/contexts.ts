/*
 * The places where a directive may stand, and what people call them.
 */

const WORDS = {
  main: 'the main part of the file',
  events: '"events"',
  http: '"http"',
  server: '"server"',
  location: '"location"',
  'server if': '"if" in "server"',
  'location if': '"if" in "location"',
  limit_except: '"limit_except"',
  upstream: '"upstream"',
  stream: '"stream"',
  'stream server': '"server" in "stream"',
  'stream upstream': '"upstream" in "stream"',
  mail: '"mail"',
  'mail server': '"server" in "mail"',
} as const;

export type Context = keyof typeof WORDS;

/** `"if" in "server"` */
export function describeContext(context: Context): string {
  return WORDS[context];
}
