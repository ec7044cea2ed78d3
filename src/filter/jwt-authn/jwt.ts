import { JwtStatus } from './jwt-status.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** A token in its parts (RFC 7519), whose signature nobody has looked at. */
export interface Jwt {
  readonly alg: string;
  /** Empty: it names no key. */
  readonly kid: string;
  readonly issuer: string;
  readonly subject: string;
  readonly audiences: readonly string[];
  /** Seconds since the Unix epoch; 0: never. */
  readonly expiresAt: number;
  /** Seconds since the Unix epoch; 0: at once. */
  readonly notBefore: number;
  readonly header: Claims;
  readonly payload: Claims;
  /** The payload as it stood in the token. */
  readonly payloadText: string;
  /** `header.payload`: what is signed. */
  readonly signedText: string;
  readonly signature: Uint8Array;
}

const algorithms: ReadonlySet<string> = new Set(
  ['ES', 'HS', 'RS', 'PS'].flatMap((family) => ['256', '384', '512'].map((bits) => family + bits)).concat('EdDSA'),
);

/** RFC 4648 §5, with or without padding. */
const base64Url = /^[A-Za-z0-9_-]*={0,2}$/;

const maxInteger = 2 ** 64;

/** Objects and arrays within each other, the outermost included: protobuf's own limit, which is Envoy's. */
const depthMax = 100;

/** Ends the reading of a token with why. */
class Fault {
  readonly status: JwtStatus;

  constructor(status: JwtStatus) {
    this.status = status;
  }
}

/** Reads a token, or says what is wrong with it: checks in Envoy's order. */
export function parseJwt(token: string): Jwt | JwtStatus {
  try {
    return parse(token);
  } catch (fault) {
    if (fault instanceof Fault) return fault.status;
    throw fault;
  }
}

export function isJwt(parsed: Jwt | JwtStatus): parsed is Jwt {
  return 'signature' in parsed;
}

function parse(token: string): Jwt {
  // Empty sections do not count, as in Envoy.
  const sections = token.split('.', 16).filter((section) => section !== '');
  if (sections.length !== 3) throw new Fault(JwtStatus.BadFormat);
  const [headerText, payloadText, signatureText] = sections;
  const header = readJson(headerText, JwtStatus.HeaderBadBase64, JwtStatus.HeaderBadJson);
  const alg = Object.hasOwn(header, 'alg') ? header['alg'] : undefined;
  if (typeof alg !== 'string') throw new Fault(JwtStatus.HeaderBadAlg);
  if (!algorithms.has(alg)) throw new Fault(JwtStatus.HeaderUnknownAlg);
  const kid = readText(header, 'kid', JwtStatus.HeaderBadKid);
  const payload = readJson(payloadText, JwtStatus.PayloadBadBase64, JwtStatus.PayloadBadJson);
  const issuer = readText(payload, 'iss', JwtStatus.IssuerNotString);
  const subject = readText(payload, 'sub', JwtStatus.SubjectNotString);
  readInteger(payload, 'iat', JwtStatus.IssuedAtNotInteger, JwtStatus.IssuedAtOutOfRange);
  const notBefore = readInteger(payload, 'nbf', JwtStatus.NotBeforeNotInteger, JwtStatus.NotBeforeOutOfRange);
  const expiresAt = readInteger(payload, 'exp', JwtStatus.ExpiresNotInteger, JwtStatus.ExpiresOutOfRange);
  readText(payload, 'jti', JwtStatus.IdNotString);
  const audiences = readAudiences(payload);
  const signature = readBase64(signatureText, JwtStatus.SignatureBadBase64);
  const signedText = `${headerText}.${payloadText}`;
  return {
    alg,
    kid,
    issuer,
    subject,
    audiences,
    expiresAt,
    notBefore,
    header,
    payload,
    payloadText,
    signedText,
    signature,
  };
}

function readJson(section: string, badBase64: JwtStatus, badJson: JwtStatus): Claims {
  const bytes = readBase64(section, badBase64);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Fault(badJson);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Fault(badJson);
  if (isDeeper(value, depthMax)) throw new Fault(badJson);
  return value as Claims;
}

/** What a payload says goes on to metadata, logs and expressions, none of which may run out of stack. */
function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((inner) => isDeeper(inner, depth - 1));
}

function readBase64(section: string, bad: JwtStatus): Uint8Array {
  const length = section.indexOf('=') < 0 ? section.length : section.indexOf('=');
  if (!base64Url.test(section) || length % 4 === 1) throw new Fault(bad);
  if (length < section.length && section.length % 4 !== 0) throw new Fault(bad);
  return Buffer.from(section, 'base64url');
}

function readText(claims: Claims, name: string, bad: JwtStatus): string {
  if (!Object.hasOwn(claims, name)) return '';
  const value = claims[name];
  if (typeof value !== 'string') throw new Fault(bad);
  return value;
}

function readInteger(claims: Claims, name: string, bad: JwtStatus, outOfRange: JwtStatus): number {
  if (!Object.hasOwn(claims, name)) return 0;
  const value = claims[name];
  if (typeof value !== 'number') throw new Fault(bad);
  if (value < 0 || value >= maxInteger) throw new Fault(outOfRange);
  return Math.trunc(value);
}

function readAudiences(claims: Claims): readonly string[] {
  if (!Object.hasOwn(claims, 'aud')) return [];
  const value = claims['aud'];
  if (typeof value === 'string') return [value];
  const isList = Array.isArray(value) && value.every((audience) => typeof audience === 'string');
  if (!isList) throw new Fault(JwtStatus.AudienceNotString);
  return value;
}
