/*
 * Error codes of the system and of the resolver in words, as an operator knows them from strerror
 * and from nginx's log. Our own error codes are not here: they bring their own text.
 */

import { getSystemErrorMap } from 'node:util';

/** What Node's own table lacks or words for programmers rather than operators. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'Permission denied'],
  ['EADDRINUSE', 'Address already in use'],
  ['EADDRNOTAVAIL', 'Cannot assign requested address'],
  ['EAGAIN', 'Resource temporarily unavailable'],
  ['EAI_AGAIN', 'Name resolution failed for now'],
  ['ECONNABORTED', 'Connection aborted'],
  ['ECONNREFUSED', 'Connection refused'],
  ['ECONNRESET', 'Connection reset by peer'],
  ['EEXIST', 'File exists'],
  ['EHOSTUNREACH', 'No route to host'],
  ['EISDIR', 'Is a directory'],
  ['ELOOP', 'Too many levels of symbolic links'],
  ['EMFILE', 'Too many open files'],
  ['ENETUNREACH', 'Network is unreachable'],
  ['ENFILE', 'Too many open files in system'],
  ['ENOENT', 'No such file or directory'],
  ['ENAMETOOLONG', 'File name too long'],
  ['ENODATA', 'Name has no address'],
  ['ENOMEM', 'Cannot allocate memory'],
  ['ENOSPC', 'No space left on device'],
  ['ENOTDIR', 'Not a directory'],
  ['ENOTEMPTY', 'Directory not empty'],
  ['ENOTFOUND', 'Name not found'],
  ['EPERM', 'Operation not permitted'],
  ['EPIPE', 'Broken pipe'],
  ['EROFS', 'Read-only file system'],
  ['ESERVFAIL', 'Name server failed'],
  ['ETIMEDOUT', 'Connection timed out'],
  ['ETIMEOUT', 'Name server timed out'],
]);

/** The code in words, "ECONNREFUSED" as "Connection refused"; a code nobody knows is given back. */
export function describeErrno(code: string): string {
  const words = WORDS.get(code);
  if (words !== undefined) return words;
  for (const [name, message] of getSystemErrorMap().values()) {
    if (name === code) return message.charAt(0).toUpperCase() + message.slice(1);
  }
  return code;
}
