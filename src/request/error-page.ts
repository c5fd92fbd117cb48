/*
 * The pages Sluice answers with when there is nothing else to answer with, and the choice of one of the
 * configuration's instead (nginx: error_page).
 */
import { STATUS_CODES } from 'node:http';
import type { HttpRequest } from './http-request.js';
import type { ErrorPage } from './settings.js';

/** Phrases that differ from Node's list: nginx's own statuses, and those it words differently. */
const PHRASES: ReadonlyMap<number, string> = new Map([
  [302, 'Moved Temporarily'],
  [405, 'Not Allowed'],
  [408, 'Request Time-out'],
  [413, 'Request Entity Too Large'],
  [414, 'Request-URI Too Large'],
  [416, 'Requested Range Not Satisfiable'],
  [494, 'Request Header Or Cookie Too Large'],
  [495, 'SSL Certificate Error'],
  [496, 'SSL Certificate Required'],
  [497, 'HTTP to HTTPS port'],
  [503, 'Service Temporarily Unavailable'],
  [504, 'Gateway Time-out'],
]);

/** Where a page calls a status otherwise than the status line does. */
const TITLES: ReadonlyMap<number, string> = new Map([
  [302, 'Found'],
  [401, 'Authorization Required'],
]);

/** What a client is told instead of statuses that only logs and error_page know. */
const SHOWN_AS: ReadonlyMap<number, number> = new Map([
  [494, 400],
  [495, 400],
  [496, 400],
  [497, 400],
  [498, 404],
  [499, 400],
]);

/** The status of the answer's status line. */
export function shownStatus(status: number): number {
  return SHOWN_AS.get(status) ?? status;
}

/** The phrase behind a status; '' for one that has none. */
export function phraseOf(status: number): string {
  return PHRASES.get(status) ?? STATUS_CODES[status] ?? '';
}

/** Our page for a status, `signature` below the line; '' for a status that has none. */
export function errorPage(status: number, signature: string): string {
  if (status < 300 || status === 304) return '';
  const phrase = TITLES.get(status) ?? phraseOf(status);
  if (phrase === '') return '';
  const title = `${shownStatus(status)} ${status >= 494 && status <= 499 ? phraseOf(shownStatus(status)) : phrase}`;
  const detail = status >= 494 && status <= 497 ? `<center>${DETAILS[status - 494]}</center>\r\n` : '';
  return (
    `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n` +
    `${detail}<hr><center>${signature}</center>\r\n</body>\r\n</html>\r\n`
  );
}

const DETAILS = [
  'Request Header Or Cookie Too Large',
  'The SSL certificate error',
  'No required SSL certificate was sent',
  'The plain HTTP request was sent to HTTPS port',
];

/** The configuration's page for a status; null where it has none. */
export function findErrorPage(request: HttpRequest, status: number): ErrorPage | null {
  return request.location.settings.errorPages.get(status) ?? null;
}
