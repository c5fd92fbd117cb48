/*
 * Parts of a body, by Range (RFC 9110 section 14): one as it is, several as multipart/byteranges. Only where whoever
 * answers allows it, and only of a body whose length is known.
 */
import { randomInt } from 'node:crypto';
import { parseHttpDate } from '../../../core/http-date.js';
import { BodyFilter } from '../../../request/body-sink.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { ByteRange, Response } from '../../../request/response.js';
import { FilterOrder, type ResponseFilter } from '../../../request/response-filter.js';
import type { HttpModule } from '../../module.js';
import { parseRanges } from './parse-ranges.js';

export const rangeModule: HttpModule = {
  name: 'range_filter',
  directives: [],
  location: (_, build) => build.addFilter(RANGE_FILTER),
};

const RANGE_FILTER: ResponseFilter = {
  order: FilterOrder.range,
  isForSubrequests: false,
  skipsUpstreams: true,
  begin(request, response) {
    if (response.status !== 200 || response.contentLength < 0 || !response.allowsRanges) return null;
    const { maxRanges } = request.location.settings;
    if (maxRanges === 0) return null;
    const field = request.field('range');
    const ranges =
      field === null || !mayBePart(request, response)
        ? null
        : parseRanges(field, response.contentLength, response.allowsOneRange ? 1 : maxRanges);
    if (ranges === 'unsatisfiable') {
      response.fields.set('Content-Range', `bytes */${response.contentLength}`);
      return 416;
    }
    if (ranges === null || (ranges.length > 1 && !canSendSeveral(response))) {
      response.fields.add('Accept-Ranges', 'bytes');
      return null;
    }
    response.status = 206;
    response.reason = '';
    const total = response.contentLength;
    if (response.isSeekable) response.parts = ranges;
    if (ranges.length > 1) return new Multipart(response, ranges, total);
    const range = ranges[0]!;
    response.fields.set('Content-Range', `bytes ${range.start}-${range.end - 1}/${total}`);
    response.contentLength = range.end - range.start;
    return response.isSeekable ? null : new Cut(range);
  },
};

/** If-Range: whether what the client has a part of is what it would get. */
function mayBePart(request: HttpRequest, response: Response): boolean {
  const condition = request.field('if-range');
  if (condition === null) return true;
  if (condition.length >= 2 && condition.endsWith('"')) return condition === response.etag;
  return response.lastModified >= 0 && parseHttpDate(condition) === response.lastModified;
}

/** How long a body may be that is kept in order to send its parts in the order that the client asked for. */
const KEPT_BYTES = 65536;

/**
 * differs from nginx: several parts of a long body that comes in order aren't sent, the client gets it whole; there
 * nginx breaks off unless the body happens to be in one buffer.
 */
function canSendSeveral(response: Response): boolean {
  return response.isSeekable || response.contentLength <= KEPT_BYTES;
}

/** Lets pass one range of the bytes that come by. */
class Cut extends BodyFilter {
  private readonly range: ByteRange;
  private offset = 0;

  constructor(range: ByteRange) {
    super();
    this.range = range;
  }

  override write(bytes: Buffer, isBorrowed: boolean): void {
    const start = Math.max(0, this.range.start - this.offset);
    const end = Math.min(bytes.length, this.range.end - this.offset);
    this.offset += bytes.length;
    if (start < end) this.next.write(bytes.subarray(start, end), isBorrowed);
  }
}

/** Puts a heading before each range. The bytes of a seekable body are the ranges'; of others it keeps all. */
class Multipart extends BodyFilter {
  private readonly ranges: readonly ByteRange[];
  private readonly headings: readonly Buffer[];
  private readonly tail: Buffer;
  private readonly isSeekable: boolean;
  private readonly kept: Buffer[] = [];
  private index = 0;
  /** Of the range under way; -1: its heading is still to come. */
  private left = -1;

  /** Changes the head to what it will send. */
  constructor(response: Response, ranges: readonly ByteRange[], total: number) {
    super();
    this.ranges = ranges;
    this.isSeekable = response.isSeekable;
    const boundary = newBoundary();
    const charset = response.charset === '' ? '' : `; charset=${response.charset}`;
    const type = response.contentType === '' ? '' : `Content-Type: ${response.contentType}${charset}\r\n`;
    this.headings = ranges.map(({ start, end }) => {
      const text = `\r\n--${boundary}\r\n${type}Content-Range: bytes ${start}-${end - 1}/${total}\r\n\r\n`;
      return Buffer.from(text, 'latin1');
    });
    this.tail = Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1');
    response.contentType = `multipart/byteranges; boundary=${boundary}`;
    response.charset = '';
    response.fields.remove('content-range');
    response.contentLength = this.tail.length;
    for (const [i, { start, end }] of ranges.entries())
      response.contentLength += this.headings[i]!.length + end - start;
  }

  override write(bytes: Buffer, isBorrowed: boolean): void {
    if (!this.isSeekable) {
      this.kept.push(isBorrowed ? Buffer.from(bytes) : bytes);
      return;
    }
    let at = 0;
    while (at < bytes.length && this.index < this.ranges.length) {
      if (this.left < 0) this.beginRange();
      const end = Math.min(bytes.length, at + this.left);
      this.next.write(bytes.subarray(at, end), isBorrowed);
      this.left -= end - at;
      at = end;
      if (this.left === 0) {
        this.left = -1;
        this.index++;
      }
    }
  }

  override end(): void {
    if (!this.isSeekable) {
      const body = Buffer.concat(this.kept);
      for (const [i, { start, end }] of this.ranges.entries()) {
        this.next.write(this.headings[i]!, false);
        this.next.write(body.subarray(start, end), false);
      }
    }
    this.next.write(this.tail, false);
    this.next.end();
  }

  private beginRange(): void {
    const { start, end } = this.ranges[this.index]!;
    this.next.write(this.headings[this.index]!, false);
    this.left = end - start;
  }
}

/** Twenty digits, as long as nginx's. */
function newBoundary(): string {
  const half = () => String(randomInt(10 ** 10)).padStart(10, '0');
  return half() + half();
}
