/*
 * dashboard: a page that shows what the server does while it does it. nginx has no such directive; NGINX Plus's page is
 * a file beside its API.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { parameters } from '../../../conf/schema/arguments.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import { flag } from '../../../conf/values/flag.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { DONE, type Outcome, type PhaseHandler } from '../../../request/phase.js';
import { respond, sendRedirect } from '../../../request/send.js';
import { API } from '../../api-calls.js';
import { locationName } from '../../location-name.js';
import type { HttpModule } from '../../module.js';
import { bundledFile } from './bundle.js';
import { OBSERVER, Observer } from './observer.js';
import { type Shown, writeSnapshot } from './snapshot.js';
import { whyNot } from './visitors.js';

const dashboard = defineDirective({
  name: 'dashboard',
  syntax: 'dashboard [write=on|off] [remote=on|off]',
  contexts: ['location'],
  args: [parameters({ write: flag, remote: flag })],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: false,
  summary:
    'Answers with a page that shows requests, upstreams and what is slow or fails, live; to clients of this machine alone unless remote=on.',
  since: '0.2.0',
  effect: 'full',
});

export const dashboardModule: HttpModule = {
  name: 'dashboard',
  directives: [dashboard],
  declare(directives, build) {
    if (directives.length > 0) build.shared(OBSERVER).current = Observer.of(build);
  },
  location(scope, build) {
    const observer = build.shared(OBSERVER).current;
    if (observer === null) return;
    const [directive] = scope.own(dashboard);
    if (directive === undefined) {
      build.addHandler('log', observer.watcher(locationName(scope) ?? '-'));
      return;
    }
    if (build.kind !== 'prefix') {
      const message = 'a dashboard has several files, which this location has no room for';
      build.report(directive.node, finding('location', message, 'put it into: location /dashboard/ { }'));
      return;
    }
    const [{ write = false, remote = false }] = directive.values;
    const { upstreams, worker, path } = build;
    const shown = { observer, upstreams, workers: worker.count, mayWrite: write };
    const folder = path.replace(/\/$/, '');
    const api = build
      .shared(API)
      .make?.(build, { mayWrite: write, pathLength: `${folder}/${API_FOLDER}`.length });
    const page = new Dashboard(shown, folder, remote, api ?? null);
    build.setContent(build.step(directive.node, (request) => page.answer(request)));
  },
};

/** Below the page: calls of the API, for what it changes. */
const API_FOLDER = 'api/';

/** Everything comes from here, and nothing shows the page as its own. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

class Dashboard {
  private readonly shown: Shown;
  /** Without a slash at its end. */
  private readonly folder: string;
  private readonly isForAll: boolean;
  private readonly api: PhaseHandler | null;

  constructor(shown: Shown, folder: string, isForAll: boolean, api: PhaseHandler | null) {
    this.shown = shown;
    this.folder = folder;
    this.isForAll = isForAll;
    this.api = api;
  }

  answer(request: HttpRequest): Outcome | Promise<Outcome> {
    const { fields } = request.response;
    // What a proxy says of its client counts for nothing: whoever forwards to here shows it on purpose.
    const why = this.isForAll ? null : whyNot(request.client.remoteAddress, request.host);
    fields.set('X-Content-Type-Options', 'nosniff');
    fields.set('Content-Security-Policy', POLICY);
    fields.set('Cross-Origin-Resource-Policy', 'same-origin');
    fields.set('Referrer-Policy', 'no-referrer');
    fields.set('Cache-Control', 'no-store');
    if (why !== null) return send(request, 403, 'text/plain; charset=utf-8', refusal(why));
    const { path } = request;
    const name = path.slice(this.folder.length + 1);
    if (path.length > this.folder.length && path[this.folder.length] !== '/') return 404;
    if (this.api !== null && name.startsWith(API_FOLDER)) return this.api(request);
    if (request.method !== 'GET' && request.method !== 'HEAD') return 405;
    if (path === this.folder) {
      // Its files are asked for by names that are relative to the folder.
      sendRedirect(request, 301, `${path}/`);
      return DONE;
    }
    if (name === 'data') return send(request, 200, 'application/json', writeSnapshot(request, this.shown));
    const file = bundledFile(name === '' ? 'index.html' : name);
    if (file === undefined) return 404;
    fields.set('Cache-Control', 'no-cache');
    request.response.etag = file.etag;
    return send(request, 200, file.type, file.text);
  }
}

function send(request: HttpRequest, status: number, type: string, text: string): Outcome {
  respond(request, status, type, text);
  return DONE;
}

function refusal(why: string): string {
  return `This dashboard can't be shown: ${why}.\nWhoever runs the server can show it to others too, with "dashboard remote=on" and rules that say to whom.\n`;
}
