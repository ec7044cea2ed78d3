import type { Descriptor } from '../../route/rate-limit/descriptors.ts';
import type { LimitUnit } from '../../route/rate-limit/rate-limit-data.ts';
import { WireType } from '../wire/wire-type.ts';
import { WireWriter } from '../wire/wire-writer.ts';

/** `envoy.type.v3.RateLimitUnit`. */
const units: Readonly<Record<LimitUnit, number>> = {
  UNKNOWN: 0,
  SECOND: 1,
  MINUTE: 2,
  HOUR: 3,
  DAY: 4,
  MONTH: 5,
  YEAR: 6,
};

const writer = new WireWriter();
const { LengthDelimited, Varint } = WireType;

/** `envoy.service.ratelimit.v3.RateLimitRequest` in protobuf's wire format. */
export function writeLimitRequest(domain: string, descriptors: readonly Descriptor[]): Uint8Array {
  text(1, domain);
  for (const { entries, limit, hits } of descriptors) {
    begin(2);
    for (const { key, value } of entries) {
      begin(1);
      text(1, key);
      text(2, value);
      writer.end();
    }
    if (limit !== null) {
      begin(2);
      number(1, limit.requestsPerUnit);
      number(2, units[limit.unit]);
      writer.end();
    }
    // A UInt64Value; a service takes one hit unless it is told.
    if (hits !== 1) {
      begin(3);
      number(1, hits);
      writer.end();
    }
    writer.end();
  }
  return writer.finish();
}

function begin(field: number): void {
  writer.tag(field, LengthDelimited).begin();
}

/** Wire text, whose bytes are UTF-8 or become it. */
function text(field: number, value: string): void {
  if (value === '') return;
  const bytes = Buffer.from(value, 'latin1');
  writer.tag(field, LengthDelimited).bytesWithLength(Buffer.from(bytes.toString('utf8').replaceAll('\ufffd', '!')));
}

function number(field: number, value: number): void {
  if (value !== 0) writer.tag(field, Varint).uint64(value);
}
