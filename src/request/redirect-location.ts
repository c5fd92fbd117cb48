/*
 * The Location of a redirect as the client gets it: a path becomes a URL where the configuration says so.
 */
import type { HttpRequest } from './http-request.js';

/** `location` itself unless it is a path and absolute_redirect is on; see also server_name_in_redirect, port_in_redirect. */
export function absoluteLocation(request: HttpRequest, location: string): string {
  const { settings } = request.location;
  if (!location.startsWith('/') || !settings.absoluteRedirect) return location;
  let host = request.host;
  if (settings.serverNameInRedirect && request.server.settings.serverName !== '')
    host = request.server.settings.serverName;
  else if (host === '') host = bracketed(request.client.localAddress);
  const { localPort: port, tls } = request.client;
  const isPortShown = settings.portInRedirect && port !== 0 && port !== (tls === null ? 80 : 443);
  return `${tls === null ? 'http' : 'https'}://${host}${isPortShown ? `:${port}` : ''}${location}`;
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
