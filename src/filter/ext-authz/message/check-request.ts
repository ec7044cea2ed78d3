import type { Address, Peer } from '../../../core/peer.ts';
import type { CertificateFacts } from '../../../core/tls-facts.ts';
import type { Outcome } from '../../../observe/outcome.ts';
import { wireText } from '../../../route/wire-text.ts';
import { writeStruct } from '../../wire/struct-wire.ts';
import { WireType } from '../../wire/wire-type.ts';
import { WireWriter } from '../../wire/wire-writer.ts';
import type { Check } from '../check.ts';
import type { SentHeaders } from './sent-headers.ts';

/** What goes into a request besides what it is about. */
export interface CheckRequestSettings {
  readonly headers: SentHeaders;
  readonly encodesRawHeaders: boolean;
  readonly includesPeerCertificate: boolean;
  readonly includesTlsSession: boolean;
  readonly metadataNamespaces: readonly string[];
  readonly routeMetadataNamespaces: readonly string[];
  /** Of this proxy. */
  readonly labels: Labels;
}

/** Names and values; wire text. */
export type Labels = readonly (readonly [string, string])[];

const { LengthDelimited, Varint } = WireType;

/** What the metadata of this proxy's node has under a key, for those that it asks. What is no text is an empty one. */
export function labelsOf(key: string, metadata: Readonly<Record<string, unknown>> | undefined): Labels {
  const found = key === '' || metadata === undefined || !Object.hasOwn(metadata, key) ? null : metadata[key];
  if (typeof found !== 'object' || found === null || Array.isArray(found)) return [];
  return Object.entries(found)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [wireText(name), typeof value === 'string' ? wireText(value) : ''] as const);
}

/**
 * `envoy.service.auth.v3.CheckRequest` (service/auth/v3/attribute_context.proto) in protobuf's wire format: written by
 * hand, because every request is one.
 */
export class CheckRequestWriter {
  private readonly settings: CheckRequestSettings;
  private readonly writer: WireWriter;
  private readonly writesHeader: (name: string, value: string) => void;

  constructor(settings: CheckRequestSettings) {
    this.settings = settings;
    this.writer = new WireWriter();
    this.writesHeader = (name, value) => this.writeHeader(name, value);
  }

  write(check: Check): Uint8Array {
    const { writer, settings } = this;
    const { outcome } = check.stream;
    const { peer } = outcome;
    this.begin(1);
    const service = check.head.headers.get('x-envoy-downstream-service-cluster') ?? '';
    if (peer !== null) this.writePeers(peer, outcome, service);
    this.begin(4);
    this.writeTime(outcome.startEpochMs);
    this.writeHttp(check);
    this.end();
    for (const [key, value] of Object.entries(check.contextExtensions)) this.entry(10, key, value);
    this.writeMetadata(11, settings.metadataNamespaces, (name) => outcome.dynamicMetadata?.get(name));
    this.writeTlsSession(peer);
    this.writeMetadata(13, settings.routeMetadataNamespaces, (name) => outcome.routeMetadata?.[name]);
    this.end();
    return writer.finish();
  }

  /** A connection whose bytes say nothing. */
  writeConnection(peer: Peer, outcome: Outcome): Uint8Array {
    this.begin(1);
    this.writePeers(peer, outcome, '');
    this.writeMetadata(11, this.settings.metadataNamespaces, (name) => outcome.dynamicMetadata?.get(name));
    this.writeTlsSession(peer);
    this.end();
    return this.writer.finish();
  }

  private writeTlsSession(peer: Peer | null): void {
    if (!this.settings.includesTlsSession || peer === null || peer.tls === null) return;
    this.begin(12);
    this.text(1, peer.tls.serverName || peer.serverName);
    this.end();
  }

