/*
 * Which address a URL would reach: by its port, and by its host where that is an address. A name is not looked up.
 */
import type { ListenSocket } from '../compile/listen-points.js';
import { parseIpAddress } from '../core/ip-address.js';
import { type Address, formatAddress } from '../net/address.js';
import type { ListenPoint } from '../request/virtual-server.js';
import { QuestionError, type QuestionUrl } from './question.js';

/** An address that is listened on, for a URL. */
export interface ChosenListener {
  readonly point: ListenPoint;
  /** Others of the same port. */
  readonly others: readonly Address[];
}

/** Throws a QuestionError when there is none. */
export function chooseListener(
  sockets: readonly ListenSocket[],
  { host, port, isSecure }: QuestionUrl,
  url: string,
): ChosenListener {
  const points = sockets.flatMap(({ point, pointsByHost }) => [point, ...pointsByHost.values()]);
  const fitting = points.filter(({ address }) => address.path === null && address.port === port);
  const point =
    parseIpAddress(host) === null
      ? (fitting.find(isWildcard) ?? fitting[0])
      : (fitting.find(({ address }) => address.host === host) ?? fitting.find((each) => takesIn(each, host)));
  if (point === undefined) {
    const where = fitting.length > 0 ? `${formatAddress({ host, port, path: null })}` : `port ${port}`;
    const listened = points.map(({ address }) => formatAddress(address)).join(', ');
    const advice = listened === '' ? 'it has no server' : `it listens on ${listened}`;
    throw new QuestionError(
      `Cannot explain "${url}": the configuration does not listen on ${where}; ${advice}`,
    );
  }
  if (isSecure && !point.options.usesTls) {
    const advice = 'its "listen" has no "ssl"; ask with http://';
    throw new QuestionError(
      `Cannot explain "${url}": ${formatAddress(point.address)} does not speak TLS: ${advice}`,
    );
  }
  const others = fitting.filter((each) => each !== point).map(({ address }) => address);
  return { point, others };
}

function isWildcard({ address }: ListenPoint): boolean {
  return address.host === '0.0.0.0' || address.host === '::';
}

function takesIn({ address, options }: ListenPoint, host: string): boolean {
  if (host.includes(':')) return address.host === '::';
  return address.host === '0.0.0.0' || (address.host === '::' && !options.isIpv6Only);
}
