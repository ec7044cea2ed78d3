import { isIPv4, isIPv6 } from 'node:net';
import { KnownRegex, type BytesRules, type StringRules } from '../../proto/validate/validate_pb.js';
import { anyOf, isSet, type Rule } from './rule.ts';

const encoder = new TextEncoder();

export function stringRules(rules: StringRules): Rule[] {
  const result: Rule[] = [];
  const add = (isRight: (text: string) => boolean, message: string): void => {
    result.push((value) => (isRight(value as string) ? null : message));
  };
  const { const: constant, prefix, suffix, contains, notContains, pattern } = rules;
  if (isSet(rules, 'const')) add((text) => text === constant, `must be ${JSON.stringify(constant)}`);
  addLengths(rules, characters, 'character', ['len', 'minLen', 'maxLen'], add);
  addLengths(rules, bytes, 'byte', ['lenBytes', 'minBytes', 'maxBytes'], add);
  if (isSet(rules, 'prefix')) add((text) => text.startsWith(prefix), `must begin with ${JSON.stringify(prefix)}`);
  if (isSet(rules, 'suffix')) add((text) => text.endsWith(suffix), `must end with ${JSON.stringify(suffix)}`);
  if (isSet(rules, 'contains')) add((text) => text.includes(contains), `must contain ${JSON.stringify(contains)}`);
  if (isSet(rules, 'notContains'))
    add((text) => !text.includes(notContains), `must not contain ${JSON.stringify(notContains)}`);
  if (isSet(rules, 'pattern')) {
    const regex = new RegExp(pattern, 'u');
    add((text) => regex.test(text), `must match ${pattern}`);
  }
  if (rules.in.length > 0) add((text) => rules.in.includes(text), `must be ${anyOf(rules.in.map(quote))}`);
  if (rules.notIn.length > 0)
    add((text) => !rules.notIn.includes(text), `must not be ${anyOf(rules.notIn.map(quote))}`);
  const known = wellKnownRule(rules);
  if (known !== null) add(...known);
  return result;
}

export function bytesRules(rules: BytesRules): Rule[] {
  const result: Rule[] = [];
  const add = (isRight: (value: Uint8Array) => boolean, message: string): void => {
    result.push((value) => (isRight(value as Uint8Array) ? null : message));
  };
  const constant = latin1(rules.const ?? new Uint8Array(0));
  if (isSet(rules, 'const')) add((value) => latin1(value) === constant, 'must be the one value that is allowed');
  addLengths(rules, (value: Uint8Array) => value.length, 'byte', ['len', 'minLen', 'maxLen'], add);
  if (isSet(rules, 'prefix')) add((value) => latin1(value).startsWith(latin1(rules.prefix)), 'must have the prefix');
  if (isSet(rules, 'suffix')) add((value) => latin1(value).endsWith(latin1(rules.suffix)), 'must have the suffix');
  if (isSet(rules, 'contains'))
    add((value) => latin1(value).includes(latin1(rules.contains)), 'must contain the value');
  if (isSet(rules, 'pattern')) {
    const regex = new RegExp(rules.pattern);
    add((value) => regex.test(latin1(value)), `must match ${rules.pattern}`);
  }
  if (rules.in.length > 0) {
    const wanted = new Set(rules.in.map(latin1));
    add((value) => wanted.has(latin1(value)), 'must be one of the values that are allowed');
  }
  if (rules.notIn.length > 0) {
    const unwanted = new Set(rules.notIn.map(latin1));
    add((value) => !unwanted.has(latin1(value)), 'must not be one of the values that are not allowed');
  }
  const size = rules.wellKnown.case;
  if (size !== undefined) {
    const sizes = { ip: [4, 16], ipv4: [4], ipv6: [16] }[size];
    add((value) => sizes.includes(value.length), `must be an address of ${sizes.join(' or ')} bytes`);
  }
  return result;
}

function latin1(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1');
}

function quote(text: string): string {
  return JSON.stringify(text);
}

/** Code points, as protoc-gen-validate counts. */
function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function bytes(text: string): number {
  return encoder.encode(text).length;
}

function addLengths<T, Names extends string>(
  rules: Readonly<Record<Names, bigint>>,
  measure: (value: T) => number,
  unit: string,
  [exact, min, max]: readonly [Names, Names, Names],
  add: (isRight: (value: T) => boolean, message: string) => void,
): void {
  const size = (limit: number): string => `${limit} ${unit}${limit === 1 ? '' : 's'}`;
  if (isSet(rules, exact)) {
    const wanted = Number(rules[exact]);
    add((value) => measure(value) === wanted, `must have ${size(wanted)}`);
  }
  if (isSet(rules, min)) {
    const least = Number(rules[min]);
    add((value) => measure(value) >= least, least === 1 ? 'must not be empty' : `must have at least ${size(least)}`);
  }
  if (isSet(rules, max)) {
    const most = Number(rules[max]);
    add((value) => measure(value) <= most, `must have at most ${size(most)}`);
  }
}

type KnownRule = [isRight: (text: string) => boolean, message: string];

function wellKnownRule(rules: StringRules): KnownRule | null {
  switch (rules.wellKnown.case) {
    case 'email':
      return [isEmail, 'must be an e-mail address'];
    case 'hostname':
      return [isHostname, 'must be a host name'];
    case 'ip':
      return [isIp, 'must be an IP address'];
    case 'ipv4':
      return [isIPv4, 'must be an IPv4 address'];
    case 'ipv6':
      return [isIPv6, 'must be an IPv6 address'];
    case 'uri':
      return [(text) => isUri(text, true), 'must be a URI with a scheme'];
    case 'uriRef':
      return [(text) => isUri(text, false), 'must be a URI'];
    case 'address':
      return [(text) => isHostname(text) || isIp(text), 'must be a host name or an IP address'];
    case 'uuid':
      return [(text) => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text), 'must be a UUID'];
    case 'wellKnownRegex':
      return knownRegex(rules.wellKnown.value, !isSet(rules, 'strict') || rules.strict);
    default:
      return null;
  }
}

/** The expressions of protoc-gen-validate; not strict: anything but NUL, CR and LF. */
function knownRegex(kind: KnownRegex, isStrict: boolean): KnownRule | null {
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  const value = isStrict ? /^[^\x00-\x08\x0a-\x1f\x7f]*$/ : /^[^\0\n\r]*$/;
  const name = isStrict ? /^:?[0-9a-zA-Z!#$%&'*+\-.^_|~`]+$/ : value;
  switch (kind) {
    case KnownRegex.HTTP_HEADER_NAME:
      return [(text) => name.test(text), 'must be a header name'];
    case KnownRegex.HTTP_HEADER_VALUE:
      return [(text) => value.test(text), 'must be a header value: no control characters'];
    default:
      return null;
  }
}

function isIp(text: string): boolean {
  return isIPv4(text) || isIPv6(text);
}

/** RFC 1034: at most 253 characters, labels of at most 63 letters, digits and inner hyphens. */
function isHostname(text: string): boolean {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  return name.length <= 253 && name.split('.').every((label) => /^[0-9a-z](?:[0-9a-z-]{0,61}[0-9a-z])?$/i.test(label));
}

function isEmail(text: string): boolean {
  const at = text.lastIndexOf('@');
  return at > 0 && at <= 64 && text.length <= 254 && !/\s/.test(text) && isHostname(text.slice(at + 1));
}

function isUri(text: string, isAbsolute: boolean): boolean {
  return isAbsolute ? /^[a-z]/i.test(text) && URL.canParse(text) : URL.canParse(text, 'http://host/');
}
