/*
 * The directives of the userid module, as data.
 */
import { rest } from '../../../conf/schema/arguments.js';
import { lineDirectives } from '../../../conf/schema/definition.js';
import { keyword } from '../../../conf/values/keyword.js';
import { number } from '../../../conf/values/number.js';
import { oneOf } from '../../../conf/values/one-of.js';
import { text } from '../../../conf/values/text.js';
import { wholeSecondsMs } from '../../../conf/values/time.js';
import { Refusal, type ValueType } from '../../../conf/values/value-type.js';

const simple = lineDirectives(['http', 'server', 'location']);

const markCharacter: ValueType<string> = {
  label: 'letter | digit | =',
  parse: (value) =>
    /^[A-Za-z0-9=]$/.test(value)
      ? value
      : new Refusal(
          `Cannot take mark "${value}": use off, a letter, a digit or =`,
          (directive) => `"${directive}" directive value must be "off" or a single letter, digit or "="`,
        ),
};

export const userid = simple(
  'userid',
  'on | v1 | log | off',
  [keyword('off', 'log', 'v1', 'on')],
  'off',
  'Gives each browser a cookie with a number of its own, or only reads it.',
);

export const useridService = simple(
  'userid_service',
  'number',
  [number({ max: 0xffff_ffff })],
  null,
  'The number of the server within the cookie; by default its address, with v1 zero.',
);

export const useridName = simple('userid_name', 'name', [text('name')], 'uid', 'The name of the cookie.');

export const useridDomain = simple(
  'userid_domain',
  'name | none',
  [text('name | none')],
  'none',
  'The Domain of the cookie.',
);

export const useridPath = simple('userid_path', 'path', [text('path')], '/', 'The Path of the cookie.');

export const useridExpires = simple(
  'userid_expires',
  'time | max | off',
  [oneOf(keyword('max', 'off'), wholeSecondsMs)],
  'off',
  'How long browsers keep the cookie; "off": until they are closed.',
);

export const useridFlags = simple(
  'userid_flags',
  'off | flag ...',
  [rest(keyword('off', 'secure', 'httponly', 'samesite=strict', 'samesite=lax', 'samesite=none'), 1)],
  'off',
  'Flags of the cookie.',
);

export const useridP3p = simple(
  'userid_p3p',
  'text | none',
  [text('text | none')],
  'none',
  'A P3P field to be sent with the cookie.',
);

export const useridMark = simple(
  'userid_mark',
  'letter | digit | = | off',
  [oneOf(keyword('off'), markCharacter)],
  'off',
  'Marks cookies: one without the mark is sent anew with the same number.',
);
