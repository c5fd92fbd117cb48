/*
 * gzip_static: instead of a file the one beside it that is compressed already, with .gz behind its name.
 */
import { defineDirective } from '../../../conf/schema/definition.js';
import { keyword } from '../../../conf/values/keyword.js';
import { acceptsEncoding, addVary, type CompressionRules } from '../../../request/accepts-encoding.js';
import { logErrorOf } from '../../../request/error-line.js';
import { FileFailure, openFile } from '../../../request/file-access.js';
import { filePath } from '../../../request/file-path.js';
import { DECLINED, DONE, type PhaseHandler } from '../../../request/phase.js';
import { describeFile, sendFile } from '../../../request/send-file.js';
import { compressionRules } from '../../compression-rules.js';
import type { HttpModule } from '../../module.js';

const gzipStatic = defineDirective({
  name: 'gzip_static',
  syntax: 'gzip_static off | on | always',
  contexts: ['http', 'server', 'location'],
  args: [keyword('off', 'on', 'always')],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Answers with FILE.gz instead of FILE to clients that accept gzip, or always.',
  since: '0.2.0',
  effect: 'full',
});

export const gzipStaticModule: HttpModule = {
  name: 'gzip_static',
  directives: [gzipStatic],
  location(scope, build) {
    const [mode] = scope.value(gzipStatic);
    if (mode !== 'off')
      build.addHandler('content', serveCompressed(mode === 'always', compressionRules(scope)));
  },
};

function serveCompressed(isAlways: boolean, rules: CompressionRules): PhaseHandler {
  return (request) => {
    const { method, response } = request;
    if (method !== 'GET' && method !== 'HEAD') return DECLINED;
    if (request.path.endsWith('/')) return DECLINED;
    const isAccepted = isAlways || acceptsEncoding(rules, request, response, 'gzip');
    // For Vary it has to be known whether there is a compressed file.
    if (!isAccepted && !rules.addsVary) return DECLINED;
    const plainPath = filePath(request);
    if (plainPath === null) return 500;
    const path = `${plainPath}.gz`;
    const file = openFile(request, path);
    if (file instanceof FileFailure) {
      if (file.isNotFound) return DECLINED;
      const isForbidden = file.code === 'EACCES' || file.isForbiddenLink;
      logErrorOf(request, isForbidden ? 'error' : 'crit', file.message);
      return DECLINED;
    }
    if (!isAlways && rules.addsVary) addVary(response);
    if (!isAccepted || file.isDirectory) {
      file.release();
      return DECLINED;
    }
    if (!file.isFile) {
      file.release();
      logErrorOf(request, 'crit', `"${path}" is not a regular file`);
      return 404;
    }
    describeFile(request, file);
    response.contentEncoding = 'gzip';
    sendFile(request, file, path);
    return DONE;
  };
}
