import type { Pairs } from './row.ts';
import type { HandshakeSeen } from './tls/client.ts';

/** A response as the client saw it. */
export interface Answer {
  readonly line: string;
  readonly headers: Pairs;
  body: string;
  trailers: Pairs;
  isComplete: boolean;
  /** HTTP/2: code of the RST_STREAM that broke it off, or came behind it. */
  reset?: string;
}

/** What one client connection got. */
export interface Exchange {
  answers: Answer[];
  /** Bytes that are no HTTP response, for TCP rows. */
  text?: string;
  /** How the proxy ended the connection; `open` when it had not. Only where the row waits for it. */
  end?: 'closed' | 'reset' | 'open';
  /** The client's TLS handshake, where there was one. */
  tls?: HandshakeSeen;
  /** HTTP/2: the GOAWAY frames, code and last stream. */
  goAways?: readonly string[];
  /** What came back to a row of frames. */
  frames?: readonly string[];
}

const newline = '\r\n';

/** Splits what arrived on a connection into responses; `methods` are the requests' in order (HEAD has no body). */
export function parseAnswers(bytes: Buffer, methods: readonly string[], hasEnded: boolean): Answer[] {
  const text = bytes.toString('latin1');
  const answers: Answer[] = [];
  let at = 0;
  let final = 0;
  while (at < text.length) {
    const headEnd = text.indexOf(newline + newline, at);
    if (headEnd < 0) {
      answers.push({ line: text.slice(at), headers: [], body: '', trailers: [], isComplete: false });
      break;
    }
    const answer = parseHead(text.slice(at, headEnd));
    answers.push(answer);
    const status = Number(answer.line.split(' ')[1]);
    if (isTunnel(status, methods[final])) {
      answer.body = text.slice(headEnd + 4);
      answer.isComplete = true;
      break;
    }
    const isInterim = status >= 100 && status < 200 && status !== 101;
    const method = methods[final];
    at = readBody(answer, text, headEnd + 4, isInterim || hasNoBody(status, method), hasEnded);
    if (!isInterim) final++;
    if (!answer.isComplete) break;
  }
  return answers;
}

/** Final responses that arrived whole. */
export function countComplete(answers: readonly Answer[]): number {
  return answers.filter(({ line, isComplete }) => isComplete && !/^HTTP\/1\.\d 1(?!01)/.test(line)).length;
}

/** All that follows is another protocol's. */
function isTunnel(status: number, method: string | undefined): boolean {
  return status === 101 || (method === 'CONNECT' && status >= 200 && status < 300);
}

function hasNoBody(status: number, method: string | undefined): boolean {
  return method === 'HEAD' || status === 204 || status === 304;
}

function parseHead(head: string): Answer {
  const [line, ...fields] = head.split(newline);
  const headers = fields.map((field): [string, string] => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon), field.slice(colon + 1).trim()];
  });
  return { line: line, headers, body: '', trailers: [], isComplete: false };
}

function valueOf(headers: Pairs, name: string): string | undefined {
  return headers.find(([key]) => key.toLowerCase() === name)?.[1];
}

function readBody(answer: Answer, text: string, from: number, isEmpty: boolean, hasEnded: boolean): number {
  if (isEmpty) {
    answer.isComplete = true;
    return from;
  }
  if (/chunked/i.test(valueOf(answer.headers, 'transfer-encoding') ?? '')) return readChunks(answer, text, from);
  const length = valueOf(answer.headers, 'content-length');
  const end = length === undefined ? text.length : from + Number(length);
  answer.body = text.slice(from, end);
  answer.isComplete = length === undefined ? hasEnded : text.length >= end;
  return Math.min(end, text.length);
}

function readChunks(answer: Answer, text: string, from: number): number {
  let at = from;
  for (;;) {
    const lineEnd = text.indexOf(newline, at);
    if (lineEnd < 0) return text.length;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (size === 0) return readTrailers(answer, text, lineEnd + 2);
    const end = lineEnd + 2 + size;
    answer.body += text.slice(lineEnd + 2, end);
    if (text.length < end + 2) return text.length;
    at = end + 2;
  }
}

function readTrailers(answer: Answer, text: string, from: number): number {
  if (text.startsWith(newline, from)) {
    answer.isComplete = true;
    return from + 2;
  }
  const end = text.indexOf(newline + newline, from);
  if (end < 0) return text.length;
  answer.trailers = parseHead(`${newline}${text.slice(from, end)}`).headers;
  answer.isComplete = true;
  return end + 4;
}
