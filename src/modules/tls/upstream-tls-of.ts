/*
 * Which TLS a location asks its upstream by, for those who ask in its stead: health checks.
 */
import type { Location } from '../../request/location.js';
import type { UpstreamTls } from '../../upstream/upstream-tls.js';
import { BuildKey } from '../module.js';

/** By location; one that isn't there asks without TLS. Filled while locations are built. */
export const UPSTREAM_TLS_OF = new BuildKey(
  'TLS of locations to upstreams',
  () => new Map<Location, UpstreamTls>(),
);
