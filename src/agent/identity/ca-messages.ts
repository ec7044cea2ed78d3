import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** `istio.v1.auth.IstioCertificateService`, its one method. */
export const createCertificatePath = '/istio.v1.auth.IstioCertificateService/CreateCertificate';

/** What a CA is asked for: `istio.v1.auth.IstioCertificateRequest`. */
export interface CertificateWish {
  /** PEM. */
  readonly request: string;
  readonly validitySeconds: number;
  /** Texts of the request's metadata: CertSigner, ImpersonatedIdentity. */
  readonly metadata: Readonly<Record<string, string>>;
}

const WishField = { csr: 1, validityDuration: 3, metadata: 4 } as const;
/** Of google.protobuf.Struct, of the entries of its map, and of google.protobuf.Value. */
const StructField = { fields: 1, key: 1, value: 2, text: 3 } as const;
const chainField = 1;

/** As bytes. */
export function encodeWish({ request, validitySeconds, metadata }: CertificateWish): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(WishField.csr, WireType.LengthDelimited).string(request);
  writer.tag(WishField.validityDuration, WireType.Varint).int64(validitySeconds);
  writer.tag(WishField.metadata, WireType.LengthDelimited).fork();
  for (const [key, text] of Object.entries(metadata)) {
    writer.tag(StructField.fields, WireType.LengthDelimited).fork();
    writer.tag(StructField.key, WireType.LengthDelimited).string(key);
    writer.tag(StructField.value, WireType.LengthDelimited).fork();
    writer.tag(StructField.text, WireType.LengthDelimited).string(text);
    writer.join().join();
  }
  return writer.join().finish();
}

/** `IstioCertificateResponse`: PEM of each certificate, ours first, the root last. @throws Error: it is no such message */
export function decodeChain(bytes: Uint8Array): string[] {
  const chain: string[] = [];
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (field === chainField && wire === WireType.LengthDelimited) chain.push(reader.string());
    else reader.skip(wire, field);
  }
  return chain;
}
