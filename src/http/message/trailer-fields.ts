/*
 * Which trailer fields may be passed on (RFC 9110 section 6.5.1).
 */
import { FIELD_ID_COUNT, FieldId } from './field-id.js';

/**
 * Over FieldId: 1 for what must not stand in a trailer. security: a receiver that merges trailers into the
 * head would take framing, routing or credentials from where no check looked.
 */
export const FORBIDDEN_IN_TRAILER: Uint8Array = Uint8Array.from({ length: FIELD_ID_COUNT }, (_, id) =>
  id === FieldId.other || id === FieldId.date || id === FieldId.server ? 0 : 1,
);
