/*
 * What may follow the address of `listen`.
 */
import { parameters } from '../../../conf/schema/arguments.js';
import { keyword } from '../../../conf/values/keyword.js';
import { number } from '../../../conf/values/number.js';
import { size } from '../../../conf/values/size.js';
import { text } from '../../../conf/values/text.js';
import { timeMs } from '../../../conf/values/time.js';
import { Refusal, type ValueType } from '../../../conf/values/value-type.js';

/** so_keepalive: milliseconds before the first probe, or as the system has it (-1); false: no probes. */
const keepaliveProbes: ValueType<number | false> = {
  label: 'on | off | [idle]:[interval]:[count]',
  parse(value) {
    if (value === 'on') return -1;
    if (value === 'off') return false;
    const parts = value.split(':');
    const idle = parts[0] === '' ? -1 : timeMs.parse(parts[0]!);
    if (
      parts.length > 1 &&
      parts.length <= 3 &&
      typeof idle === 'number' &&
      parts.some((part) => part !== '')
    )
      return idle;
    return new Refusal(
      `Cannot take "${value}": use on, off or idle:interval:count, such as 30m::10`,
      () => `invalid so_keepalive value: "${value}"`,
    );
  },
};

/** By nginx's names. */
export const listenParameters = parameters({
  default_server: null,
  default: null,
  bind: null,
  proxy_protocol: null,
  reuseport: null,
  deferred: null,
  multipath: null,
  ssl: null,
  http2: null,
  quic: null,
  backlog: number({ min: 1 }),
  rcvbuf: size,
  sndbuf: size,
  setfib: number(),
  fastopen: number(),
  accept_filter: text('name'),
  ipv6only: keyword('on', 'off'),
  so_keepalive: keepaliveProbes,
});
