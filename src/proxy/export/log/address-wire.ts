import type { Address } from '../../../core/peer.ts';
import { WireType } from '../../../filter/wire/wire-type.ts';
import type { WireWriter } from '../../../filter/wire/wire-writer.ts';
import { writeText } from '../wire-text.ts';

/** A field of type `envoy.config.core.v3.Address`. */
export function writeAddress(writer: WireWriter, number: number, address: Address): void {
  writer.tag(number, WireType.LengthDelimited).begin();
  if (address.kind === 'ip') {
    writer.tag(1, WireType.LengthDelimited).begin();
    writeText(writer, 2, address.host);
    writer.tag(3, WireType.Varint).uint32(address.port);
  } else if (address.kind === 'pipe') {
    writer.tag(2, WireType.LengthDelimited).begin();
    writeText(writer, 1, address.host);
  } else {
    writer.tag(3, WireType.LengthDelimited).begin();
    writeText(writer, 1, address.host);
    writeText(writer, 2, address.endpointId ?? '');
  }
  writer.end().end();
}

/** The address behind what `formatAddress` makes of it; null: there is none. */
export function addressIn(text: string): Address | null {
  if (text === '') return null;
  if (text.startsWith('envoy://')) {
    const slash = text.indexOf('/', 8);
    return { kind: 'internal', host: text.slice(8, slash), port: 0, endpointId: text.slice(slash + 1) };
  }
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  if (colon < 0 || text.startsWith('/') || text.startsWith('@') || !Number.isInteger(port))
    return { kind: 'pipe', host: text, port: 0 };
  const host = text.slice(0, colon);
  return { kind: 'ip', host: host.startsWith('[') ? host.slice(1, -1) : host, port };
}
