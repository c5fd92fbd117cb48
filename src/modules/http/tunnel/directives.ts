/*
 * The directives of nginx's http tunnel module, as data.
 */
import { optional, rest } from '../../../conf/schema/arguments.js';
import { lineDirectives } from '../../../conf/schema/definition.js';
import { flag } from '../../../conf/values/flag.js';
import { keyword } from '../../../conf/values/keyword.js';
import { number } from '../../../conf/values/number.js';
import { size } from '../../../conf/values/size.js';
import { timeMs } from '../../../conf/values/time.js';
import { variableText } from '../../../conf/values/variable-text.js';

const LEVELS = ['http', 'server', 'location'] as const;

const simple = lineDirectives(LEVELS);

const IDLE = { effect: 'none' } as const;

export const tunnelPass = simple(
  'tunnel_pass',
  '[address]',
  [optional(variableText)],
  null,
  'Joins clients that ask by CONNECT to a server or a group of them; without an address to whatever they name.',
  { contexts: ['server', 'location', 'location if'], inherit: 'none' },
);
export const tunnelBind = simple(
  'tunnel_bind',
  'address [transparent] | off',
  [variableText, optional(keyword('transparent'))],
  null,
  'The local address that connections come from.',
);
export const tunnelConnectTimeout = simple(
  'tunnel_connect_timeout',
  'time',
  [timeMs],
  '60s',
  'How long it may take to connect.',
);
export const tunnelReadTimeout = simple(
  'tunnel_read_timeout',
  'time',
  [timeMs],
  '60s',
  'How long nothing may move either way; then the tunnel is closed.',
);
export const tunnelNextUpstream = simple(
  'tunnel_next_upstream',
  'error | timeout | off ...',
  [rest(keyword('error', 'timeout', 'off'), 1)],
  'error timeout',
  'After which failures to connect another peer is tried.',
);
export const tunnelNextUpstreamTries = simple(
  'tunnel_next_upstream_tries',
  'number',
  [number()],
  '0',
  'How many peers are tried at most; 0 for all.',
);
export const tunnelNextUpstreamTimeout = simple(
  'tunnel_next_upstream_timeout',
  'time',
  [timeMs],
  '0',
  'For how long others are tried; 0 for no limit.',
);

/** All of them. */
export const TUNNEL_DIRECTIVES = [
  tunnelPass,
  tunnelBind,
  tunnelConnectTimeout,
  tunnelReadTimeout,
  tunnelNextUpstream,
  tunnelNextUpstreamTries,
  tunnelNextUpstreamTimeout,
  simple(
    'tunnel_send_timeout',
    'time',
    [timeMs],
    '60s',
    'How long a side may take nothing; here tunnel_read_timeout counts for that too.',
    IDLE,
  ),
  simple('tunnel_buffer_size', 'size', [size], '4k', 'The size of reads; our own here.', IDLE),
  simple('tunnel_send_lowat', 'size', [size], '0', 'The least a socket sends at once on FreeBSD.', IDLE),
  simple('tunnel_socket_keepalive', 'on | off', [flag], 'off', 'TCP keepalive probes; none are here.', IDLE),
  simple('tunnel_socket_rcvbuf', 'size', [size], '0', "The system's own is used here.", IDLE),
  simple('tunnel_socket_sndbuf', 'size', [size], '0', "The system's own is used here.", IDLE),
] as const;
