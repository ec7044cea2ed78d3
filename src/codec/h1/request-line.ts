import { latin1 } from '../../core/bytes.ts';
import type { Failure } from '../../core/failure.ts';
import { HttpVersion } from '../../core/head.ts';
import { CR, LF, SP, TAB, fieldByte, targetByte, tokenLower } from './characters.ts';
import { CodecError, InvalidCharacters, LowVersion } from './failures.ts';
import { Failed, Incomplete, scanner } from './field-scanner.ts';
import { knownMethods } from './methods.ts';
import { hasTargetBytes, isTargetValid } from './request-target.ts';

const version11 = Uint8Array.from('HTTP/1.1\r\n', (c) => c.charCodeAt(0));

/** What a request line says (RFC 9112 section 3). One serves all connections of a thread: valid until the next scan. */
export class RequestLine {
  method: string;
  version: HttpVersion;
  /** Where the target stands in the scanned bytes. */
  targetStart: number;
  targetEnd: number;

  constructor() {
    this.method = '';
    this.version = HttpVersion.Http11;
    this.targetStart = 0;
    this.targetEnd = 0;
  }

  /** The position after the line, `Incomplete`, or `Failed` with the scanner's `failure` set. */
  scan(bytes: Uint8Array, from: number, to: number, allowCustomMethods: boolean): number {
    let pos = from;
    while (pos < to && tokenLower[bytes[pos]] !== 0) pos++;
    const methodEnd = pos++;
    const targetStart = pos;
    while (pos < to && targetByte[bytes[pos]] !== 0) pos++;
    const targetEnd = pos++;
    const end = pos + 10;
    if (end > to || bytes[methodEnd] !== SP || bytes[targetEnd] !== SP || !isAt(version11, bytes, pos))
      return this.scanUnusual(bytes, from, to, allowCustomMethods);
    this.version = HttpVersion.Http11;
    this.method = methodOf(bytes, from, methodEnd);
    this.targetStart = targetStart;
    this.targetEnd = targetEnd;
    return this.judge(bytes, allowCustomMethods) ? end : Failed;
  }

  private judge(bytes: Uint8Array, allowCustomMethods: boolean): boolean {
    const { method, targetStart, targetEnd } = this;
    if (!allowCustomMethods && !knownMethods.has(method)) return fail(CodecError.with('unknown method'));
    // Its bytes are known to be good: a path needs no further look.
    if (bytes[targetStart] === 47 /* / */) return true;
    const target = latin1(bytes, targetStart, targetEnd);
    return isTargetValid(target, method === 'CONNECT') ? true : fail(CodecError.with('invalid request target'));
  }

  /** Whatever is not `token SP target SP HTTP/1.1 CRLF`: what Envoy lets pass of it, and the failures. */
  private scanUnusual(bytes: Uint8Array, from: number, to: number, allowCustomMethods: boolean): number {
    let lf = from;
    while (lf < to && bytes[lf] !== LF) lf++;
    if (lf >= to) return Incomplete;
    let end = lf > from && bytes[lf - 1] === CR ? lf - 1 : lf;
    while (end > from && (bytes[end - 1] === SP || bytes[end - 1] === TAB)) end--;
    const line = latin1(bytes, from, end);
    for (let i = 0; i < line.length; i++)
      if (fieldByte[line.charCodeAt(i)] === 0) return failed(InvalidCharacters.with('in the request line'));
    // RFC 9112 section 3 lets a recipient split at any white space.
    const words = /^([^ \t]+)[ \t]*([^ \t]*)[ \t]*(.*)$/.exec(line)!;
    const [, method = '', target = '', version = ''] = words;
    if (!isToken(method)) return failed(CodecError.with('invalid method'));
    this.method = knownMethods.get(method) ?? method;
    this.targetStart = from + line.indexOf(target, method.length);
    this.targetEnd = this.targetStart + target.length;
    if (!hasTargetBytes(target)) return failed(CodecError.with('invalid request target'));
    if (!this.judge(bytes, allowCustomMethods)) return Failed;
    if (version === '') return failed(LowVersion);
    if (!/^HTTP\/[0-9]\.[0-9]$/.test(version)) return failed(CodecError.with('invalid version'));
    this.version = version === 'HTTP/1.1' ? HttpVersion.Http11 : HttpVersion.Http10;
    return lf + 1;
  }
}

function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (tokenLower[text.charCodeAt(i)] === 0) return false;
  return true;
}

/** The seven usual methods are told from their bytes. */
const usualMethods = ['GET', 'PUT', 'HEAD', 'POST', 'PATCH', 'DELETE', 'OPTIONS'].map((name) => ({
  name: knownMethods.get(name)!,
  bytes: Uint8Array.from(name, (c) => c.charCodeAt(0)),
}));

function methodOf(bytes: Uint8Array, from: number, to: number): string {
  for (let i = 0; i < usualMethods.length; i++) {
    const usual = usualMethods[i];
    if (usual.bytes.length === to - from && usual.bytes[0] === bytes[from] && isAt(usual.bytes, bytes, from))
      return usual.name;
  }
  const method = latin1(bytes, from, to);
  return knownMethods.get(method) ?? method;
}

function isAt(word: Uint8Array, bytes: Uint8Array, from: number): boolean {
  for (let i = 0; i < word.length; i++) if (word[i] !== bytes[from + i]) return false;
  return true;
}

function fail(failure: Failure): false {
  scanner.failure = failure;
  return false;
}

function failed(failure: Failure): number {
  scanner.failure = failure;
  return Failed;
}
