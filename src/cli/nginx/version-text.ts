/*
 * What -v, -V and -h print. -V tells scripts that ask nginx for its modules which of them are here: from the directives
 * that there are, so that it can't say what isn't so.
 */
import type { Context } from '../../conf/schema/contexts.js';
import type { Registry } from '../../conf/schema/registry.js';
import { NGINX_VERSION, version } from '../../core/version.js';

type Switch = readonly [name: string, directive: string, context: Context];

/** Switches of configure for what nginx has only when asked, and a directive that each brings. */
const WITH: readonly Switch[] = [
  ['http_ssl_module', 'ssl_certificate', 'server'],
  ['http_v2_module', 'http2_max_concurrent_streams', 'server'],
  ['http_v3_module', 'http3', 'server'],
  ['http_realip_module', 'set_real_ip_from', 'location'],
  ['http_addition_module', 'add_after_body', 'location'],
  ['http_xslt_module', 'xslt_stylesheet', 'location'],
  ['http_image_filter_module', 'image_filter', 'location'],
  ['http_geoip_module', 'geoip_country', 'http'],
  ['http_sub_module', 'sub_filter', 'location'],
  ['http_dav_module', 'dav_methods', 'location'],
  ['http_flv_module', 'flv', 'location'],
  ['http_mp4_module', 'mp4', 'location'],
  ['http_gunzip_module', 'gunzip', 'location'],
  ['http_gzip_static_module', 'gzip_static', 'location'],
  ['http_auth_request_module', 'auth_request', 'location'],
  ['http_random_index_module', 'random_index', 'location'],
  ['http_secure_link_module', 'secure_link', 'location'],
  ['http_degradation_module', 'degrade', 'location'],
  ['http_slice_module', 'slice', 'location'],
  ['http_stub_status_module', 'stub_status', 'location'],
  ['http_perl_module', 'perl', 'location'],
  ['mail', 'mail', 'main'],
  ['stream', 'stream', 'main'],
  ['stream_ssl_module', 'ssl_certificate', 'stream server'],
  ['stream_realip_module', 'set_real_ip_from', 'stream server'],
  ['stream_geoip_module', 'geoip_country', 'stream'],
  ['stream_ssl_preread_module', 'ssl_preread', 'stream server'],
];

/** Switches for leaving out what nginx has unasked. */
const WITHOUT: readonly Switch[] = [
  ['http_charset_module', 'charset', 'location'],
  ['http_gzip_module', 'gzip', 'location'],
  ['http_ssi_module', 'ssi', 'location'],
  ['http_userid_module', 'userid', 'location'],
  ['http_access_module', 'allow', 'location'],
  ['http_auth_basic_module', 'auth_basic', 'location'],
  ['http_mirror_module', 'mirror', 'location'],
  ['http_autoindex_module', 'autoindex', 'location'],
  ['http_geo_module', 'geo', 'http'],
  ['http_map_module', 'map', 'http'],
  ['http_split_clients_module', 'split_clients', 'http'],
  ['http_referer_module', 'valid_referers', 'location'],
  ['http_rewrite_module', 'rewrite', 'location'],
  ['http_proxy_module', 'proxy_pass', 'location'],
  ['http_fastcgi_module', 'fastcgi_pass', 'location'],
  ['http_uwsgi_module', 'uwsgi_pass', 'location'],
  ['http_scgi_module', 'scgi_pass', 'location'],
  ['http_grpc_module', 'grpc_pass', 'location'],
  ['http_memcached_module', 'memcached_pass', 'location'],
  ['http_tunnel_module', 'tunnel_pass', 'location'],
  ['http_limit_conn_module', 'limit_conn', 'location'],
  ['http_limit_req_module', 'limit_req', 'location'],
  ['http_empty_gif_module', 'empty_gif', 'location'],
  ['http_browser_module', 'ancient_browser', 'location'],
  ['http_upstream_hash_module', 'hash', 'upstream'],
  ['http_upstream_ip_hash_module', 'ip_hash', 'upstream'],
  ['http_upstream_least_conn_module', 'least_conn', 'upstream'],
  ['http_upstream_least_time_module', 'least_time', 'upstream'],
  ['http_upstream_random_module', 'random', 'upstream'],
  ['http_upstream_keepalive_module', 'keepalive', 'upstream'],
  ['http_upstream_zone_module', 'zone', 'upstream'],
  ['http_upstream_sticky_module', 'sticky', 'upstream'],
  ['http-cache', 'proxy_cache', 'location'],
];

/** The same within `stream`, of which nothing is said where there is no stream. */
const WITHOUT_IN_STREAM: readonly Switch[] = [
  ['stream_access_module', 'allow', 'stream server'],
  ['stream_geo_module', 'geo', 'stream'],
  ['stream_limit_conn_module', 'limit_conn', 'stream server'],
  ['stream_map_module', 'map', 'stream'],
  ['stream_pass_module', 'pass', 'stream server'],
  ['stream_return_module', 'return', 'stream server'],
  ['stream_set_module', 'set', 'stream server'],
  ['stream_split_clients_module', 'split_clients', 'stream'],
  ['stream_upstream_hash_module', 'hash', 'stream upstream'],
  ['stream_upstream_least_conn_module', 'least_conn', 'stream upstream'],
  ['stream_upstream_least_time_module', 'least_time', 'stream upstream'],
  ['stream_upstream_random_module', 'random', 'stream upstream'],
  ['stream_upstream_zone_module', 'zone', 'stream upstream'],
];

/** For -v, -V and -h: the versions, on lines of their own. */
export function versionText(): string {
  return `nginx version: nginx/${NGINX_VERSION}\nsluice version: sluice/${version}\n`;
}

/** What -V says besides. */
export function configureText(registry: Registry): string {
  const lines = [
    `built by Node.js ${process.versions.node}`,
    `built with OpenSSL ${process.versions.openssl}`,
  ];
  if (has(registry, 'ssl_certificate', 'server')) lines.push('TLS SNI support enabled');
  return `${lines.join('\n')}\nconfigure arguments: ${configureArguments(registry).join(' ')}\n`;
}

/** The switches that would make an nginx with what is here, and without what isn't. */
export function configureArguments(registry: Registry): string[] {
  const isThere = ([, directive, context]: Switch) => has(registry, directive, context);
  const without = has(registry, 'stream', 'main') ? [...WITHOUT, ...WITHOUT_IN_STREAM] : WITHOUT;
  return [
    ...WITH.filter(isThere).map(([name]) => `--with-${name}`),
    ...without.filter((one) => !isThere(one)).map(([name]) => `--without-${name}`),
  ];
}

function has(registry: Registry, directive: string, context: Context): boolean {
  return registry.find(directive, context) !== null;
}

/** For -h and -?. */
export const NGINX_HELP = `
As nginx takes its options:
  -c FILE      the configuration file (with -p: conf/nginx.conf; else /etc/nginx/nginx.conf)
  -p FOLDER    where relative paths start (by default the configuration file's folder)
  -g TEXT      directives before those of the file: -g "daemon off; pid /run/nginx.pid;"
  -e FILE      the error log until the configuration says where; "stderr" for the terminal
  -t           check the configuration and end
  -T           check it and print all of its files
  -q           with -t: say nothing when all is well
  -s WORD      tell the running process, by its pid file: stop, quit, reload or reopen
  -v, -V       the version; with the modules that there are
  -h, -?       this
Without any of them: the proxy with flags of its own, see sluice --help.
`;
