/*
 * Dates as HTTP writes them (RFC 9110 section 5.6.7), to and from seconds since 1970.
 */

/** `Sun, 06 Nov 1994 08:49:37 GMT` */
export function formatHttpDate(seconds: number): string {
  return new Date(seconds * 1000).toUTCString();
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Sun, 06 Nov 1994 08:49:37 GMT` */
const FIXED = /^\w+, (\d{2})[ -](\w{3})[ -](\d{4}) (\d{2}):(\d{2}):(\d{2})/;
/** `Sunday, 06-Nov-94 08:49:37 GMT` */
const RFC_850 = /^\w+, (\d{2})-(\w{3})-(\d{2}) (\d{2}):(\d{2}):(\d{2})/;
/** `Sun Nov  6 08:49:37 1994` */
const ASCTIME = /^\w{3} (\w{3}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})/;

/** Seconds since 1970 of any of the three forms; -1 for what is none. */
export function parseHttpDate(text: string): number {
  const fixed = FIXED.exec(text);
  if (fixed !== null) return toSeconds(fixed[3]!, fixed[2]!, fixed[1]!, fixed[4]!, fixed[5]!, fixed[6]!);
  const old = RFC_850.exec(text);
  if (old !== null) {
    const year = Number(old[3]) < 70 ? `20${old[3]}` : `19${old[3]}`;
    return toSeconds(year, old[2]!, old[1]!, old[4]!, old[5]!, old[6]!);
  }
  const asctime = ASCTIME.exec(text);
  if (asctime === null) return -1;
  return toSeconds(asctime[6]!, asctime[1]!, asctime[2]!, asctime[3]!, asctime[4]!, asctime[5]!);
}

function toSeconds(
  year: string,
  month: string,
  day: string,
  hours: string,
  minutes: string,
  seconds: string,
): number {
  const monthIndex = MONTHS.indexOf(month);
  const values = [Number(day), Number(hours), Number(minutes), Number(seconds)] as const;
  if (monthIndex < 0 || values[0] < 1 || values[1] > 23 || values[2] > 59 || values[3] > 59) return -1;
  const ms = Date.UTC(Number(year), monthIndex, ...values);
  // Day 31 of a shorter month is no date.
  return new Date(ms).getUTCDate() === values[0] ? ms / 1000 : -1;
}
