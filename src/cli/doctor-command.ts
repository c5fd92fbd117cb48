/*
 * `sluice doctor nginx.conf`: whether a configuration can be served, before anything is changed.
 */
import { loadConf } from '../conf/load/load.js';
import { REGISTRY } from '../modules/registry.js';
import { confFilesOf } from '../process/conf-files.js';
import { diskConfReader, probeFile } from '../process/disk-conf-reader.js';
import { type Survey, surveyConf } from './doctor/survey.js';
import { surveyText } from './doctor/survey-text.js';

/** What may be given to it. */
export interface DoctorOptions {
  readonly prefix?: string;
  readonly json?: boolean;
}

/** Prints the report. @returns 0 if Sluice can serve it, 1 if something is missing or wrong */
export function runDoctor(file: string | undefined, options: DoctorOptions): number {
  const { path, prefix } = confFilesOf({
    prefix: options.prefix ?? null,
    confFile: file ?? null,
    globals: null,
    errorLog: 'stderr',
  });
  const survey = surveyConf(loadConf(path, diskConfReader), REGISTRY, {
    probeFile: (name) => probeFile(name.startsWith('/') ? name : prefix + name),
  });
  process.stdout.write(options.json === true ? jsonOf(survey) : surveyText(survey));
  return survey.counts.missing + survey.counts.wrong === 0 ? 0 : 1;
}

function jsonOf(survey: Survey): string {
  return `${JSON.stringify(survey, null, 2)}\n`;
}
