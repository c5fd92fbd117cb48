/*
 * What makes a browser modern or old, by what it calls itself. The browsers are those that nginx knows.
 */

/** Where a browser says what it is: its mark is looked for behind `skip` bytes, the version is behind it. */
interface Browser {
  readonly name: string;
  readonly skip: number;
  readonly mark: string;
  /** Bytes from the beginning of the mark to the version. */
  readonly versionAt: number;
}

/** In the order they are tried: Opera calls itself others too, so it comes first. */
export const BROWSERS: readonly Browser[] = [
  { name: 'opera', skip: 0, mark: 'Opera', versionAt: 6 },
  { name: 'msie', skip: 25, mark: 'MSIE ', versionAt: 5 },
  { name: 'gecko', skip: 13, mark: 'rv:', versionAt: 3 },
  { name: 'safari', skip: 13, mark: 'Safari/', versionAt: 7 },
  { name: 'konqueror', skip: 25, mark: 'Konqueror/', versionAt: 10 },
];

/** One of BROWSERS, and from which version on it is modern. */
export interface ModernBrowser {
  readonly index: number;
  readonly version: number;
}

export interface BrowserRules {
  readonly modern: readonly ModernBrowser[];
  readonly isUnlistedModern: boolean;
  /** Texts in what old browsers call themselves. */
  readonly ancient: readonly string[];
  readonly isNetscape4Ancient: boolean;
}

/** Parts of a version are worth a hundredth of the one before. */
const FIRST_PART = 1_000_000;

/** A version as a number that can be compared; null for what is none. */
export function parseVersion(text: string): number | null {
  if (!/^[\d.]*$/.test(text)) return null;
  return text.split('.').reduce((sum, part, i) => sum + Number(part) * Math.trunc(FIRST_PART / 100 ** i), 0);
}

/** `userAgent` is null when the client sent none. */
export function isModern(rules: BrowserRules, userAgent: string | null): boolean {
  const { modern, isUnlistedModern } = rules;
  if (userAgent === null) return isUnlistedModern;
  if (modern.length > 0) {
    const version = knownVersion(modern, userAgent);
    if (version !== null) return version;
    if (!isUnlistedModern) return false;
  }
  if (rules.isNetscape4Ancient && /^Mozilla\/[1-4]/.test(userAgent) && userAgent.length > 13) return false;
  if (rules.ancient.some((text) => userAgent.includes(text))) return false;
  return isUnlistedModern;
}

/** Whether the version of the first browser that is found is modern; null if none is. */
function knownVersion(modern: readonly ModernBrowser[], userAgent: string): boolean | null {
  for (const [index, { skip, mark, versionAt }] of BROWSERS.entries()) {
    const rules = modern.filter((rule) => rule.index === index);
    // What calls itself Opera is no other browser, whether Opera was named or not.
    if (rules.length === 0 && index > 0) continue;
    const at = userAgent.indexOf(mark, skip);
    if (at < 0 || at + versionAt >= userAgent.length) continue;
    const [text] = /^[\d.]*/.exec(userAgent.slice(at + versionAt))!;
    return rules.length > 0 && parseVersion(text)! >= rules[0]!.version;
  }
  return null;
}
