/*
 * nginx's http upstream zone module: names the shared memory that a group's state is in.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { optional } from '../../../conf/schema/arguments.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import { size } from '../../../conf/values/size.js';
import { text } from '../../../conf/values/text.js';
import type { HttpModule, UpstreamBuild } from '../../module.js';

const zone = defineDirective({
  name: 'zone',
  syntax: 'zone name [size]',
  contexts: ['upstream'],
  args: [text('name'), optional(size)],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: false,
  summary: "Keeps the group's state in memory that workers share, and lets its servers' names be resolved.",
  since: '0.2.0',
  effect: 'full',
});

/** Eight pages, nginx's least. */
const LEAST_BYTES = 8 * 4096;

export const upstreamZoneModule: HttpModule = {
  name: 'upstream_zone',
  directives: [zone],
  upstream: nameZone,
};

function nameZone(scope: Scope, build: UpstreamBuild): void {
  const [directive] = scope.own(zone);
  if (directive === undefined) return;
  const [name, bytes] = directive.values;
  const [nameWord, sizeWord] = directive.node.args;
  if (name === '') {
    build.report(nameWord!, finding('zone', 'a zone needs a name', null, `invalid zone name "${name}"`));
  } else if (bytes !== undefined && bytes < LEAST_BYTES) {
    const message = `zone "${name}" is too small: ${sizeWord!.text} is less than 32k`;
    build.report(sizeWord!, finding('zone', message, 'use 64k or more', `zone "${name}" is too small`));
  }
  build.plan.zone = toByteString(name);
}
