import type { Peer } from '../../../core/peer.ts';
import type { CertificateFacts, TlsFacts } from '../../../core/tls-facts.ts';
import { WireType } from '../../../filter/wire/wire-type.ts';
import type { WireWriter } from '../../../filter/wire/wire-writer.ts';
import { writeNumber, writeText } from '../wire-text.ts';

/** `TLSProperties.TLSVersion`. */
const versions: Readonly<Record<string, number>> = { TLSv1: 1, 'TLSv1.1': 2, 'TLSv1.2': 3, 'TLSv1.3': 4 };

/** IANA's numbers of what OpenSSL and BoringSSL call these names. */
const cipherSuites: Readonly<Record<string, number>> = {
  TLS_AES_128_GCM_SHA256: 0x1301,
  TLS_AES_256_GCM_SHA384: 0x1302,
  TLS_CHACHA20_POLY1305_SHA256: 0x1303,
  'ECDHE-ECDSA-AES128-GCM-SHA256': 0xc02b,
  'ECDHE-ECDSA-AES256-GCM-SHA384': 0xc02c,
  'ECDHE-RSA-AES128-GCM-SHA256': 0xc02f,
  'ECDHE-RSA-AES256-GCM-SHA384': 0xc030,
  'ECDHE-RSA-CHACHA20-POLY1305': 0xcca8,
  'ECDHE-ECDSA-CHACHA20-POLY1305': 0xcca9,
  'ECDHE-ECDSA-AES128-SHA': 0xc009,
  'ECDHE-ECDSA-AES256-SHA': 0xc00a,
  'ECDHE-RSA-AES128-SHA': 0xc013,
  'ECDHE-RSA-AES256-SHA': 0xc014,
  'AES128-GCM-SHA256': 0x9c,
  'AES256-GCM-SHA384': 0x9d,
  'AES128-SHA': 0x2f,
  'AES256-SHA': 0x35,
};

/** A field of type `envoy.data.accesslog.v3.TLSProperties`. */
export function writeTls(writer: WireWriter, number: number, peer: Peer, tls: TlsFacts): void {
  writer.tag(number, WireType.LengthDelimited).begin();
  writeNumber(writer, 1, versions[tls.version] ?? 0);
  const suite = cipherSuites[tls.cipher];
  if (suite !== undefined) {
    writer.tag(2, WireType.LengthDelimited).begin();
    writeNumber(writer, 1, suite);
    writer.end();
  }
  writeText(writer, 3, peer.serverName);
  writeCertificate(writer, 4, tls.local, false);
  writeCertificate(writer, 5, tls.peerChain[0] ?? null, true);
  writeText(writer, 6, tls.sessionId);
  writeText(writer, 7, peer.ja3);
  writer.end();
}

function writeCertificate(writer: WireWriter, number: number, certificate: CertificateFacts | null, isPeer: boolean) {
  writer.tag(number, WireType.LengthDelimited).begin();
  if (certificate !== null) {
    for (const uri of certificate.uris) {
      writer.tag(1, WireType.LengthDelimited).begin();
      writeText(writer, 1, uri);
      writer.end();
    }
    writeText(writer, 2, certificate.subject);
    if (isPeer) writeText(writer, 3, certificate.issuer);
  }
  writer.end();
}
