import { latin1 } from '../../core/bytes.ts';
import type { Failure } from '../../core/failure.ts';
import { HttpVersion } from '../../core/head.ts';
import { CR, LF, SP, fieldByte, targetByte, tokenLower } from './characters.ts';
import { CodecError, InvalidCharacters, LowVersion } from './failures.ts';
import { Failed, Incomplete, scanner } from './field-scanner.ts';
import { knownMethods } from './methods.ts';
import { isTargetValid } from './request-target.ts';

/** ` HTTP/1.1` backwards from the line's end. */
const version11 = Uint8Array.from('HTTP/1.1', (c) => c.charCodeAt(0));

/** What a request line says (RFC 9112 section 3). One serves all connections of a thread: valid until the next scan. */
export class RequestLine {
  method: string;
  target: string;
  version: HttpVersion;

  constructor() {
    this.method = '';
    this.target = '';
    this.version = HttpVersion.Http11;
  }

  /** The position after the line, `Incomplete`, or `Failed` with the scanner's `failure` set. */
  scan(bytes: Uint8Array, from: number, to: number, allowCustomMethods: boolean): number {
    let pos = from;
    while (pos < to && tokenLower[bytes[pos]!]! !== 0) pos++;
    const methodEnd = pos++;
    const targetStart = pos;
    while (pos < to && targetByte[bytes[pos]!]! !== 0) pos++;
    const targetEnd = pos++;
    const end = pos + 10;
    if (end > to || bytes[methodEnd] !== SP || bytes[targetEnd] !== SP || !endsInVersion11(bytes, pos))
      return this.scanUnusual(bytes, from, to, allowCustomMethods);
    this.version = HttpVersion.Http11;
    this.target = latin1(bytes, targetStart, targetEnd);
    this.method = methodOf(bytes, from, methodEnd);
    return this.judge(allowCustomMethods) ? end : Failed;
  }

  private judge(allowCustomMethods: boolean): boolean {
    const { method, target } = this;
    if (!allowCustomMethods && !knownMethods.has(method)) return fail(CodecError.with('unknown method'));
    if (target.charCodeAt(0) === 47 /* / */) return true;
    return isTargetValid(target, method === 'CONNECT') ? true : fail(CodecError.with('invalid request target'));
  }

  /** Whatever is not `token SP target SP HTTP/1.1 CRLF`: what Envoy lets pass of it, and the failures. */
  private scanUnusual(bytes: Uint8Array, from: number, to: number, allowCustomMethods: boolean): number {
    let lf = from;
    while (lf < to && bytes[lf] !== LF) lf++;
    if (lf >= to) return Incomplete;
    const line = latin1(bytes, from, lf > from && bytes[lf - 1] === CR ? lf - 1 : lf);
    for (let i = 0; i < line.length; i++)
      if (fieldByte[line.charCodeAt(i)] === 0) return failed(InvalidCharacters.with('in the request line'));
    // RFC 9112 section 3 lets a recipient split at any white space.
    const words = /^([^ \t]+)[ \t]*([^ \t]*)[ \t]*(.*?)[ \t]*$/.exec(line)!;
    const [, method = '', target = '', version = ''] = words;
    if (!isToken(method)) return failed(CodecError.with('invalid method'));
    this.method = knownMethods.get(method) ?? method;
    this.target = target;
    if (!this.judge(allowCustomMethods)) return Failed;
    if (version === '') return failed(LowVersion);
    if (!/^HTTP\/[0-9]\.[0-9]$/.test(version)) return failed(CodecError.with('invalid version'));
    this.version = version === 'HTTP/1.1' ? HttpVersion.Http11 : HttpVersion.Http10;
    return lf + 1;
  }
}

function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (tokenLower[text.charCodeAt(i)]! === 0) return false;
  return true;
}

function endsInVersion11(bytes: Uint8Array, pos: number): boolean {
  for (let i = 0; i < 8; i++) if (bytes[pos + i] !== version11[i]) return false;
  return bytes[pos + 8] === CR && bytes[pos + 9] === LF;
}

function methodOf(bytes: Uint8Array, from: number, to: number): string {
  if (to - from === 3 && bytes[from] === 71 && bytes[from + 1] === 69 && bytes[from + 2] === 84) return 'GET';
  const method = latin1(bytes, from, to);
  return knownMethods.get(method) ?? method;
}

function fail(failure: Failure): false {
  scanner.failure = failure;
  return false;
}

function failed(failure: Failure): number {
  scanner.failure = failure;
  return Failed;
}
