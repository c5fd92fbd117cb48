/*
 * The entry of a worker thread.
 */
import { Worker } from '../process/worker.js';
import { handleStrayErrors } from './stray-errors.js';

const worker = new Worker();
handleStrayErrors(worker, { log: (_level, message) => worker.log('alert', message) });
