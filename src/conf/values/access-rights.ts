/*
 * Who may read and write files that are made: `user:rw group:r` (nginx: dav_access, proxy_store_access).
 */
import { Refusal, type ValueType } from './value-type.js';

/** One of them. */
export interface AccessRight {
  readonly bits: number;
  readonly isUser: boolean;
}

/** `user:rw` */
export const accessRights: ValueType<AccessRight> = {
  label: 'user|group|all:r|rw',
  parse(text) {
    const match = /^(user|group|all):(rw?)$/.exec(text);
    if (match === null) {
      return new Refusal(
        `Cannot take "${text}": write it like group:r or all:rw`,
        () => `invalid value "${text}"`,
      );
    }
    const shift = match[1] === 'user' ? 6 : match[1] === 'group' ? 3 : 0;
    return { bits: (match[2] === 'rw' ? 6 : 4) << shift, isUser: shift === 6 };
  },
};

/** The mode of a file by several; its user may read and write it unless they say otherwise of that. */
export function fileModeOf(rights: readonly (AccessRight | undefined)[]): number {
  const isUserNamed = rights.some((right) => right?.isUser);
  return rights.reduce((mode, right) => mode | (right?.bits ?? 0), isUserNamed ? 0 : 0o600);
}
