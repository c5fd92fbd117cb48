/*
 * metrics: answers with numbers about all that is served, for Prometheus. nginx has no such directive.
 */
import { defineDirective } from '../../../conf/schema/definition.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { DONE, type Outcome } from '../../../request/phase.js';
import { respond } from '../../../request/send.js';
import type { UpstreamTarget } from '../../../upstream/upstream-target.js';
import type { HttpModule } from '../../module.js';
import { writeExposition } from './exposition.js';
import { makeFamilies } from './families.js';
import { ROUTES, type Routes } from './routes.js';
import { WorkerHealth } from './worker-health.js';

const metrics = defineDirective({
  name: 'metrics',
  syntax: 'metrics',
  contexts: ['server', 'location'],
  args: [],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: false,
  summary: 'Answers with metrics of all servers, locations and upstreams in the format of Prometheus.',
  since: '0.2.0',
  effect: 'full',
});

export const metricsModule: HttpModule = {
  name: 'metrics',
  directives: [metrics],
  declare(directives, build) {
    if (directives.length > 0) build.shared(ROUTES).health = new WorkerHealth(build);
  },
  location(scope, build) {
    const routes = build.shared(ROUTES);
    const { health } = routes;
    if (health === null) return;
    routes.watch(scope, build);
    if (!scope.has(metrics)) return;
    const page = new MetricsPage(routes, build.upstreams, health);
    build.setContent((request) => page.answer(request));
  },
};

class MetricsPage {
  private readonly routes: Routes;
  private readonly upstreams: ReadonlyMap<string, UpstreamTarget>;
  private readonly health: WorkerHealth;

  constructor(routes: Routes, upstreams: ReadonlyMap<string, UpstreamTarget>, health: WorkerHealth) {
    this.routes = routes;
    this.upstreams = upstreams;
    this.health = health;
  }

  answer(request: HttpRequest): Outcome | Promise<Outcome> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return 405;
    return this.show(request);
  }

  private async show(request: HttpRequest): Promise<Outcome> {
    const { routes, upstreams, health } = this;
    const { turn } = request;
    const families = makeFamilies({ context: request.context, routes, upstreams, health });
    const { contentType, text } = await writeExposition(families, request.field('accept') ?? '');
    if (request.isOver || request.turn !== turn) return DONE;
    respond(request, 200, contentType, text);
    return DONE;
  }
}
