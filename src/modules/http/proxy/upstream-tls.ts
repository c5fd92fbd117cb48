/*
 * What a location says of TLS to its upstream: decided once, or for each name and certificate where these have variables.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import type { Scope } from '../../../conf/schema/scope.js';
import type { TlsContext, TlsContextOptions } from '../../../net/tls/tls-context.js';
import { logErrorOf } from '../../../request/error-line.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { UpstreamSettings } from '../../../request/upstream-settings.js';
import { UpstreamTls, type UpstreamTlsRules } from '../../../upstream/upstream-tls.js';
import type { Text } from '../../../variables/text.js';
import type { LocationBuild } from '../../module.js';
import {
  type CertificateCacheRules,
  type CertificateContext,
  CertificateContexts,
} from '../../tls/certificate-contexts.js';
import { buildTlsContext, readTlsOptions, resolvePem } from '../../tls/context-builder.js';
import { readPasswords } from '../../tls/pem-files.js';
import { UPSTREAM_TLS_OF } from '../../tls/upstream-tls-of.js';
import type { PassedUrl } from './proxy-pass.js';
import * as proxy from './tls-directives.js';

/** Names of one location that are kept at most; variables may make any number of them. */
const MAX_KEPT = 1000;

/** Null where the upstream is never asked by TLS, and where something is wrong, which is reported. */
export function upstreamTls(scope: Scope, build: LocationBuild, passed: PassedUrl): UpstreamSettings['tls'] {
  const { destination } = passed;
  if (destination !== null && !destination.usesTls) return null;
  const rules = rulesOf(scope, build);
  const certificate = certificateTexts(scope, build);
  if (rules === null || certificate === undefined) return null;
  const isFixed = certificate === null || certificate.isFixed;
  const directives = {
    certificates: certificate !== null && isFixed ? [scope.find(proxy.proxySslCertificate)!] : [],
    keys: certificate !== null && isFixed ? [scope.find(proxy.proxySslCertificateKey)!] : [],
    passwordFile: scope.find(proxy.proxySslPasswordFile),
    protocols: scope.value(proxy.proxySslProtocols),
    protocolsAt: scope.find(proxy.proxySslProtocols),
    ciphers: scope.value(proxy.proxySslCiphers)[0],
    ciphersAt: scope.find(proxy.proxySslCiphers),
    curves: 'auto',
    curvesAt: null,
    authorities: rules.verifies ? scope.all(proxy.proxySslTrustedCertificate) : [],
    crl: rules.verifies ? scope.find(proxy.proxySslCrl) : null,
    dhParameters: null,
    commands: scope.all(proxy.proxySslConfCommand),
    server: null,
  };
  const options = readTlsOptions(directives, build);
  const context = options === null ? null : buildTlsContext(directives, options, scope.opener!.node, build);
  if (context === null) return null;
  const namePlace = scope.find(proxy.proxySslName);
  const name = namePlace === null ? null : build.text(namePlace.values[0], namePlace.node.args[0]!);
  const choose = isFixed ? null : contextChooser(options!, certificate, scope, build);
  const kept = new Map<string, UpstreamTls>();
  const find = (text: string, own: TlsContext, key: string) =>
    keptOrMade(kept, `${key} ${text}`, () => new UpstreamTls(own, text, rules));
  const fixedName = name === null ? (destination?.host ?? null) : name.constant;
  if (fixedName !== null && choose === null) {
    const tls = find(hostOf(fixedName), context, '');
    build.shared(UPSTREAM_TLS_OF).set(build.location, tls);
    return () => tls;
  }
  return (request, { host }) => {
    const text = hostOf(name === null ? host : name.evaluate(request));
    if (choose === null) return find(text, context, '');
    const chosen = choose(request);
    return chosen === null ? null : find(text, chosen.context, chosen.key);
  };
}