  private writePeers(peer: Peer, outcome: Outcome, service: string): void {
    const { tls } = peer;
    const own = tls?.peerChain[0] ?? null;
    this.begin(1);
    this.writeAddress(outcome.remoteAddress ?? peer.remote);
    this.text(2, service);
    this.text(4, principalOf(own));
    if (this.settings.includesPeerCertificate && own !== null) this.text(5, encodeURIComponent(own.pem));
    this.end();
    this.begin(2);
    this.writeAddress(peer.local);
    for (const [key, value] of this.settings.labels) this.entry(3, key, value);
    this.text(4, principalOf(tls?.local ?? null));
    this.end();
  }

  private writeAddress({ kind, host, port }: Address): void {
    this.begin(1);
    if (kind === 'pipe') {
      this.begin(2);
      this.text(1, host);
    } else {
      this.begin(1);
      this.text(2, host);
      this.number(3, port, true);
    }
    this.end();
    this.end();
  }

  private writeTime(epochMs: number): void {
    this.begin(1);
    const seconds = Math.floor(epochMs / 1000);
    this.number(1, seconds);
    this.number(2, Math.floor((epochMs - seconds * 1000) * 1e6));
    this.end();
  }

  private writeHttp({ stream, head, body }: Check): void {
    const { writer, settings } = this;
    const { outcome } = stream;
    this.begin(2);
    // Any number that no other stream has.
    this.text(1, String(Math.floor(stream.random * 2 ** 53)));
    this.text(2, head.method);
    settings.headers.each(head, this.writesHeader);
    if (body !== null) this.writeHeader('x-envoy-auth-partial-body', String(body.isPartial));
    this.text(4, head.path);
    this.text(5, head.authority);
    this.text(6, head.scheme);
    writer.tag(9, Varint).uint64(outcome.bytesReceived);
    this.text(10, outcome.protocol);
    if (body !== null)
      writer.tag(body.isRaw ? 12 : 11, LengthDelimited).bytesWithLength(body.isRaw ? body.bytes : utf8(body.bytes));
    this.end();
  }

  private writeHeader(name: string, value: string): void {
    if (!this.settings.encodesRawHeaders) {
      this.entry(3, name, value);
      return;
    }
    this.begin(13);
    this.begin(1);
    this.text(1, name);
    this.writer.tag(3, LengthDelimited).bytesWithLength(Buffer.from(value, 'latin1'));
    this.end();
    this.end();
  }

  private writeMetadata(field: number, namespaces: readonly string[], find: (name: string) => unknown): void {
    const found = namespaces.filter((name) => find(name) !== undefined);
    if (namespaces.length === 0) return;
    this.begin(field);
    for (const name of found) {
      this.begin(1);
      this.text(1, name);
      this.begin(2);
      writeStruct(this.writer, find(name));
      this.end();
      this.end();
    }
    this.end();
  }

  private begin(field: number): void {
    this.writer.tag(field, LengthDelimited).begin();
  }

  private end(): void {
    this.writer.end();
  }

  /** Wire text; proto3 leaves out what is empty. */
  private text(field: number, value: string): void {
    if (value === '') return;
    this.writer.tag(field, LengthDelimited);
    if (!this.writer.ascii(value)) this.writer.bytesWithLength(utf8(Buffer.from(value, 'latin1')));
  }

  /** `isSet`: a member of a oneof, whose zero is written too. */
  private number(field: number, value: number, isSet = false): void {
    if (value !== 0 || isSet) this.writer.tag(field, Varint).uint64(value);
  }

  /** Of a `map<string, string>`. */
  private entry(field: number, key: string, value: string): void {
    this.begin(field);
    this.text(1, key);
    this.text(2, value);
    this.end();
  }
}

/** Valid UTF-8; bytes that are none become `!`, as in Envoy. */
function utf8(bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(bytes);
  if (!text.includes('\ufffd')) return bytes;
  return Buffer.from(text.replaceAll('\ufffd', '!'));
}

function principalOf(certificate: CertificateFacts | null): string {
  if (certificate === null) return '';
  return certificate.uris[0] ?? certificate.dnsNames[0] ?? certificate.subject;
}
