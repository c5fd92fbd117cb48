/*
 * sub: texts in answers replaced by others (nginx: ngx_http_sub_module).
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import { flag } from '../../../conf/values/flag.js';
import { variableText } from '../../../conf/values/variable-text.js';
import { BodyFilter } from '../../../request/body-sink.js';
import type { ContentTypes } from '../../../request/content-types.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { RequestText } from '../../../request/location.js';
import { Pieces } from '../../../request/pieces.js';
import type { Response } from '../../../request/response.js';
import { FilterOrder, type ResponseFilter } from '../../../request/response-filter.js';
import type { HttpModule } from '../../module.js';
import { defineTypeList, typesOf } from '../../type-list.js';
import { type FindingReceiver, lowerAscii, PatternSet, Replacer } from './replacer.js';

const LEVELS = ['http', 'server', 'location'] as const;

const subFilter = defineDirective({
  name: 'sub_filter',
  syntax: 'sub_filter string replacement',
  contexts: LEVELS,
  args: [variableText, variableText],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: true,
  summary: 'Replaces a text in answers, letters in either case, by another.',
  since: '0.2.0',
  effect: 'full',
});

const subFilterOnce = defineDirective({
  name: 'sub_filter_once',
  syntax: 'sub_filter_once on | off',
  contexts: LEVELS,
  args: [flag],
  block: null,
  default: 'on',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Whether each text is replaced only where it stands first.',
  since: '0.2.0',
  effect: 'full',
});

const subFilterLastModified = defineDirective({
  name: 'sub_filter_last_modified',
  syntax: 'sub_filter_last_modified on | off',
  contexts: LEVELS,
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Whether answers with replaced texts keep their Last-Modified, and a weak ETag.',
  since: '0.2.0',
  effect: 'full',
});

const subFilterTypes = defineTypeList('sub_filter_types', 'have texts replaced');

/** One text and what replaces it. */
interface Substitution {
  /** In lower case once it is evaluated. */
  readonly pattern: RequestText;
  readonly replacement: RequestText;
}

/** The substitutions of one body: those whose text isn't empty. */
interface Plan {
  readonly set: PatternSet;
  readonly replacements: readonly RequestText[];
}

/** nginx's bound on the number of texts at one level. */
const MAX_TEXTS = 255;

interface SubSettings {
  readonly substitutions: readonly Substitution[];
  readonly isOnce: boolean;
  readonly keepsLastModified: boolean;
  readonly types: ContentTypes;
}

class SubFilter implements ResponseFilter {
  readonly order = FilterOrder.sub;
  readonly isForSubrequests = true;
  private readonly settings: SubSettings;
  /** Made once, where no text has a variable. */
  private readonly plan: Plan | null;

  constructor(settings: SubSettings) {
    this.settings = settings;
    const { substitutions } = settings;
    const isConstant = substitutions.every(({ pattern }) => pattern.constant !== null);
    this.plan = isConstant ? makePlan(substitutions, ({ constant }) => constant!) : null;
  }

  begin(request: HttpRequest, response: Response): BodyFilter | null {
    const { substitutions, isOnce, keepsLastModified, types } = this.settings;
    if (response.contentLength === 0 || !types.has(response.contentType)) return null;
    const plan = this.plan ?? makePlan(substitutions, (pattern) => pattern.evaluate(request));
    if (plan === null) return null;
    if (request.parent === null) {
      response.forgetLength();
      if (keepsLastModified) response.weakenEtag();
      else {
        response.lastModified = -1;
        response.etag = '';
      }
    }
    return response.isHeadOnly ? null : new SubBody(request, plan, isOnce);
  }
}

function makePlan(
  substitutions: readonly Substitution[],
  evaluate: (pattern: RequestText) => string,
): Plan | null {
  const patterns: { text: string }[] = [];
  const replacements: RequestText[] = [];
  for (const { pattern, replacement } of substitutions) {
    const text = lowerAscii(evaluate(pattern));
    if (text === '') continue;
    patterns.push({ text });
    replacements.push(replacement);
  }
  return patterns.length === 0 ? null : { set: new PatternSet(patterns), replacements };
}

/** Replaces in one body. A replacement is evaluated where it is first needed, and then stays. */
class SubBody extends BodyFilter implements FindingReceiver {
  private readonly request: HttpRequest;
  private readonly plan: Plan;
  private readonly replacer: Replacer;
  private readonly evaluated: (Buffer | undefined)[] = [];
  private readonly pieces = new Pieces();
  private isBorrowed = false;

  constructor(request: HttpRequest, plan: Plan, isOnce: boolean) {
    super();
    this.request = request;
    this.plan = plan;
    this.replacer = new Replacer(plan.set, isOnce, this);
  }

  override write(bytes: Buffer, isBorrowed: boolean): void {
    this.isBorrowed = isBorrowed;
    this.replacer.take(bytes);
    this.pieces.sendTo(this.next);
  }

  override end(): void {
    this.isBorrowed = false;
    this.replacer.finish();
    this.pieces.sendTo(this.next);
    this.next.end();
  }

  keep(bytes: Buffer, start: number, end: number): void {
    this.pieces.add(
      start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end),
      this.isBorrowed,
    );
  }

  replace(index: number): void {
    let text = this.evaluated[index];
    if (text === undefined) {
      text = Buffer.from(this.plan.replacements[index]!.evaluate(this.request), 'latin1');
      this.evaluated[index] = text;
    }
    this.pieces.add(text, false);
  }
}

export const subModule: HttpModule = {
  name: 'sub',
  directives: [subFilter, subFilterOnce, subFilterLastModified, subFilterTypes],
  location(scope, build) {
    const placed = scope.all(subFilter);
    if (placed.length === 0) return;
    if (placed.length > MAX_TEXTS) {
      const what = `number of search patterns exceeds ${MAX_TEXTS}`;
      build.report(placed[MAX_TEXTS]!.node, finding('too-many-texts', what, null));
      return;
    }
    const substitutions: Substitution[] = [];
    for (const { node, values } of placed) {
      const [pattern, replacement] = values;
      if (pattern.length === 0) {
        build.report(
          node,
          finding('empty-text', '"sub_filter" has nothing to look for', null, 'empty search pattern'),
        );
        return;
      }
      substitutions.push({
        pattern: build.text(pattern, node.args[0]!),
        replacement: build.text(replacement, node.args[1]!),
      });
    }
    build.addFilter(
      new SubFilter({
        substitutions,
        isOnce: scope.value(subFilterOnce)[0],
        keepsLastModified: scope.value(subFilterLastModified)[0],
        types: typesOf(scope, subFilterTypes),
      }),
    );
  },
};
