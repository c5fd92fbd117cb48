// The configuration that is soaked: what an nginx.conf of some years has in it. Timeouts are short, since what is left
// to them has to be over when the soak ends.

/** The locations that clients ask, each in front of the origin; the rest of a path tells the origin what to do. */
export const locations = [
  '/kept/',
  '/new/',
  '/raw/',
  '/packed/',
  '/stored/',
  '/slowed/',
  '/asked/',
  '/copied/',
];

export interface SoakPorts {
  listen: number;
  status: number;
  origins: readonly number[];
}

/** The text of the main file; `folder` is where its files go, and ends in a slash. */
export function soakConf({ listen, status, origins }: SoakPorts, folder: string): string {
  const servers = origins.map((port) => `server 127.0.0.1:${port} max_fails=0;`).join(' ');
  return `daemon off;
user root;
worker_processes 1;
pid ${folder}soak.pid;
error_log ${folder}error.log error;
events { worker_connections 4096; }
http {
  log_format main '$remote_addr "$request" $status $body_bytes_sent $request_time $upstream_addr $upstream_status';
  access_log ${folder}access.log main;
  client_body_temp_path ${folder}bodies;
  proxy_temp_path ${folder}answers;
  proxy_cache_path ${folder}cache levels=1:2 keys_zone=stored:1m max_size=8m;
  limit_conn_zone $binary_remote_addr zone=clients:1m;
  keepalive_timeout 1s;
  keepalive_requests 20;
  client_header_timeout 5s;
  client_body_timeout 5s;
  send_timeout 5s;
  lingering_timeout 500ms;
  proxy_connect_timeout 5s;
  proxy_read_timeout 5s;
  proxy_send_timeout 5s;
  proxy_http_version 1.1;
  proxy_set_header Connection $forwarded;
  proxy_set_header Upgrade $http_upgrade;
  map $http_upgrade $forwarded { "" ""; default upgrade; }
  upstream kept { ${servers} keepalive 8; keepalive_requests 50; keepalive_timeout 1s; }
  upstream fresh { ${servers} least_conn; keepalive 1; keepalive_requests 1; }
  server {
    listen 127.0.0.1:${listen} backlog=4096;
    location /kept/ { proxy_pass http://kept; }
    location /new/ { proxy_pass http://fresh; proxy_next_upstream error timeout non_idempotent; }
    location /raw/ { proxy_pass http://kept; proxy_buffering off; proxy_request_buffering off; }
    location /packed/ { proxy_pass http://kept; gzip on; gzip_types text/plain; gzip_min_length 1; gzip_proxied any; }
    location /stored/ { proxy_pass http://kept; proxy_cache stored; proxy_cache_valid 200 1s; proxy_cache_lock on;
      proxy_cache_lock_timeout 500ms; }
    location /slowed/ { proxy_pass http://kept; limit_conn clients 100; limit_rate 4m; }
    location /asked/ { auth_request /allowed; proxy_pass http://kept; error_page 502 504 /failed; }
    location = /allowed { internal; proxy_pass http://kept/allowed/small; proxy_pass_request_body off;
      proxy_set_header Content-Length ""; proxy_set_header Connection ""; proxy_set_header Upgrade ""; }
    location = /failed { internal; return 502 "failed\\n"; }
    location /copied/ { mirror /copy; proxy_pass http://kept; }
    location = /copy { internal; proxy_pass http://fresh/copy/small; }
  }
  server { listen 127.0.0.1:${status}; access_log off; location / { stub_status; } }
}
`;
}
