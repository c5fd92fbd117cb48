/*
 * What Server and our pages say of us.
 */
import { version } from '../../../core/version.js';

/** `sluice/0.2.0` */
export const SERVER_SIGNATURE = `sluice/${version}`;
/** With `server_tokens off`. */
export const SERVER_SIGNATURE_SHORT = 'sluice';
