/*
 * What the API can't do for a client: a status, a code for programs and a sentence for people.
 */

/** Where NGINX Plus's clients are sent for what a code means. */
const REFERENCE = 'https://nginx.org/en/docs/http/ngx_http_api_module.html';

/** Ends a call. Texts are latin1. */
export class ApiError extends Error {
  readonly status: number;
  /** As NGINX Plus has it, where it knows such an error. */
  readonly code: string;

  constructor(status: number, code: string, text: string) {
    super(text);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
  }

  /** As the client gets it. */
  toJson(requestId: string): unknown {
    const { status, message, code } = this;
    return { error: { status, text: message, code }, request_id: requestId, href: REFERENCE };
  }
}
