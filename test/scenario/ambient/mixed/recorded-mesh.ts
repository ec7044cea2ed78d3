import type { Call } from '../../../istiod.ts';
import { DeltaDiscoveryRequestSchema } from '../../../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { fromBinary } from '../../../../src/proto/protobuf.js';
import { recorded } from '../../../xds/recorded-control-plane.ts';
import { moved } from './moved.ts';

/** What istiod has sent to a ztunnel, to every ztunnel that asks. */
export class RecordedMesh {
  /** What of it was found wrong. */
  readonly refusals: string[];

  constructor() {
    this.refusals = [];
  }

  serve(call: Call): void {
    const responses = recorded('ambient/ztunnel', 'delta', (_, bytes) => moved(bytes));
    const seen = new Set<string>();
    call.on('error', () => {});
    call.on('end', () => call.end());
    call.on('data', (bytes: Buffer) => {
      const { typeUrl, errorDetail } = fromBinary(DeltaDiscoveryRequestSchema, bytes);
      if (errorDetail !== undefined) this.refusals.push(errorDetail.message);
      if (seen.has(typeUrl)) return;
      seen.add(typeUrl);
      for (const response of responses) if (response.typeUrl === typeUrl) call.write(Buffer.from(response.bytes));
    });
  }
}
