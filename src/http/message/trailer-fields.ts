/*
 * Which trailer fields may be passed on (RFC 9110 section 6.5.1).
 */
import { FIELD_ID_COUNT, FieldId } from './field-id.js';

/** Known names that say nothing about framing, routing or who asks. */
const HARMLESS: ReadonlySet<number> = new Set([
  FieldId.other,
  FieldId.date,
  FieldId.server,
  FieldId.location,
  FieldId.refresh,
  FieldId.etag,
  FieldId.lastModified,
  FieldId.acceptRanges,
  FieldId.xPad,
  FieldId.expires,
  FieldId.vary,
]);

/**
 * Over FieldId: 1 for what must not stand in a trailer. security: a receiver that merges trailers into the
 * head would take framing, routing or credentials from where no check looked.
 */
export const FORBIDDEN_IN_TRAILER: Uint8Array = Uint8Array.from({ length: FIELD_ID_COUNT }, (_, id) =>
  HARMLESS.has(id) ? 0 : 1,
);
