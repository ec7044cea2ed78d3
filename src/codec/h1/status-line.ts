import { inOnePiece, latin1 } from '../../core/bytes.ts';
import type { Failure } from '../../core/failure.ts';
import { HttpVersion } from '../../core/head.ts';
import { CR, LF, SP, fieldByte } from './characters.ts';
import { CodecError, InvalidCharacters } from './failures.ts';
import { Failed, Incomplete, scanner } from './field-scanner.ts';

/** Reason phrases as Envoy writes them (`CodeUtility::toString`). */
const reasonPhrases: Readonly<Record<number, string>> = {
  100: 'Continue',
  101: 'Switching Protocols',
  102: 'Processing',
  103: 'Early Hints',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  203: 'Non-Authoritative Information',
  204: 'No Content',
  205: 'Reset Content',
  206: 'Partial Content',
  207: 'Multi-Status',
  208: 'Already Reported',
  226: 'IM Used',
  300: 'Multiple Choices',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  305: 'Use Proxy',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Payload Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  422: 'Unprocessable Entity',
  423: 'Locked',
  424: 'Failed Dependency',
  425: 'Too Early',
  426: 'Upgrade Required',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  506: 'Variant Also Negotiates',
  507: 'Insufficient Storage',
  508: 'Loop Detected',
  510: 'Not Extended',
  511: 'Network Authentication Required',
  599: 'Last Unassigned Server Error Code',
};

/** The reason phrase of a status, `Unknown` where there is none. */
export function reasonPhrase(status: number): string {
  return reasonPhrases[status] ?? 'Unknown';
}

const statusLines: string[] = [];
for (let status = 0; status < 1000; status++) {
  statusLines.push(inOnePiece(`HTTP/1.1 ${status} ${reasonPhrase(status)}`));
}

/** The status line of a response of ours, without its CRLF. */
export function statusLine(status: number, version: HttpVersion): string {
  const text = statusLines[status] ?? `HTTP/1.1 ${status} Unknown`;
  return version === HttpVersion.Http10 ? text.replace('HTTP/1.1', 'HTTP/1.0') : text;
}

/** What a status line says (RFC 9112 section 4). One serves all connections of a thread: valid until the next scan. */
export class StatusLine {
  status: number;
  version: HttpVersion;

  constructor() {
    this.status = 0;
    this.version = HttpVersion.Http11;
  }

  /** The position after the line, `Incomplete`, or `Failed` with the scanner's `failure` set. */
  scan(bytes: Uint8Array, from: number, to: number): number {
    let lf = from;
    while (lf < to && bytes[lf] !== LF) lf++;
    if (lf >= to) return Incomplete;
    const end = lf > from && bytes[lf - 1] === CR ? lf - 1 : lf;
    for (let i = from; i < end; i++)
      if (fieldByte[bytes[i]] === 0) return failed(InvalidCharacters.with('in the status line'));
    const hundreds = bytes[from + 9] - 48;
    const tens = bytes[from + 10] - 48;
    const ones = bytes[from + 11] - 48;
    const isNumber = hundreds >= 1 && hundreds <= 9 && tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9;
    // `HTTP/1.1 200` and then a space or the end.
    if (isNumber && isHttp11(bytes, from) && (end - from === 12 || (end - from > 12 && bytes[from + 12] === SP))) {
      this.status = hundreds * 100 + tens * 10 + ones;
      this.version = HttpVersion.Http11;
      return lf + 1;
    }
    return this.readUnusual(latin1(bytes, from, end)) ? lf + 1 : failed(CodecError.with('invalid status line'));
  }

  /** Other versions, and more white space: what Envoy lets pass. */
  private readUnusual(line: string): boolean {
    const match = /^HTTP\/([0-9]\.[0-9])[ \t]+([1-9][0-9][0-9])(?:[ \t]|$)/.exec(line);
    if (match === null) return false;
    this.status = Number(match[2]);
    this.version = match[1] === '1.1' ? HttpVersion.Http11 : HttpVersion.Http10;
    return true;
  }
}

function isHttp11(bytes: Uint8Array, from: number): boolean {
  return (
    bytes[from] === 72 &&
    bytes[from + 1] === 84 &&
    bytes[from + 2] === 84 &&
    bytes[from + 3] === 80 &&
    bytes[from + 4] === 47 &&
    bytes[from + 5] === 49 &&
    bytes[from + 6] === 46 &&
    bytes[from + 7] === 49 &&
    bytes[from + 8] === SP
  );
}

function failed(failure: Failure): number {
  scanner.failure = failure;
  return Failed;
}
