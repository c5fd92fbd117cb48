/*
 * Lines of the command itself, for people, on stderr: stdout belongs to the access log.
 */

/** Prints one line that says who speaks. */
export function say(line: string): void {
  process.stderr.write(`sluice: ${line}\n`);
}
