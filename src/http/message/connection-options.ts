/*
 * What the Connection field says (RFC 9110 section 7.6.1): whether the connection lasts, whether it changes
 * protocol, and which other fields belong to this hop alone.
 */
import { FieldId, fieldIdOf } from './field-id.js';

/**
 * Fields a Connection field may not take away. security: naming X-Forwarded-For, Host or Authorization there
 * would otherwise strip what the origin trusts this proxy to pass on.
 */
const END_TO_END: ReadonlySet<number> = new Set([
  FieldId.host,
  FieldId.contentLength,
  FieldId.transferEncoding,
  FieldId.forwardedFor,
  FieldId.forwardedProto,
  FieldId.forwardedHost,
  FieldId.xForwardedPort,
  FieldId.forwarded,
  FieldId.realIp,
  FieldId.authorization,
  FieldId.cookie,
  FieldId.setCookie,
  FieldId.contentType,
  FieldId.contentEncoding,
  FieldId.contentRange,
  FieldId.cacheControl,
]);

/** The options of one message's Connection fields. Reused: `reset` before each message. */
export class ConnectionOptions {
  hasClose: boolean;
  hasKeepAlive: boolean;
  hasUpgrade: boolean;
  /** Lower-case names of further fields that stop here; null when there are none. */
  named: Set<string> | null;

  constructor() {
    this.hasClose = false;
    this.hasKeepAlive = false;
    this.hasUpgrade = false;
    this.named = null;
  }

  reset(): void {
    this.hasClose = false;
    this.hasKeepAlive = false;
    this.hasUpgrade = false;
    this.named = null;
  }

  /** Takes in one Connection field's value. */
  add(value: string): void {
    // perf: these two are what almost every message says.
    if (value === 'keep-alive') this.hasKeepAlive = true;
    else if (value === 'close') this.hasClose = true;
    else for (const option of value.split(',')) this.addOption(trimOws(option).toLowerCase());
  }

  private addOption(option: string): void {
    if (option === 'close') this.hasClose = true;
    else if (option === 'keep-alive') this.hasKeepAlive = true;
    else if (option === 'upgrade') this.hasUpgrade = true;
    else if (option !== '' && !END_TO_END.has(fieldIdOf(option))) {
      this.named ??= new Set();
      this.named.add(option);
    }
  }
}

/** Without the spaces and tabs around it; JavaScript's trim takes more, a byte 160 for one. */
function trimOws(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isOws(text.charCodeAt(start))) start++;
  while (end > start && isOws(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isOws(code: number): boolean {
  return code === 32 || code === 9;
}
