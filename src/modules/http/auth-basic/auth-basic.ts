/*
 * nginx's auth_basic: who may pass must know the password of a user in a file.
 */
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { variableText } from '../../../conf/values/variable-text.js';
import { describeErrno } from '../../../core/errno.js';
import { basicCredentials } from '../../../request/basic-credentials.js';
import { logErrorOf } from '../../../request/error-line.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { RequestText } from '../../../request/location.js';
import { DECLINED, OK, type Outcome } from '../../../request/phase.js';
import type { HttpModule, LocationBuild } from '../../module.js';
import { checkPassword, type PasswordCheck } from './password.js';
import { readUserFile } from './user-files.js';

const LEVELS = ['http', 'server', 'location', 'limit_except'] as const;

const authBasic = defineDirective({
  name: 'auth_basic',
  syntax: 'auth_basic text | off',
  contexts: LEVELS,
  args: [variableText],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Asks clients for a user name and a password; the text tells them for what.',
  since: '0.2.0',
  effect: 'full',
});

const authBasicUserFile = defineDirective({
  name: 'auth_basic_user_file',
  syntax: 'auth_basic_user_file file',
  contexts: LEVELS,
  args: [variableText],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: false,
  summary: 'The file with the users that auth_basic lets pass, and hashes of their passwords.',
  since: '0.2.0',
  effect: 'full',
});

export const authBasicModule: HttpModule = {
  name: 'auth_basic',
  directives: [authBasic, authBasicUserFile],
  location: addAuth,
};

function addAuth(scope: Scope, build: LocationBuild): void {
  const basic = scope.find(authBasic);
  const file = scope.find(authBasicUserFile);
  if (basic === null || file === null) return;
  const realm = build.text(basic.values[0], basic.node);
  if (realm.constant === 'off') return;
  const auth = new BasicAuth(realm, build.text(file.values[0], file.node), build.resolvePath('', 'conf'));
  build.addHandler('access', (request) => auth.decide(request));
}

/** What one level asks of clients. */
class BasicAuth {
  private readonly realm: RequestText;
  private readonly file: RequestText;
  /** Where a relative path of a file starts. */
  private readonly folder: string;

  constructor(realm: RequestText, file: RequestText, folder: string) {
    this.realm = realm;
    this.file = file;
    this.folder = folder;
  }

  decide(request: HttpRequest): Outcome | Promise<Outcome> {
    const realm = this.realm.evaluate(request);
    if (realm === 'off') return DECLINED;
    const credentials = basicCredentials(request);
    if (credentials === null) {
      logErrorOf(request, 'info', 'no user/password was provided for basic authentication');
      return askForCredentials(request, realm);
    }
    const { user, password } = credentials;
    const path = this.pathFor(request);
    let stored: string | undefined;
    try {
      stored = readUserFile(Buffer.from(path, 'latin1').toString()).get(user);
    } catch (error) {
      return failToRead(request, path, error as NodeJS.ErrnoException);
    }
    if (stored === undefined) {
      logErrorOf(request, 'error', `user "${user}" was not found in "${path}"`);
      return askForCredentials(request, realm);
    }
    const check = checkPassword(password, stored);
    if (typeof check !== 'object' || check === null) return outcomeOf(request, user, realm, check);
    return check.then((isRight) => outcomeOf(request, user, realm, isRight));
  }

  private pathFor(request: HttpRequest): string {
    const path = this.file.evaluate(request);
    return path.startsWith('/') ? path : this.folder + path;
  }
}

function outcomeOf(request: HttpRequest, user: string, realm: string, check: PasswordCheck): Outcome {
  if (check === true) return OK;
  if (check === null) {
    const what = 'the hash of the password is of a kind that is not supported, or too many are being checked';
    logErrorOf(request, 'crit', `user "${user}": crypt() failed: ${what}`);
    return 500;
  }
  logErrorOf(request, 'error', `user "${user}": password mismatch`);
  return askForCredentials(request, realm);
}

function askForCredentials(request: HttpRequest, realm: string): Outcome {
  const isConnect = request.main.head.method === 'CONNECT';
  const name = isConnect ? 'Proxy-Authenticate' : 'WWW-Authenticate';
  request.response.fields.add(name, `Basic realm="${realm}"`);
  return isConnect ? 407 : 401;
}

function failToRead(request: HttpRequest, path: string, error: NodeJS.ErrnoException): Outcome {
  const isMissing = error.code === 'ENOENT';
  const reason = `${Math.abs(error.errno ?? 0)}: ${describeErrno(error.code ?? error.message)}`;
  const call = error.syscall === 'read' ? 'read' : 'open';
  logErrorOf(request, isMissing ? 'error' : 'crit', `${call}() "${path}" failed (${reason})`);
  return isMissing ? 403 : 500;
}
