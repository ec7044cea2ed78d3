import type { Call } from '../../istiod.ts';
import { Action, AuthorizationSchema, Scope } from '../../../src/proto/istio/authorization_pb.js';
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
} from '../../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { create, fromBinary, toBinary } from '../../../src/proto/protobuf.js';

const authorization = 'type.googleapis.com/istio.security.Authorization';

/** Of the client to a port. */
const policy = { namespace: 'shop', name: 'late' };
const name = `${policy.namespace}/${policy.name}`;

/** A control plane that knows nobody, and comes to know a policy. */
export class LivePolicies {
  /** Streams that asked for policies. */
  private readonly calls: Set<Call>;
  private nonce: number;
  /** What proxies found wrong. */
  readonly refusals: string[];

  constructor() {
    this.calls = new Set();
    this.nonce = 0;
    this.refusals = [];
  }

  serve(call: Call): void {
    const seen = new Set<string>();
    call.on('error', () => this.calls.delete(call));
    call.on('end', () => {
      this.calls.delete(call);
      call.end();
    });
    call.on('data', (bytes: Buffer) => {
      const { typeUrl, errorDetail } = fromBinary(DeltaDiscoveryRequestSchema, bytes);
      if (errorDetail !== undefined) this.refusals.push(errorDetail.message);
      if (seen.has(typeUrl)) return;
      seen.add(typeUrl);
      if (typeUrl === authorization) this.calls.add(call);
      this.send(call, typeUrl, [], []);
    });
  }

  /** Nobody may open connections to this port from now on, nor keep them. */
  deny(port: number): void {
    const match = { destinationPorts: [port] };
    const message = create(AuthorizationSchema, {
      ...policy,
      scope: Scope.NAMESPACE,
      action: Action.DENY,
      rules: [{ clauses: [{ matches: [match] }] }],
    });
    const value = toBinary(AuthorizationSchema, message);
    for (const call of this.calls) this.send(call, authorization, [value], []);
  }

  allow(): void {
    for (const call of this.calls) this.send(call, authorization, [], [name]);
  }

  private send(call: Call, typeUrl: string, values: readonly Uint8Array[], removedResources: string[]): void {
    const message = create(DeltaDiscoveryResponseSchema, {
      typeUrl,
      nonce: String(++this.nonce),
      systemVersionInfo: String(this.nonce),
      resources: values.map((value) => ({ name, version: String(this.nonce), resource: { typeUrl, value } })),
      removedResources,
    });
    call.write(Buffer.from(toBinary(DeltaDiscoveryResponseSchema, message)));
  }
}
