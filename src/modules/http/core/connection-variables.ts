/*
 * Variables about the client's connection: its two addresses, what a PROXY protocol header said, its age.
 */
import { parseIpAddress, toBinary } from '../../../core/ip-address.js';
import { formatSeconds } from '../../../log/seconds.js';
import type { ProxyProtocolHeader } from '../../../net/proxy-protocol.js';
import { logErrorOf } from '../../../request/error-line.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { VariableTable } from '../../../variables/variable-table.js';

/** $remote_addr, $server_port, $connection, $proxy_protocol_* ... */
export function addConnectionVariables(table: VariableTable<HttpRequest>): void {
  const define = (name: string, get: (request: HttpRequest) => string | null) => table.define({ name, get });
  table.define({ name: 'remote_addr', isOneLine: true, get: ({ remoteAddress }) => remoteAddress });
  define('remote_port', ({ remotePort }) => portText(remotePort));
  define('binary_remote_addr', ({ remoteAddress }) => {
    const address = parseIpAddress(remoteAddress);
    return address === null ? remoteAddress : toBinary(address);
  });
  define('server_addr', ({ client }) => client.localAddress);
  define('server_port', ({ client }) => portText(client.localPort));
  define('connection', ({ client }) => String(client.connectionNumber));
  define('connection_requests', ({ client }) => String(client.requestCount));
  table.define({
    name: 'connection_time',
    isVolatile: true,
    get: ({ client, context }) => formatSeconds(context.clock.nowMs() - client.connectedMs),
  });
  define('pipe', ({ client }) => (client.isPipelined ? 'p' : '.'));
  addProxyProtocol(table);
  // differs from nginx: Node tells nothing of what the kernel measured of a connection, so these are empty.
  for (const name of ['rtt', 'rttvar', 'snd_cwnd', 'rcv_space']) define(`tcpinfo_${name}`, () => null);
}

function portText(port: number): string {
  return port > 0 ? String(port) : '';
}

function addProxyProtocol(table: VariableTable<HttpRequest>): void {
  const define = (name: string, get: (header: ProxyProtocolHeader) => string) =>
    table.define({
      name: `proxy_protocol_${name}`,
      get: ({ client }) => (client.proxyProtocol === null ? null : get(client.proxyProtocol)),
    });
  define('addr', ({ sourceAddress }) => sourceAddress);
  define('port', ({ sourcePort }) => portText(sourcePort));
  define('server_addr', ({ destinationAddress }) => destinationAddress);
  define('server_port', ({ destinationPort }) => portText(destinationPort));
  table.defineFamily({
    prefix: 'proxy_protocol_tlv_',
    member: (name) => ({ get: (request) => findTlv(request, name) }),
  });
}

const TLV_TYPES: Readonly<Record<string, number>> = {
  alpn: 0x01,
  authority: 0x02,
  unique_id: 0x05,
  ssl: 0x20,
  netns: 0x30,
};

/** Within the TLV `ssl`. */
const SSL_TLV_TYPES: Readonly<Record<string, number>> = {
  version: 0x21,
  cn: 0x22,
  cipher: 0x23,
  sig_alg: 0x24,
  key_alg: 0x25,
};

/** What stands before the TLVs within `ssl`: a byte for what the client has, four for the outcome of its check. */
const SSL_HEAD_BYTES = 5;

function findTlv(request: HttpRequest, name: string): string | null {
  const tlvs = request.client.proxyProtocol?.tlvs ?? null;
  if (tlvs === null) return null;
  if (!name.startsWith('ssl_')) {
    const type = typeOf(request, TLV_TYPES, name);
    return type === null ? null : (tlvs.get(type)?.toString('latin1') ?? null);
  }
  const ssl = tlvs.get(TLV_TYPES.ssl!);
  if (ssl === undefined || ssl.length < SSL_HEAD_BYTES) return null;
  if (name === 'ssl_verify') return String(ssl.readUInt32BE(1));
  const type = typeOf(request, SSL_TLV_TYPES, name.slice(4));
  return type === null ? null : findInside(ssl.subarray(SSL_HEAD_BYTES), type);
}

/** A type by its name, or as 0x and hexadecimal digits. */
function typeOf(request: HttpRequest, types: Readonly<Record<string, number>>, name: string): number | null {
  if (/^0x[\da-f]+$/.test(name)) return Number(name);
  if (Object.hasOwn(types, name)) return types[name]!;
  logErrorOf(request, 'error', `unknown PROXY protocol TLV "${name}"`);
  return null;
}

function findInside(tlvs: Buffer, type: number): string | null {
  for (let at = 0; at + 3 <= tlvs.length; ) {
    const end = at + 3 + tlvs.readUInt16BE(at + 1);
    if (end > tlvs.length) return null;
    if (tlvs[at] === type) return tlvs.toString('latin1', at + 3, end);
    at = end;
  }
  return null;
}
