import { formatAddress } from '../../core/peer.ts';
import { addressJson } from '../address-json.ts';
import type { ListenerReport } from '../admin-source.ts';
import { json, text, type Page } from '../page.ts';

/** `/listeners`: names and bound addresses, as lines or as `envoy.admin.v3.Listeners`. */
export const listenersPage: Page = ({ query }, source) => {
  const listeners = source.listeners();
  if (query.get('format') === 'json') {
    return json(listeners.length === 0 ? {} : { listener_statuses: listeners.map(listenerJson) });
  }
  return text(
    listeners
      .flatMap(({ name, addresses }) => addresses.map((address) => `${name}::${formatAddress(address)}\n`))
      .join(''),
  );
};

function listenerJson({ name, addresses: [first, ...others] }: ListenerReport) {
  return {
    name,
    ...(first !== undefined && { local_address: addressJson(first) }),
    ...(others.length > 0 && { additional_local_addresses: others.map(addressJson) }),
  };
}
