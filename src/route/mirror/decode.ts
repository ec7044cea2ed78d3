import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  HeaderMutationSchema,
  type HeaderMutation,
} from '../../proto/envoy/config/common/mutation_rules/v3/mutation_rules_pb.js';
import {
  RouteAction_RequestMirrorPolicySchema,
  type RouteAction_RequestMirrorPolicy,
} from '../../proto/envoy/config/route/v3/route_components_pb.js';
import { decodeHeaderMutations } from '../decode/header-mutations-decode.ts';
import { decodeFraction } from '../decode/route-match-decode.ts';
import type { HeaderMutationsData } from '../route-data.ts';
import { lowerAscii, wireText } from '../wire-text.ts';
import type { MirrorData } from './mirror-data.ts';

const policyFields = new SupportedFields(RouteAction_RequestMirrorPolicySchema, [
  'cluster',
  'cluster_header',
  'runtime_fraction',
  'disable_shadow_host_suffix_append',
  'request_headers_mutations',
  'host_rewrite_literal',
  'trace_sampled',
]);
const mutationFields = new SupportedFields(HeaderMutationSchema, ['remove', 'append']);

/** `request_mirror_policies` of a route, virtual host or table; null: there are none. */
export function decodeMirrors(
  messages: readonly RouteAction_RequestMirrorPolicy[],
  reasons: Reasons,
): readonly MirrorData[] | null {
  if (messages.length === 0) return null;
  return messages.map((message, i) => decodeMirror(message, reasons.at('request_mirror_policies', i)));
}

function decodeMirror(message: RouteAction_RequestMirrorPolicy, reasons: Reasons): MirrorData {
  policyFields.check(message, reasons);
  const { cluster, clusterHeader, runtimeFraction } = message;
  if (cluster !== '' && clusterHeader !== '') reasons.add('Only one of cluster or cluster_header can be specified');
  if (cluster === '' && clusterHeader === '') reasons.add('Exactly one of cluster or cluster_header must be specified');
  return {
    cluster,
    header: lowerAscii(wireText(clusterHeader)),
    fraction: runtimeFraction === undefined ? null : decodeFraction(runtimeFraction, reasons.at('runtime_fraction')),
    ...(message.traceSampled !== undefined && { isSampled: message.traceSampled }),
    keepsHost: message.disableShadowHostSuffixAppend,
    host: wireText(message.hostRewriteLiteral),
    mutations: message.requestHeadersMutations.flatMap((mutation, i) =>
      decodeMutation(mutation, reasons.at('request_headers_mutations', i)),
    ),
  };
}

function decodeMutation(message: HeaderMutation, reasons: Reasons): HeaderMutationsData[] {
  mutationFields.check(message, reasons);
  const { action } = message;
  const add = action.case === 'append' ? [action.value] : [];
  const remove = action.case === 'remove' ? [action.value] : [];
  const mutations = decodeHeaderMutations(add, remove, 'request_headers_to', reasons);
  return mutations === null ? [] : [mutations];
}
