/*
 * Times by a format as C's strftime takes it, in the C locale, for who must print what a configuration or a page asks
 * for.
 */

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const DAY_MS = 86_400_000;

/** `date` by `format`, in UTC (called GMT) or the machine's own time zone. An unknown conversion stays as it is. */
export function formatTime(format: string, date: Date, isGmt: boolean): string {
  // A date whose UTC fields read what the clock on the wall does.
  const offsetMinutes = isGmt ? 0 : -date.getTimezoneOffset();
  const shown = new Date(date.getTime() + offsetMinutes * 60_000);
  return format.replace(/%[EO]?([A-Za-z%])/g, (whole: string, letter: string) => {
    const compound = COMPOUND[letter];
    if (compound !== undefined) return formatTime(compound, date, isGmt);
    switch (letter) {
      case 's':
        return String(Math.floor(date.getTime() / 1000));
      case 'z':
        return formatOffset(offsetMinutes);
      case 'Z':
        return isGmt ? 'GMT' : zoneName(date);
      default:
        return convert(letter, shown) ?? whole;
    }
  });
}

const COMPOUND: Readonly<Record<string, string>> = {
  c: '%a %b %e %H:%M:%S %Y',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  r: '%I:%M:%S %p',
  R: '%H:%M',
  T: '%H:%M:%S',
  x: '%m/%d/%y',
  X: '%H:%M:%S',
};

function convert(letter: string, date: Date): string | null {
  const hours = date.getUTCHours();
  const day = date.getUTCDay();
  const year = date.getUTCFullYear();
  switch (letter) {
    case 'a':
      return DAYS[day]!.slice(0, 3);
    case 'A':
      return DAYS[day]!;
    case 'b':
    case 'h':
      return MONTHS[date.getUTCMonth()]!.slice(0, 3);
    case 'B':
      return MONTHS[date.getUTCMonth()]!;
    case 'C':
      return pad(Math.floor(year / 100), 2);
    case 'd':
      return pad(date.getUTCDate(), 2);
    case 'e':
      return pad(date.getUTCDate(), 2, ' ');
    case 'g':
      return pad(isoWeek(date).year % 100, 2);
    case 'G':
      return String(isoWeek(date).year);
    case 'H':
      return pad(hours, 2);
    case 'I':
      return pad(hours % 12 || 12, 2);
    case 'j':
      return pad(dayOfYear(date) + 1, 3);
    case 'k':
      return pad(hours, 2, ' ');
    case 'l':
      return pad(hours % 12 || 12, 2, ' ');
    case 'm':
      return pad(date.getUTCMonth() + 1, 2);
    case 'M':
      return pad(date.getUTCMinutes(), 2);
    case 'n':
      return '\n';
    case 'p':
      return hours < 12 ? 'AM' : 'PM';
    case 'P':
      return hours < 12 ? 'am' : 'pm';
    case 'S':
      return pad(date.getUTCSeconds(), 2);
    case 't':
      return '\t';
    case 'u':
      return String(day || 7);
    case 'U':
      return pad(Math.floor((dayOfYear(date) + 7 - day) / 7), 2);
    case 'V':
      return pad(isoWeek(date).week, 2);
    case 'w':
      return String(day);
    case 'W':
      return pad(Math.floor((dayOfYear(date) + 7 - ((day + 6) % 7)) / 7), 2);
    case 'y':
      return pad(year % 100, 2);
    case 'Y':
      return String(year);
    case '%':
      return '%';
    default:
      return null;
  }
}

function pad(value: number, width: number, fill = '0'): string {
  return String(value).padStart(width, fill);
}

/** From 0. */
function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MS);
}

/** ISO 8601: weeks begin on Monday, and belong to the year that has their Thursday. */
function isoWeek(date: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(date.getTime() + (3 - ((date.getUTCDay() + 6) % 7)) * DAY_MS);
  return { year: thursday.getUTCFullYear(), week: Math.floor(dayOfYear(thursday) / 7) + 1 };
}

function formatOffset(minutes: number): string {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${pad(Math.floor(size / 60), 2)}${pad(size % 60, 2)}`;
}

function zoneName(date: Date): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(date);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
}
