// Where the benchmark's files are. The tools are compiled to .build/bench/, while what is not
// TypeScript (the Node peers with their package.json) stays in bench/, so both are named from the
// repository's root.

import { fileURLToPath } from 'node:url';

/** The repository's root, ending in a slash. */
export const repositoryRoot: string = fileURLToPath(new URL('../../', import.meta.url));

/** Folder of the peers' own package.json and of the programs that start the Node peers. */
export const peersFolder: string = `${repositoryRoot}bench/peers/`;

/** Folder for the results of a run; git-ignored. */
export const resultsFolder: string = `${repositoryRoot}bench/results/`;
