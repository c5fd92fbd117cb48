/*
 * What a check has found so far: each thing once, and no more of them than anybody would read.
 */
import { type Finding, tooManyErrors } from '../diagnostics/catalogue.js';
import { type Diagnostic, diagnose, type Note } from '../diagnostics/diagnostic.js';
import type { Directive } from '../syntax/ast.js';

const MAX_DIAGNOSTICS = 1000;

export class FindingList {
  readonly diagnostics: Diagnostic[] = [];
  /** What is wrong in a file that is included twice is reported once. */
  readonly #reported = new Set<string>();

  /** Adds what is wrong with a directive; `other` is one that has to do with it. */
  report(directive: Directive, find: () => Finding, other?: Directive): void {
    const notes: Note[] = other ? [{ message: `"${other.name}" stands here`, span: other.word }] : [];
    this.add(() => diagnose(find(), directive.word, directive.headEnd, notes));
  }

  /** Findings are made only while there is room for them: guessing what was meant takes its time. */
  add(make: () => Diagnostic): void {
    if (this.diagnostics.length > MAX_DIAGNOSTICS) return;
    const diagnostic = make();
    const { span, code, message } = diagnostic;
    const key = `${span!.source.name}\0${span!.start}\0${code}\0${message}`;
    if (this.#reported.has(key)) return;
    this.#reported.add(key);
    if (this.diagnostics.length < MAX_DIAGNOSTICS) this.diagnostics.push(diagnostic);
    else this.diagnostics.push(diagnose(tooManyErrors(), span, diagnostic.logOffset));
  }
}
