/*
 * The filter behind gzip, brotli and zstd: whether a response is compressed, and what its head then says.
 */
import { acceptsEncoding, addVary, type CompressionRules } from './accepts-encoding.js';
import { CodecFilter, type Coding } from './codec-filter.js';
import type { ContentTypes } from './content-types.js';
import type { HttpRequest } from './http-request.js';
import type { RequestState } from './request-state.js';
import type { Response } from './response.js';
import type { ResponseFilter } from './response-filter.js';

/** What one location says of one coding. */
export interface CompressionSettings {
  /** Of FilterOrder: the first that the client takes is used. */
  readonly order: number;
  /** As Content-Encoding calls it. */
  readonly encoding: string;
  readonly coding: Coding;
  readonly types: ContentTypes;
  /** Shorter ones are left alone, where the length is known. */
  readonly minLength: number;
  readonly rules: CompressionRules;
  /** Where the body's filter is found by variables; null when there are none. */
  readonly state: RequestState<CodecFilter> | null;
}

/** Compresses what the client takes compressed. */
export class CompressionFilter implements ResponseFilter {
  readonly order: number;
  readonly isForSubrequests = false;
  private readonly settings: CompressionSettings;

  constructor(settings: CompressionSettings) {
    this.order = settings.order;
    this.settings = settings;
  }

  begin(request: HttpRequest, response: Response): CodecFilter | null {
    const { types, minLength, rules, encoding, coding, state } = this.settings;
    const { status, contentLength } = response;
    if (status !== 200 && status !== 403 && status !== 404) return null;
    if (response.contentEncoding !== '' || !types.has(response.contentType)) return null;
    if (contentLength >= 0 && contentLength < minLength) return null;
    if (rules.addsVary) addVary(response);
    if (!acceptsEncoding(rules, request, response, encoding)) return null;
    response.contentEncoding = encoding;
    response.forgetLength();
    response.weakenEtag();
    if (response.isHeadOnly) return null;
    const filter = new CodecFilter(request, coding, contentLength);
    state?.set(request, filter);
    return filter;
  }
}
