/*
 * The pages Sluice answers with when there is no response to pass on.
 */
import { STATUS_CODES } from 'node:http';

/** Bodies by status: few, small and the same for everybody. */
const pages = new Map<number, string>();

/** The body for a status: HTML that says the status and who says it. */
export function errorPage(status: number): string {
  let page = pages.get(status);
  if (page === undefined) {
    const title = `${status} ${STATUS_CODES[status] ?? 'Error'}`;
    page = `<!doctype html>\n<title>${title}</title>\n<center><h1>${title}</h1></center>\n<hr><center>sluice</center>\n`;
    pages.set(status, page);
  }
  return page;
}

/** A whole response of Sluice's own, head and body; for a HEAD request the head alone. */
export function errorResponse(status: number, isHead: boolean, connectionField: string): string {
  const page = errorPage(status);
  const head =
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\nServer: sluice\r\nDate: ${new Date().toUTCString()}\r\n` +
    `Content-Type: text/html\r\nContent-Length: ${page.length}\r\n${connectionField}\r\n`;
  return isHead ? head : head + page;
}
