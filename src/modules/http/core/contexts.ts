/*
 * The places most directives of `http {}` may stand in.
 */
export const HTTP_SERVER = ['http', 'server'] as const;
export const HTTP_SERVER_LOCATION = ['http', 'server', 'location'] as const;
export const HTTP_SERVER_LOCATION_IF = ['http', 'server', 'location', 'location if'] as const;
