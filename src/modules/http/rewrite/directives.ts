/*
 * The directives of the rewrite module, as data.
 */
import { optional, rest } from '../../../conf/schema/arguments.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import { flag } from '../../../conf/values/flag.js';
import { regex } from '../../../conf/values/regex.js';
import { text } from '../../../conf/values/text.js';
import { Refusal, type ValueType } from '../../../conf/values/value-type.js';
import { type TextPart, variableText } from '../../../conf/values/variable-text.js';

const PLACES = ['server', 'location', 'server if', 'location if'] as const;
const SETTING_PLACES = ['http', 'server', 'location', 'server if', 'location if'] as const;

export const rewriteRule = defineDirective({
  name: 'rewrite',
  syntax: 'rewrite regex replacement [last | break | redirect | permanent]',
  contexts: PLACES,
  args: [regex(), variableText, optional(text('last | break | redirect | permanent'))],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary: 'Changes the path of a request that matches, or redirects it.',
  since: '0.2.0',
  effect: 'full',
});

/** A code, or where to redirect to. */
export type ReturnTarget = { readonly code: number } | { readonly url: readonly TextPart[] };

const returnTarget: ValueType<ReturnTarget> = {
  label: 'code | url',
  parse(value) {
    if (/^\d+$/.test(value) && Number(value) <= 999) return { code: Number(value) };
    if (isUrl(value)) {
      const url = variableText.parse(value);
      return url instanceof Refusal ? url : { url };
    }
    return new Refusal(
      `Cannot take return code "${value}": use a status such as 404, or a URL with http:// or https://`,
      () => `invalid return code "${value}"`,
    );
  },
};

/** Whether a text is a URL rather than a path; $scheme stands for one's beginning. */
export function isUrl(value: string): boolean {
  return /^(?:https?:\/\/|\$scheme)/.test(value);
}

export const returnAnswer = defineDirective({
  name: 'return',
  syntax: 'return code [text | url] | url',
  contexts: PLACES,
  args: [returnTarget, optional(variableText)],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary: 'Answers at once: with a text, a redirect or the page of an error; 444 closes without an answer.',
  since: '0.2.0',
  effect: 'full',
});

export const setVariable = defineDirective({
  name: 'set',
  syntax: 'set $variable value',
  contexts: PLACES,
  args: [text('$variable'), variableText],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary: 'Gives a variable a value, for the rest of the request.',
  since: '0.2.0',
  effect: 'full',
});

export const ifBlock = defineDirective({
  name: 'if',
  syntax: 'if (condition) { ... }',
  contexts: ['server', 'location'],
  args: [rest(text('condition'), 1)],
  block: { opens: { server: 'server if', location: 'location if' } },
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary: 'What holds for requests for which a condition is true.',
  since: '0.2.0',
  effect: 'full',
});

export const breakOff = defineDirective({
  name: 'break',
  syntax: 'break',
  contexts: PLACES,
  args: [],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary: 'Ends the directives of the rewrite module for this level.',
  since: '0.2.0',
  effect: 'full',
});

export const rewriteLog = defineDirective({
  name: 'rewrite_log',
  syntax: 'rewrite_log on | off',
  contexts: SETTING_PLACES,
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Tells of every match of a regular expression in the error log, at level notice.',
  since: '0.2.0',
  effect: 'full',
});

export const uninitializedVariableWarn = defineDirective({
  name: 'uninitialized_variable_warn',
  syntax: 'uninitialized_variable_warn on | off',
  contexts: SETTING_PLACES,
  args: [flag],
  block: null,
  default: 'on',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Warns of a variable of "set" that is read before it has a value.',
  since: '0.2.0',
  effect: 'full',
});
