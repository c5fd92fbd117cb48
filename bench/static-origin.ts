// The upstream of the downloads: an nginx that answers the small body from its configuration and the
// large ones from files in memory, so that it costs as little as an upstream can.

import { existsSync, writeFileSync } from 'node:fs';
import { prepareNginx } from './peers/nginx.js';
import type { Program } from './processes.js';
import { workloads } from './workloads.js';

/** Writes configuration and files into `folder` and returns the command line that serves them on `port`. */
export function prepareStaticOrigin(port: number, folder: string, workers = 1): Program {
  let locations = '';
  for (const { path, downBytes, upBytes } of workloads) {
    if (upBytes > 0) continue;
    if (downBytes <= 1024) {
      locations += `    location = ${path} { default_type text/plain; return 200 "${'x'.repeat(downBytes)}"; }\n`;
    } else {
      const file = folder + path.slice(1);
      if (!existsSync(file)) writeFileSync(file, Buffer.alloc(downBytes, 'x'));
    }
  }
  return prepareNginx(
    'static-origin',
    port,
    folder,
    `
  open_file_cache max=16;
  server {
    listen 127.0.0.1:${port} backlog=1024${workers > 1 ? ' reuseport' : ''};
    root ${folder};
${locations}  }`,
    workers,
  );
}
