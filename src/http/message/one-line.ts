/*
 * Texts that a configuration made of what a client sent, on their way into a head. security: $uri and the like are
 * decoded, so that %0D%0A in a path would begin a line, and so a field or a message, of the client's making.
 *
 * differs from nginx: that writes such bytes as they are.
 */

const LINE_BREAKERS = /[\0\r\n]/;
/** All but printable ASCII and what is beyond it. */
const CONTROLS = /[^ -~\x80-\xff]/;
const CONTROLS_AND_SPACE = /[^!-~\x80-\xff]/;

/** A field's value: what would end its line becomes a space. */
export function asFieldValue(text: string): string {
  return LINE_BREAKERS.test(text) ? text.replace(/[\0\r\n]+/g, ' ') : text;
}

/** A URL in a field: controls are escaped. */
export function asUrl(text: string): string {
  return CONTROLS.test(text) ? text.replace(/[^ -~\x80-\xff]/g, escapeByte) : text;
}

/** The target of a request: controls are escaped, and blanks, which would end it. */
export function asTarget(text: string): string {
  return CONTROLS_AND_SPACE.test(text) ? text.replace(/[^!-~\x80-\xff]/g, escapeByte) : text;
}

function escapeByte(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
