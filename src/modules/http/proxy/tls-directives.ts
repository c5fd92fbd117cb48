/*
 * The directives of nginx's http proxy module about TLS to upstreams, as data.
 */
import { parameters, rest } from '../../../conf/schema/arguments.js';
import { lineDirectives } from '../../../conf/schema/definition.js';
import { flag } from '../../../conf/values/flag.js';
import { keyword } from '../../../conf/values/keyword.js';
import { number } from '../../../conf/values/number.js';
import { text } from '../../../conf/values/text.js';
import { wholeSecondsMs } from '../../../conf/values/time.js';
import { variableText } from '../../../conf/values/variable-text.js';
import { TLS_PROTOCOLS } from '../../../net/tls/tls-context.js';

const simple = lineDirectives(['http', 'server', 'location']);

export const proxySslServerName = simple(
  'proxy_ssl_server_name',
  'on | off',
  [flag],
  'off',
  'Whether upstreams are told by TLS which name is asked for (SNI).',
);
export const proxySslName = simple(
  'proxy_ssl_name',
  'name',
  [variableText],
  '$proxy_host',
  "The name that an upstream's certificate must be for, and that it is told.",
);
export const proxySslVerify = simple(
  'proxy_ssl_verify',
  'on | off',
  [flag],
  'off',
  "Whether an upstream's certificate must be one to trust.",
);
export const proxySslVerifyDepth = simple(
  'proxy_ssl_verify_depth',
  'number',
  [number()],
  '1',
  "How many authorities may stand between an upstream's certificate and a trusted one.",
);
export const proxySslTrustedCertificate = simple(
  'proxy_ssl_trusted_certificate',
  'file',
  [text('file')],
  null,
  "The authorities that vouch for upstreams' certificates, in a PEM file.",
);
export const proxySslCrl = simple(
  'proxy_ssl_crl',
  'file',
  [text('file')],
  null,
  "A PEM file with revoked certificates, for upstreams'.",
);
export const proxySslCertificate = simple(
  'proxy_ssl_certificate',
  'file',
  [variableText],
  null,
  'The certificate that upstreams are shown, in a PEM file; empty for none.',
);
export const proxySslCertificateKey = simple(
  'proxy_ssl_certificate_key',
  'file',
  [variableText],
  null,
  'The key of that certificate, in a PEM file.',
  { differs: 'OpenSSL engines cannot be used.' },
);
export const proxySslCertificateCache = simple(
  'proxy_ssl_certificate_cache',
  'off | max=number [inactive=time] [valid=time]',
  [parameters({ off: null, max: number({ min: 1 }), inactive: wholeSecondsMs, valid: wholeSecondsMs })],
  'off',
  'Keeps certificates whose names have variables, without a look at their files each time.',
  { counts: [1, 2, 3] },
);
export const proxySslPasswordFile = simple(
  'proxy_ssl_password_file',
  'file',
  [text('file')],
  null,
  'A file with the passwords of keys, one a line; each is tried.',
);
export const proxySslProtocols = simple(
  'proxy_ssl_protocols',
  '[SSLv2] [SSLv3] [TLSv1] [TLSv1.1] [TLSv1.2] [TLSv1.3]',
  [rest(keyword(...TLS_PROTOCOLS), 1)],
  'TLSv1.2 TLSv1.3',
  'The protocols that upstreams are offered.',
);
export const proxySslCiphers = simple(
  'proxy_ssl_ciphers',
  'ciphers',
  [text('ciphers')],
  'DEFAULT',
  'The ciphers that upstreams are offered, as OpenSSL lists them.',
);
export const proxySslSessionReuse = simple(
  'proxy_ssl_session_reuse',
  'on | off',
  [flag],
  'on',
  'Whether connections to an upstream go on with sessions of those before.',
);
export const proxySslConfCommand = simple(
  'proxy_ssl_conf_command',
  'name value',
  [text('name'), text('value')],
  null,
  'A setting of OpenSSL by its own name.',
  {
    isRepeatable: true,
    differs:
      'Node lets through Ciphersuites, CipherString, MinProtocol, MaxProtocol, Groups, SignatureAlgorithms and some Options.',
  },
);

/** All of them. */
export const PROXY_TLS_DIRECTIVES = [
  proxySslServerName,
  proxySslName,
  proxySslVerify,
  proxySslVerifyDepth,
  proxySslTrustedCertificate,
  proxySslCrl,
  proxySslCertificate,
  proxySslCertificateKey,
  proxySslCertificateCache,
  proxySslPasswordFile,
  proxySslProtocols,
  proxySslCiphers,
  proxySslSessionReuse,
  proxySslConfCommand,
] as const;
