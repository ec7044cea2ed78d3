import type { NetworkFilterBuilder } from '../network-filter.ts';
import { DownstreamExchange } from './downstream.ts';
import { Exchange } from './exchange.ts';
import type { MetadataExchangeData } from './metadata-exchange-data.ts';
import { UpstreamExchange } from './upstream.ts';

export const metadataExchangeBuilder: NetworkFilterBuilder = {
  kind: 'envoy.tcp.metadataexchange.config.MetadataExchange',
  build: (data, tools) => new DownstreamExchange(new Exchange(data as MetadataExchangeData, tools)),
  buildUpstream: (data, tools) => new UpstreamExchange(new Exchange(data as MetadataExchangeData, tools)),
};
