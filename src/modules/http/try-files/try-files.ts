/*
 * try_files: the first file or folder of a list that is there becomes the request's; if none is, it goes elsewhere.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { rest } from '../../../conf/schema/arguments.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Placed } from '../../../conf/schema/scope.js';
import { type TextPart, variableText } from '../../../conf/values/variable-text.js';
import { logErrorOf } from '../../../request/error-line.js';
import { FileFailure, testFile } from '../../../request/file-access.js';
import { documentRoot, filePath } from '../../../request/file-path.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { redirectInternally, redirectToNamed } from '../../../request/lifecycle.js';
import { DECLINED, DONE, type Outcome, type PhaseHandler } from '../../../request/phase.js';
import type { Text } from '../../../variables/text.js';
import type { HttpModule, LocationBuild } from '../../module.js';

const tryFiles = defineDirective({
  name: 'try_files',
  syntax: 'try_files file ... uri | =code',
  contexts: ['server', 'location'],
  args: [rest(variableText, 2)],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: false,
  summary: 'Uses the first file, or folder (file/), that is there; else goes to the last argument.',
  since: '0.2.0',
  effect: 'full',
});

export const tryFilesModule: HttpModule = {
  name: 'try_files',
  directives: [tryFiles],
  location(scope, build) {
    const [directive] = scope.own(tryFiles);
    if (directive !== undefined) build.addHandler('precontent', compile(directive, build));
  },
};

/** A file to be looked for, or the place to go at last. */
interface Candidate {
  readonly text: Text<HttpRequest>;
  readonly isFolder: boolean;
}

function compile({ values, node }: Placed<typeof tryFiles.args>, build: LocationBuild): PhaseHandler {
  const all = values.map((parts, i): Candidate => {
    const isFolder = i < values.length - 1 && node.args[i]!.text.endsWith('/');
    return { text: build.text(isFolder ? withoutSlash(parts) : parts, node.args[i]!), isFolder };
  });
  const last = all[all.length - 1]!;
  const candidates = all.slice(0, -1);
  const lastWord = node.args[values.length - 1]!;
  if (!lastWord.text.startsWith('=')) return (request) => tryAll(request, candidates, last);
  const code = /^=\d+$/.test(lastWord.text) ? Number(lastWord.text.slice(1)) : 1000;
  if (code > 999) {
    const message = `Cannot take "${lastWord.text}": use =404 or another status`;
    build.report(lastWord, finding('invalid-code', message, null, `invalid code "${lastWord.text}"`));
  }
  return (request) => tryAll(request, candidates, code);
}

function withoutSlash(parts: readonly TextPart[]): readonly TextPart[] {
  const last = parts[parts.length - 1]!;
  const others = parts.slice(0, -1);
  if (last.kind !== 'literal' || last.text === '/') return others;
  return [...others, { kind: 'literal', text: last.text.slice(0, -1) }];
}

function tryAll(request: HttpRequest, candidates: readonly Candidate[], last: Candidate | number): Outcome {
  // Tells whether the alias can be used, and logs if not.
  if (filePath(request) === null) return 500;
  const root = documentRoot(request);
  for (const candidate of candidates) {
    const name = nameOf(request, candidate);
    const found = testFile(request, root + name);
    if (found instanceof FileFailure) {
      if (!found.isNotFound) logErrorOf(request, 'crit', found.message);
    } else if (found.isDirectory === candidate.isFolder) {
      useFile(request, name, candidate.isFolder);
      return DECLINED;
    }
  }
  if (typeof last === 'number') return last === 0 ? 404 : last;
  const target = nameOf(request, last);
  if (target.startsWith('@')) redirectToNamed(request, target);
  else {
    const mark = target.indexOf('?');
    if (mark < 0) redirectInternally(request, target, '');
    else redirectInternally(request, target.slice(0, mark), target.slice(mark + 1));
  }
  return DONE;
}

/** What to look for below root or alias. Of a text with variables an alias's own path is taken away, as in nginx. */
function nameOf(request: HttpRequest, { text }: Candidate): string {
  if (text.constant !== null) return text.constant;
  const name = text.evaluate(request);
  const { isAlias, aliasLength } = request.location.settings;
  if (!isAlias || aliasLength === Number.POSITIVE_INFINITY) return name;
  const replaced = request.path.slice(0, aliasLength);
  return name.startsWith(replaced) ? name.slice(aliasLength) : name;
}

function useFile(request: HttpRequest, name: string, isFolder: boolean): void {
  const { isAlias, aliasLength } = request.location.settings;
  if (!isAlias) request.path = name;
  else if (aliasLength !== Number.POSITIVE_INFINITY) {
    request.path = request.path.slice(0, aliasLength) + name;
  } else if (!isFolder) {
    request.path = name;
    request.addsPathToAlias = true;
  }
}
