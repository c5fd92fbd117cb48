// The second half of `npm run build`: puts the command's modules into a few files, in the place of what tsc made of its
// entries. Loading hundreds of modules costs more than twice the processor time at every start, and as many open files
// at once, as the loader reads them in parallel. The library's files stay as they are.
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { build } from 'esbuild';

const COMMAND = 'dist/cli';

await build({
  entryPoints: [`${COMMAND}/main.js`, `${COMMAND}/worker.js`],
  outdir: COMMAND,
  allowOverwrite: true,
  bundle: true,
  // What both need, and what a subcommand loads when it is run.
  splitting: true,
  chunkNames: 'bundle-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  logLevel: 'warning',
  plugins: [
    {
      name: 'own places',
      setup({ onLoad }) {
        // A module that looks for a file beside itself still means its own folder.
        onLoad({ filter: /\/dist\/.*\.js$/ }, async ({ path }) => {
          const place = JSON.stringify(relative(COMMAND, path));
          const text = await readFile(path, 'utf8');
          return { contents: text.replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`) };
        });
      },
    },
  ],
});
