import { tokenLower } from '../../../codec/h1/characters.ts';
import { LowVersion } from '../../../codec/h1/failures.ts';
import { Failed, scanner } from '../../../codec/h1/field-scanner.ts';
import { RequestLine } from '../../../codec/h1/request-line.ts';
import { HttpVersion } from '../../../core/head.ts';
import type { Counter, StatsScope } from '../../../observe/stats/stats.ts';
import { Verdict, type Inspected, type ListenerFilter } from '../listener-filter.ts';

/** Envoy's MAX_INSPECT_SIZE. */
const lineBytesMax = 64 * 1024;

const preface = Uint8Array.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', (c) => c.charCodeAt(0));
const LF = 10;

const http10: readonly string[] = ['http/1.0'];
const http11: readonly string[] = ['http/1.1'];
const http2: readonly string[] = ['h2c'];

const line = new RequestLine();

/** Tells what version of HTTP plain text is, by HTTP/2's preface or the first line. */
export class HttpInspector implements ListenerFilter {
  private readonly readError: Counter;
  private readonly http10Found: Counter;
  private readonly http11Found: Counter;
  private readonly http2Found: Counter;
  private readonly httpNotFound: Counter;

  /** `root`: the root scope of the stats, where Envoy has these. */
  constructor(root: StatsScope) {
    const scope = root.scope('http_inspector');
    this.readError = scope.counter('read_error');
    this.http10Found = scope.counter('http10_found');
    this.http11Found = scope.counter('http11_found');
    this.http2Found = scope.counter('http2_found');
    this.httpNotFound = scope.counter('http_not_found');
  }

  inspect(connection: Inspected): Verdict {
    const { bytes, peer } = connection;
    // Nobody speaks HTTP in the clear behind a ClientHello.
    if (peer.transportProtocol !== 'raw_buffer') return Verdict.Continue;
    if (bytes.length === 0) return Verdict.NeedMore;
    if (beginsAsPreface(bytes)) {
      if (bytes.length < preface.length) return Verdict.NeedMore;
      return this.found(connection, http2, this.http2Found);
    }
    if (tokenLower[bytes[0]] === 0) return this.notFound();
    const end = bytes.indexOf(LF, connection.progress);
    if (end < 0 || end >= lineBytesMax) {
      connection.progress = bytes.length;
      if (bytes.length < lineBytesMax) return Verdict.NeedMore;
      this.readError.inc();
      return Verdict.Close;
    }
    if (line.scan(bytes, 0, end + 1, true) === Failed) {
      // A request without a version is one of HTTP/0.9.
      return scanner.failure === LowVersion ? this.found(connection, http10, this.http10Found) : this.notFound();
    }
    return line.version === HttpVersion.Http11
      ? this.found(connection, http11, this.http11Found)
      : this.found(connection, http10, this.http10Found);
  }

  private found({ peer }: Inspected, protocols: readonly string[], counter: Counter): Verdict {
    counter.inc();
    peer.applicationProtocols = protocols;
    return Verdict.Continue;
  }

  private notFound(): Verdict {
    this.httpNotFound.inc();
    return Verdict.Continue;
  }
}

/** As far as there are bytes of both. */
function beginsAsPreface(bytes: Uint8Array): boolean {
  const size = Math.min(bytes.length, preface.length);
  for (let i = 0; i < size; i++) if (bytes[i] !== preface[i]) return false;
  return true;
}
