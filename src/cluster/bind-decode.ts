import { isIP } from 'node:net';
import type { Reasons } from '../core/rejection.ts';
import { SupportedFields } from '../core/supported-fields.ts';
import { decodeSocketOptions } from '../net/socket-options/decode.ts';
import type { SocketOptionData } from '../net/socket-options/socket-option-data.ts';
import {
  BindConfigSchema,
  ExtraSourceAddressSchema,
  SocketAddressSchema,
  type BindConfig,
  type SocketAddress,
} from '../proto/envoy/config/core/v3/address_pb.js';
import { SocketOptionsOverrideSchema } from '../proto/envoy/config/core/v3/socket_option_pb.js';
import type { ClusterData } from './cluster-data.ts';

const supportedBind = new SupportedFields(BindConfigSchema, [
  'source_address',
  'extra_source_addresses',
  'additional_source_addresses',
  'freebind',
  'socket_options',
]);
const supportedExtra = new SupportedFields(ExtraSourceAddressSchema, ['address', 'socket_options']);
const supportedOverride = new SupportedFields(SocketOptionsOverrideSchema, ['socket_options']);
const supportedAddress = new SupportedFields(SocketAddressSchema, ['address', 'port_value']);

type Bound = NonNullable<ClusterData['bindAddress']>;
type Bind = Pick<
  ClusterData,
  'bindAddress' | 'otherBindAddress' | 'bindsFreely' | 'socketOptions' | 'otherSocketOptions'
>;

/** Of an address beside the first. */
interface Extra {
  readonly address: Bound;
  readonly otherSocketOptions?: readonly SocketOptionData[];
}

/** Reasons are in Envoy's words. */
export function decodeBind(cluster: string, bind: BindConfig | undefined, reasons: Reasons): Bind {
  if (bind === undefined) return { bindAddress: null };
  supportedBind.check(bind, reasons);
  const socketOptions = decodeSocketOptions(bind.socketOptions, reasons);
  const told = socketOptions.length > 0 ? { socketOptions } : {};
  const { sourceAddress, extraSourceAddresses, additionalSourceAddresses } = bind;
  const words = `Cluster ${cluster}'s upstream binding config`;
  if (extraSourceAddresses.length > 0 && additionalSourceAddresses.length > 0)
    reasons.add(`Can't specify both \`extra_source_addresses\` and \`additional_source_addresses\` in the ${words}`);
  const extras: Extra[] = [
    ...extraSourceAddresses.flatMap((extra, i) => {
      const at = reasons.at('extra_source_addresses', i);
      supportedExtra.check(extra, at);
      if (extra.address === undefined) return [];
      const options = extra.socketOptions;
      if (options !== undefined) supportedOverride.check(options, at.at('socket_options'));
      const others = options && decodeSocketOptions(options.socketOptions, at.at('socket_options'));
      return [
        { address: decodeSource(extra.address, at.at('address')), ...(others && { otherSocketOptions: others }) },
      ];
    }),
    ...additionalSourceAddresses.map((one, i) => ({
      address: decodeSource(one, reasons.at('additional_source_addresses', i)),
    })),
  ];
  if (sourceAddress === undefined) {
    if (extras.length > 0)
      reasons.add(
        `${words} has extra/additional source addresses but no source_address. Extra/additional addresses cannot be specified if source_address is not set.`,
      );
    return { bindAddress: null, ...told };
  }
  const own = decodeSource(sourceAddress, reasons.at('source_address'));
  if (extras.length > 1)
    reasons.add(
      `${words} has more than one extra/additional source addresses. Only one extra/additional source can be supported in BindConfig's extra_source_addresses/additional_source_addresses field`,
    );
  else if (extras.length === 1 && isIP(extras[0].address.host) === isIP(own.host))
    reasons.add(
      `${words} has two same IP version source addresses. Only two different IP version source addresses can be supported in BindConfig's source_address and extra_source_addresses/additional_source_addresses fields`,
    );
  const bound = { bindAddress: own, ...(bind.freebind === true && { bindsFreely: true }), ...told };
  if (extras.length === 0) return bound;
  const { address: otherBindAddress, ...others } = extras[0];
  return { ...bound, otherBindAddress, ...others };
}

function decodeSource(source: SocketAddress, reasons: Reasons): Bound {
  supportedAddress.check(source, reasons);
  if (isIP(source.address) === 0) reasons.at('address').add(`malformed IP address: ${source.address}`);
  return { host: source.address, port: source.portSpecifier.case === 'portValue' ? source.portSpecifier.value : 0 };
}
