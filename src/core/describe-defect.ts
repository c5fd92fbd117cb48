/*
 * What code of ours threw and never should have, for a log.
 */

/** Its stack, or what it is in words, on one line: a log has one line an event. */
export function describeDefect(thrown: unknown): string {
  const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return text.replace(/\s*\n\s*/g, ' | ');
}
