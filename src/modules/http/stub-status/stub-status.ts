/*
 * stub_status: a page with the numbers of client connections and requests, and the same as variables.
 */
import { optional } from '../../../conf/schema/arguments.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import { text } from '../../../conf/values/text.js';
import type { ConnectionActivity } from '../../../request/connection-counts.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { DONE, type Outcome } from '../../../request/phase.js';
import { respond } from '../../../request/send.js';
import type { HttpModule } from '../../module.js';

const stubStatus = defineDirective({
  name: 'stub_status',
  syntax: 'stub_status',
  contexts: ['server', 'location'],
  // Old configurations have `stub_status on`; whatever it says counts for nothing.
  args: [optional(text())],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary: 'Answers with the numbers of connections and requests.',
  since: '0.2.0',
  effect: 'full',
});

const SHOWN: readonly ('active' | keyof typeof ConnectionActivity)[] = [
  'active',
  'reading',
  'writing',
  'waiting',
];

export const stubStatusModule: HttpModule = {
  name: 'stub_status',
  directives: [stubStatus],
  variables(table) {
    for (const what of SHOWN) {
      const get = ({ context }: HttpRequest) => String(context.connections[what]);
      table.define({ name: `connections_${what}`, get });
    }
  },
  location(scope, build) {
    if (scope.has(stubStatus)) build.setContent(showStatus);
  },
};

function showStatus(request: HttpRequest): Outcome {
  if (request.method !== 'GET' && request.method !== 'HEAD') return 405;
  const { accepted, requests, active, reading, writing, waiting } = request.context.connections;
  const page =
    `Active connections: ${active} \nserver accepts handled requests\n ${accepted} ${accepted} ${requests} \n` +
    `Reading: ${reading} Writing: ${writing} Waiting: ${waiting} \n`;
  respond(request, 200, 'text/plain', page);
  return DONE;
}