function rulesOf(scope: Scope, build: LocationBuild): UpstreamTlsRules | null {
  const verify = scope.find(proxy.proxySslVerify);
  const verifies = verify?.values[0] ?? false;
  if (verifies && scope.find(proxy.proxySslTrustedCertificate) === null) {
    const message = '"proxy_ssl_verify" needs to know whom to trust';
    const nginxText = 'no proxy_ssl_trusted_certificate for proxy_ssl_verify';
    const hint = 'add proxy_ssl_trusted_certificate FILE; such as /etc/ssl/certs/ca-certificates.crt';
    build.report(verify!.node, finding('proxy-ssl-verify', message, hint, nginxText));
    return null;
  }
  return {
    sendsName: scope.value(proxy.proxySslServerName)[0],
    verifies,
    verifyDepth: scope.value(proxy.proxySslVerifyDepth)[0],
    reusesSessions: scope.value(proxy.proxySslSessionReuse)[0],
  };
}

/** The names of a certificate and its key. */
interface CertificateTexts {
  readonly certificate: Text<HttpRequest>;
  readonly key: Text<HttpRequest>;
  readonly isFixed: boolean;
}

/** Null for none; undefined if that was reported. */
function certificateTexts(scope: Scope, build: LocationBuild): CertificateTexts | null | undefined {
  const place = scope.find(proxy.proxySslCertificate);
  if (place === null) return null;
  const certificate = build.text(place.values[0], place.node.args[0]!);
  if (certificate.constant === '') return null;
  const keyPlace = scope.find(proxy.proxySslCertificateKey);
  if (keyPlace === null) {
    const name = place.node.args[0]!.text;
    const nginxText = `no "proxy_ssl_certificate_key" is defined for certificate "${name}"`;
    const message = `certificate "${name}" has no proxy_ssl_certificate_key`;
    const hint = 'name its key by proxy_ssl_certificate_key';
    build.report(place.node, finding('proxy-ssl-key', message, hint, nginxText));
    return undefined;
  }
  const key = build.text(keyPlace.values[0], keyPlace.node.args[0]!);
  return { certificate, key, isFixed: certificate.constant !== null && key.constant !== null };
}

/** nginx's, where the directive leaves them out. */
const INACTIVE_MS = 10_000;
const VALID_MS = 60_000;

function cacheRules(scope: Scope): CertificateCacheRules | null {
  const [given] = scope.value(proxy.proxySslCertificateCache);
  const { max, inactive: inactiveMs = INACTIVE_MS, valid: validMs = VALID_MS } = given;
  return max === undefined ? null : { max, inactiveMs, validMs };
}

/** What finds the context of a request; null if it can't be had, which is logged. */
function contextChooser(
  options: TlsContextOptions,
  { certificate, key }: CertificateTexts,
  scope: Scope,
  build: LocationBuild,
): (request: HttpRequest) => CertificateContext | null {
  const passwordFile = scope.find(proxy.proxySslPasswordFile);
  const passwords =
    passwordFile === null
      ? []
      : readPasswords(build.resolvePath(passwordFile.values[0], 'conf'), (path) => build.readFile(path));
  const contexts = new CertificateContexts(options, passwords, cacheRules(scope));
  return (request) => {
    const name = certificate.evaluate(request);
    try {
      return name === ''
        ? contexts.find('', '')
        : contexts.find(resolvePem(name, build), resolvePem(key.evaluate(request), build));
    } catch (error) {
      logErrorOf(request, 'error', (error as Error).message);
      return null;
    }
  };
}

/** The value of a key; the eldest gives way to one that is new. */
function keptOrMade<T>(kept: Map<string, T>, key: string, make: () => T): T {
  let value = kept.get(key);
  if (value !== undefined) return value;
  value = make();
  if (kept.size >= MAX_KEPT) {
    const [eldest] = kept.keys();
    kept.delete(eldest!);
  }
  kept.set(key, value);
  return value;
}

/** Without the port. */
function hostOf(name: string): string {
  if (name.startsWith('[')) return name.slice(1, name.indexOf(']'));
  const colon = name.indexOf(':');
  return colon < 0 ? name : name.slice(0, colon);
}
