/*
 * How a location's requests are put for the upstream: proxy_method, proxy_set_header, proxy_set_body and their kin.
 */
import type { Scope } from '../../../conf/schema/scope.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import { fieldSet } from '../../../http/h1/field-lines.js';
import { FIELD_ID_COUNT, FieldId, fieldIdOf } from '../../../http/message/field-id.js';
import { HOP_BY_HOP } from '../../../request/forwarded-head.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { type RequestPlan, type SetField, setField } from '../../../request/upstream-settings.js';
import type { Text } from '../../../variables/text.js';
import type { LocationBuild } from '../../module.js';
import * as proxy from './directives.js';

/** Said by us alone, since it is we who frame the body. */
const FRAMING: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding']);

/** The plan of a level; `uri` replaces `locationPath` in the path if proxy_pass has one. */
export function requestPlan(
  scope: Scope,
  build: LocationBuild,
  uri: string | null,
  locationPath: string,
): RequestPlan {
  const textOf = (definition: typeof proxy.proxyMethod): Text<HttpRequest> | null => {
    const found = scope.find(definition);
    return found === null ? null : build.text(found.values[0], found.node.args[0]!);
  };
  const { host, fields, names } = setFields(scope, build);
  const unknownNames = names.filter((name) => fieldIdOf(name) === FieldId.other);
  const dropped = fieldSet(
    FIELD_ID_COUNT,
    ...HOP_BY_HOP,
    FieldId.host,
    FieldId.contentLength,
    FieldId.expect,
    ...names.map(fieldIdOf),
  );
  return {
    method: textOf(proxy.proxyMethod),
    versionMinor: scope.value(proxy.proxyHttpVersion)[0] === '1.0' ? 0 : 1,
    uri,
    locationPath,
    host,
    fields,
    dropped,
    droppedNames: unknownNames.length === 0 ? null : new Set(unknownNames),
    passesFields: scope.value(proxy.proxyPassRequestHeaders)[0],
    passesBody: scope.value(proxy.proxyPassRequestBody)[0],
    body: textOf(proxy.proxySetBody),
    passesExpect: !names.includes('expect'),
  };
}

/** What proxy_set_header and other modules say; `names` in lower case are those that then aren't the client's. */
function setFields(
  scope: Scope,
  build: LocationBuild,
): { host: Text<HttpRequest> | null; fields: SetField[]; names: string[] } {
  let host: Text<HttpRequest> | null = null;
  const fields: SetField[] = [];
  const names: string[] = [];
  for (const { node, values } of scope.all(proxy.proxySetHeader)) {
    const name = toByteString(values[0]);
    const lower = name.toLowerCase();
    names.push(lower);
    const value = build.text(values[1], node.args[1]!);
    if (lower === 'host') host = value;
    // security: a length other than the body's would let a client smuggle a request of its own behind ours.
    else if (!FRAMING.has(lower) && value.constant !== '') fields.push(setField(name, value));
  }
  for (const field of build.location.upstreamFields) {
    if (names.includes(field.name)) continue;
    names.push(field.name);
    fields.push(field);
  }
  return { host, fields, names };
}
