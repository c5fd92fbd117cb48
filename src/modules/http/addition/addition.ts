/*
 * addition: the answers of other locations before and behind an answer (nginx: ngx_http_addition_filter_module).
 */
import { defineDirective } from '../../../conf/schema/definition.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import { text } from '../../../conf/values/text.js';
import { BodyFilter } from '../../../request/body-sink.js';
import type { ContentTypes } from '../../../request/content-types.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { Response } from '../../../request/response.js';
import { FilterOrder, type ResponseFilter } from '../../../request/response-filter.js';
import { startSubrequest } from '../../../request/subrequest.js';
import type { HttpModule } from '../../module.js';
import { defineTypeList, typesOf } from '../../type-list.js';

const LEVELS = ['http', 'server', 'location'] as const;

const addBeforeBody = defineDirective({
  name: 'add_before_body',
  syntax: 'add_before_body uri',
  contexts: LEVELS,
  args: [text('uri')],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Puts the answer of another location before this one; "" cancels what was inherited.',
  since: '0.2.0',
  effect: 'full',
});

const addAfterBody = defineDirective({
  name: 'add_after_body',
  syntax: 'add_after_body uri',
  contexts: LEVELS,
  args: [text('uri')],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Puts the answer of another location behind this one; "" cancels what was inherited.',
  since: '0.2.0',
  effect: 'full',
});

const additionTypes = defineTypeList('addition_types', 'get something before or behind them');

class AdditionFilter implements ResponseFilter {
  readonly order = FilterOrder.addition;
  readonly isForSubrequests = false;
  readonly makesSubrequests = true;
  private readonly before: string;
  private readonly after: string;
  private readonly types: ContentTypes;

  /** Paths; '' for nothing. */
  constructor(before: string, after: string, types: ContentTypes) {
    this.before = before;
    this.after = after;
    this.types = types;
  }

  begin(request: HttpRequest, response: Response): BodyFilter | null {
    if (response.status !== 200 || !this.types.has(response.contentType)) return null;
    response.forgetLength();
    response.weakenEtag();
    return response.isHeadOnly ? null : new AdditionBody(request, this.before, this.after);
  }
}

/** Begins the subrequests when there is something to put them before and behind. */
class AdditionBody extends BodyFilter {
  private readonly request: HttpRequest;
  private readonly before: string;
  private readonly after: string;
  private isBegun = false;

  constructor(request: HttpRequest, before: string, after: string) {
    super();
    this.request = request;
    this.before = before;
    this.after = after;
  }

  override write(bytes: Buffer, isBorrowed: boolean): void {
    if (!this.isBegun) this.begin();
    this.next.write(bytes, isBorrowed);
  }

  override end(): void {
    if (!this.isBegun) this.begin();
    this.next.end();
  }

  private begin(): void {
    this.isBegun = true;
    const { request, before, after } = this;
    if (before !== '') startSubrequest(request, before, '', { body: 'part' });
    if (after === '') return;
    // Filters between here and there may hold the last bytes of the body itself.
    request.postponer!.beforeEnd(() => startSubrequest(request, after, '', { body: 'part' }));
  }
}

export const additionModule: HttpModule = {
  name: 'addition',
  directives: [addBeforeBody, addAfterBody, additionTypes],
  location(scope, build) {
    const before = toByteString(scope.find(addBeforeBody)?.values[0] ?? '');
    const after = toByteString(scope.find(addAfterBody)?.values[0] ?? '');
    if (before === '' && after === '') return;
    build.addFilter(new AdditionFilter(before, after, typesOf(scope, additionTypes)));
  },
};
