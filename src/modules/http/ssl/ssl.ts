/*
 * nginx's http ssl module: TLS with clients. What servers make of it is server-tls.ts; the handshakes are net/'s and
 * request/'s.
 */
import type { HttpModule } from '../../module.js';
import { SSL_DIRECTIVES } from './directives.js';
import { addSslVariables } from './variables.js';

export const sslModule: HttpModule = {
  name: 'ssl',
  directives: SSL_DIRECTIVES,
  variables: addSslVariables,
};
