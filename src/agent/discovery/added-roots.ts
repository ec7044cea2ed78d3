import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

const certificatesField = 34;

/** PEM of `ca_certificates_pem` of `istio.mesh.v1alpha1.ProxyConfig`. @throws Error: it is no such message */
export function decodeAddedRoots(bytes: Uint8Array): string[] {
  const reader = new BinaryReader(bytes);
  const found: string[] = [];
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (field === certificatesField && wire === WireType.LengthDelimited) found.push(reader.string());
    else reader.skip(wire, field);
  }
  return found;
}
