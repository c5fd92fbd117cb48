/*
 * `ssl_conf_command` and its kin: names and values as OpenSSL's SSL_CONF_cmd takes them, as far as Node lets through.
 */
import { constants } from 'node:crypto';
import { TLS_PROTOCOLS, type TlsProtocol } from '../../net/tls/tls-context.js';

/** What commands change. */
export interface CommandTargets {
  protocols: readonly TlsProtocol[];
  ciphers: string;
  curves: string;
  signatures: string | null;
  /** Bits that are set, and then bits that are cleared. */
  optionsOn: number;
  optionsOff: number;
}

const OPTIONS: Readonly<Record<string, number>> = {
  serverpreference: constants.SSL_OP_CIPHER_SERVER_PREFERENCE,
  prioritizechacha: constants.SSL_OP_PRIORITIZE_CHACHA ?? 1 << 21,
  noresumptiononrenegotiation: constants.SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION,
  norenegotiation: constants.SSL_OP_NO_RENEGOTIATION,
};

/** Those that have the opposite effect of their bit. */
const INVERTED_OPTIONS: Readonly<Record<string, number>> = {
  sessionticket: constants.SSL_OP_NO_TICKET,
  encryptthenmac: constants.SSL_OP_NO_ENCRYPT_THEN_MAC,
};

/** By their names in lower case, each giving why it can't be, or null. */
const COMMANDS: Readonly<Record<string, (targets: CommandTargets, value: string) => string | null>> = {
  ciphersuites(targets, value) {
    targets.ciphers = [value, ...targets.ciphers.split(':').filter((name) => !name.startsWith('TLS_'))].join(
      ':',
    );
    return null;
  },
  cipherstring(targets, value) {
    targets.ciphers = [...targets.ciphers.split(':').filter((name) => name.startsWith('TLS_')), value].join(
      ':',
    );
    return null;
  },
  minprotocol: (targets, value) => limit(targets, value, (index, bound) => index >= bound),
  maxprotocol: (targets, value) => limit(targets, value, (index, bound) => index <= bound),
  curves(targets, value) {
    targets.curves = value;
    return null;
  },
  groups(targets, value) {
    targets.curves = value;
    return null;
  },
  signaturealgorithms(targets, value) {
    targets.signatures = value;
    return null;
  },
  options(targets, value) {
    for (const word of value.split(',')) {
      const isOff = word.startsWith('-');
      const name = word.replace(/^[-+]/, '').toLowerCase();
      const bit = OPTIONS[name] ?? INVERTED_OPTIONS[name];
      if (bit === undefined) return `option "${word}" can't be set here`;
      const isBitOn = name in INVERTED_OPTIONS ? isOff : !isOff;
      if (isBitOn) targets.optionsOn |= bit;
      else targets.optionsOff |= bit;
    }
    return null;
  },
};

/** Carries a command out on `targets`. Why it can't be done, or null. */
export function runConfCommand(targets: CommandTargets, name: string, value: string): string | null {
  const command = COMMANDS[name.toLowerCase()];
  if (command !== undefined) return command(targets, value);
  const known =
    'Ciphersuites, CipherString, MinProtocol, MaxProtocol, Groups, SignatureAlgorithms and Options';
  return `Node lets through ${known} alone`;
}

function limit(
  targets: CommandTargets,
  value: string,
  isWithin: (index: number, bound: number) => boolean,
): string | null {
  const bound = TLS_PROTOCOLS.findIndex((protocol) => protocol.toLowerCase() === value.toLowerCase());
  if (bound < 0) return `"${value}" is no protocol; use ${TLS_PROTOCOLS.join(', ')}`;
  targets.protocols = TLS_PROTOCOLS.filter((protocol, index) => {
    const isExtended = targets.protocols.includes(protocol) || index === bound;
    return isExtended && isWithin(index, bound);
  });
  return null;
}
