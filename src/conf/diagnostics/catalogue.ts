/*
 * Every finding that there is: its code, a sentence for people, and the words of nginx, which tools match on.
 * Where nginx has no words for it, ours stand in both. What is wrong with a value is worded by its type, in values/.
 */

/** What was found, without the place. */
export interface Finding {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  /** For people: one sentence, without the place. */
  readonly message: string;
  /** What would help, if that is known: `did you mean "proxy_pass"?`. */
  readonly hint: string | null;
  /** As nginx words it, without `in FILE:LINE`. */
  readonly nginxText: string;
}

/** Makes a finding, for rooms that have some of their own. nginx's words are ours unless given. */
export function finding(code: string, message: string, hint: string | null, nginxText = message): Finding {
  return { code, severity: 'error', message, hint, nginxText };
}

// Syntax.

/** A character that nothing can start with here: after a closing quote, or without a directive before it. */
export function unexpectedCharacter(character: string, hint: string | null = null): Finding {
  return finding('unexpected-character', `unexpected "${character}"`, hint);
}

/** A `}` before the directive in front of it was ended. */
export function missingSemicolon(name: string, hint: string): Finding {
  return finding('missing-semicolon', `directive "${name}" does not end`, hint, 'unexpected "}"');
}

export function unclosedQuote(quote: string, isCommandLine: boolean): Finding {
  return finding('unclosed-quote', `this ${quote} is never closed`, null, unexpectedEnd(isCommandLine));
}

function unexpectedEnd(isCommandLine: boolean): string {
  return isCommandLine
    ? 'unexpected end of parameter, expecting ";"'
    : 'unexpected end of file, expecting ";" or "}"';
}

/** The end of the text within a directive. */
export function endInDirective(name: string, isCommandLine: boolean): Finding {
  const message = `the text ends within the directive "${name}"`;
  return finding('end-in-directive', message, 'put a ";" after it', unexpectedEnd(isCommandLine));
}

/** The end of the file within a block. */
export function endInBlock(name: string): Finding {
  const message = `the file ends within the block "${name}"`;
  return finding('end-in-block', message, 'a "}" is missing', 'unexpected end of file, expecting "}"');
}

export function blockInCommandLine(name: string): Finding {
  const nginxText = 'block directives are not supported in -g option';
  return finding('block-in-command-line', `"${name}" has a block, which -g cannot hold`, null, nginxText);
}

/** nginx reads words and comments through a buffer of 4096 bytes. */
export function tooLong(what: string, nginxText: string): Finding {
  const hint = what === 'comment' ? 'break it into several lines' : 'is a closing quote missing?';
  return finding('too-long', `this ${what} is longer than 4096 bytes`, hint, nginxText);
}

export function nestedTooDeep(limit: number): Finding {
  return finding('nested-too-deep', `blocks are nested deeper than ${limit} levels`, null);
}

export function tooManyErrors(): Finding {
  return finding('too-many-errors', 'too many errors; no more are listed', null);
}

// Includes.

/** A file that cannot be read. `reason` is errno in words, `number` the same as a number. */
export function cannotOpen(path: string, reason: string, number: number): Finding {
  const message = `cannot open "${path}": ${reason}`;
  return finding('cannot-open', message, null, `open() "${path}" failed (${number}: ${reason})`);
}

/** What was opened cannot be read: it is a folder. */
export function cannotRead(path: string, reason: string, number: number): Finding {
  const message = `cannot read "${path}": ${reason}`;
  return finding('cannot-read', message, null, `pread() "${path}" failed (${number}: ${reason})`);
}

/** `way` leads from the file around to itself. */
export function includeCycle(way: readonly string[]): Finding {
  return finding('include-cycle', `include cycle: ${way.join(' -> ')}`, null);
}

export function includedTooDeep(limit: number): Finding {
  return finding('included-too-deep', `files include each other deeper than ${limit} levels`, null);
}

// Directives.

/** A name that neither we nor nginx know. */
export function unknownDirective(name: string, hint: string | null): Finding {
  return finding('unknown-directive', `unknown directive "${name}"`, hint);
}

/** A directive of nginx, or of a module for it, that Sluice does not have. */
export function unsupportedDirective(name: string, module: string): Finding {
  const message = `"${name}" directive is not supported by sluice yet`;
  return finding('unsupported-directive', message, `it belongs to ${module}`, message);
}

/** A directive where it has no meaning. The places are named for people. */
export function misplacedDirective(name: string, here: string, allowed: readonly string[]): Finding {
  const message = `"${name}" is not allowed in ${here}`;
  const hint = `it belongs in ${allowed.join(', ')}`;
  return finding('misplaced-directive', message, hint, `"${name}" directive is not allowed here`);
}

/** @param takes what it takes, in words: "one argument" */
export function wrongArgumentCount(name: string, takes: string, given: number, hint: string | null): Finding {
  const message = `"${name}" takes ${takes}, ${given === 0 ? 'none' : given} given`;
  return finding('wrong-argument-count', message, hint, `invalid number of arguments in "${name}" directive`);
}

/** A block for a directive that has none. */
export function notTerminated(name: string, hint: string | null = null): Finding {
  const nginxText = `directive "${name}" is not terminated by ";"`;
  return finding('not-terminated', `"${name}" takes no block`, hint ?? 'end it with ";"', nginxText);
}

/** No block for a directive that needs one. */
export function noOpeningBrace(name: string): Finding {
  const message = `"${name}" needs a block`;
  return finding(
    'no-opening-brace',
    message,
    'follow it with "{ ... }"',
    `directive "${name}" has no opening "{"`,
  );
}

export function duplicateDirective(name: string): Finding {
  const message = `"${name}" stands here twice`;
  return finding('duplicate-directive', message, 'keep one of them', `"${name}" directive is duplicate`);
}

/** Two directives of which a block can have one. */
export function conflictingDirective(name: string, earlier: string): Finding {
  const message = `"${name}" cannot stand beside "${earlier}"`;
  const nginxText = `"${name}" directive is duplicate, "${earlier}" directive was specified earlier`;
  return finding('conflicting-directive', message, 'keep one of them', nginxText);
}

/** A value that is none; both sentences come from its type. */
export function badValue(message: string, nginxText: string, hint: string | null): Finding {
  return finding('bad-value', message, hint, nginxText);
}

/** Includes of includes, each several times, can make much of little. */
export function tooManyDirectives(limit: number): Finding {
  return finding('too-many-directives', `the configuration has more than ${limit} directives`, null);
}

// What later rooms find, in nginx's words.

/** @param where `upstream "a"`, or `"a:80" of the "listen" directive` */
export function hostNotFound(where: string): Finding {
  return finding('host-not-found', `host not found in ${where}`, null);
}
