import type { Address } from '../core/peer.ts';
import type { Reasons } from '../core/rejection.ts';
import { SupportedFields } from '../core/supported-fields.ts';
import { Listener_InternalListenerConfigSchema, type Listener } from '../proto/envoy/config/listener/v3/listener_pb.js';

/** What `envoy.bootstrap.internal_listener` says. */
export interface InternalSupport {
  /** What a connection holds in each direction before its writer is told to wait. */
  readonly bufferBytes: number;
}

const supported = new SupportedFields(Listener_InternalListenerConfigSchema, []);

/**
 * The address of an internal listener: its name. Adds Envoy's reasons for what such a one may not have.
 * @param support null: the bootstrap does not ask for internal listeners
 */
export function internalAddress(listener: Listener, support: InternalSupport | null, reasons: Reasons): Address {
  const { name, listenerSpecifier } = listener;
  if (listenerSpecifier.case === 'internalListener')
    supported.check(listenerSpecifier.value, reasons.at('internal_listener'));
  if (listener.address !== undefined)
    reasons.add(
      `error adding listener '${name}': address should not be used when an internal listener config is provided`,
    );
  if (support === null)
    reasons.add(`error adding listener named '${name}': InternalListener bootstrap extension is mandatory`);
  if (hasFeatureOfTcp(listener))
    reasons.add(`error adding listener named '${name}': has unsupported tcp listener feature`);
  return { kind: 'internal', host: name, port: 0 };
}

function hasFeatureOfTcp(listener: Listener): boolean {
  return (
    listener.enableMptcp ||
    listener.enableReusePort !== undefined ||
    listener.freebind !== undefined ||
    listener.tcpBacklogSize !== undefined ||
    listener.tcpFastOpenQueueLength !== undefined ||
    listener.transparent !== undefined
  );
}
