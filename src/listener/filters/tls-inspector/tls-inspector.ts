import { readClientHello, type ClientHello } from '../../../codec/client-hello/client-hello.ts';
import { ja3, ja4 } from '../../../codec/client-hello/fingerprint.ts';
import { InvalidVersion, problemText } from '../../../codec/client-hello/hello-problem.ts';
import type { Counter, Histogram, StatsScope } from '../../../observe/stats/stats.ts';
import { Verdict, type Inspected, type ListenerFilter } from '../listener-filter.ts';

/** `envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector`. */
export interface TlsInspectorData {
  readonly wantsJa3: boolean;
  readonly wantsJa4: boolean;
  readonly closesOnParsingErrors: boolean;
  readonly helloBytesMax: number;
}

const namespace = 'envoy.filters.listener.tls_inspector';
const reasonKey = 'failure_reason';

/** Tells TLS from plain text by the ClientHello, and what the client asks for. */
export class TlsInspector implements ListenerFilter {
  private readonly data: TlsInspectorData;
  private readonly helloTooLarge: Counter;
  private readonly tlsFound: Counter;
  private readonly tlsNotFound: Counter;
  private readonly alpnFound: Counter;
  private readonly alpnNotFound: Counter;
  private readonly sniFound: Counter;
  private readonly sniNotFound: Counter;
  private readonly bytesProcessed: Histogram;

  /** `root`: the root scope of the stats, where Envoy has these. */
  constructor(data: TlsInspectorData, root: StatsScope) {
    const scope = root.scope('tls_inspector');
    this.data = data;
    this.helloTooLarge = scope.counter('client_hello_too_large');
    this.tlsFound = scope.counter('tls_found');
    this.tlsNotFound = scope.counter('tls_not_found');
    this.alpnFound = scope.counter('alpn_found');
    this.alpnNotFound = scope.counter('alpn_not_found');
    this.sniFound = scope.counter('sni_found');
    this.sniNotFound = scope.counter('sni_not_found');
    this.bytesProcessed = scope.histogram('bytes_processed');
  }

  inspect(connection: Inspected): Verdict {
    const { helloBytesMax } = this.data;
    const { bytes } = connection;
    const hello = readClientHello(bytes.length > helloBytesMax ? bytes.subarray(0, helloBytesMax) : bytes);
    if (hello !== null) return this.judge(hello, connection);
    if (bytes.length < helloBytesMax) return Verdict.NeedMore;
    this.bytesProcessed.record(helloBytesMax);
    return this.refuseSize(connection);
  }

  private judge(hello: ClientHello, connection: Inspected): Verdict {
    const { problem } = hello;
    const { peer, bytes } = connection;
    this.bytesProcessed.record(hello.consumed);
    if (hello.isReadable) this.note(hello, connection);
    if (problem === null) {
      this.tlsFound.inc();
      (hello.applicationProtocols.length > 0 ? this.alpnFound : this.alpnNotFound).inc();
      peer.transportProtocol = 'tls';
      return Verdict.Continue;
    }
    peer.transportFailureReason = `TLS_error|${problemText(problem)}:TLS_error_end`;
    const isVersion = problem === InvalidVersion;
    const isTooLarge = !isVersion && this.data.closesOnParsingErrors && bytes.length >= this.data.helloBytesMax;
    if (isTooLarge) return this.refuseSize(connection);
    this.tlsNotFound.inc();
    peer.note(namespace, reasonKey, isVersion ? 'ClientHelloInvalidTlsVersion' : 'ClientHelloNotDetected');
    return isVersion || this.data.closesOnParsingErrors ? Verdict.Close : Verdict.Continue;
  }

  private note(hello: ClientHello, { peer }: Inspected): void {
    peer.serverName = hello.serverName;
    peer.applicationProtocols = hello.applicationProtocols;
    if (this.data.wantsJa3) peer.ja3 = ja3(hello);
    if (this.data.wantsJa4) peer.ja4 = ja4(hello);
    (hello.serverName === '' ? this.sniNotFound : this.sniFound).inc();
  }

  private refuseSize({ peer }: Inspected): Verdict {
    this.helloTooLarge.inc();
    peer.note(namespace, reasonKey, 'ClientHelloTooLarge');
    return Verdict.Close;
  }
}
