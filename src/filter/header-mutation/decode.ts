import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  HeaderMutationPerRouteSchema,
  HeaderMutationSchema,
  MutationsSchema,
  type Mutations,
} from '../../proto/envoy/extensions/filters/http/header_mutation/v3/header_mutation_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeHeaderMutations, decodeQueryMutations } from './decode-mutations.ts';
import type { HeaderMutationFilterData, MutationsData } from './header-mutation-data.ts';

const filterFields = new SupportedFields(HeaderMutationSchema, ['mutations', 'most_specific_header_mutations_wins']);
const perRouteFields = new SupportedFields(HeaderMutationPerRouteSchema, ['mutations']);
const mutationsFields = new SupportedFields(MutationsSchema, [
  'request_mutations',
  'query_parameter_mutations',
  'response_mutations',
  'response_trailers_mutations',
  'request_trailers_mutations',
]);

export const headerMutationDecoder: ExtensionDecoder = {
  kind: HeaderMutationSchema.typeName,
  decode(bytes, reasons): HeaderMutationFilterData {
    const message = fromBinary(HeaderMutationSchema, bytes);
    filterFields.check(message, reasons);
    return {
      mutations: decodeMutations(message.mutations, reasons.at('mutations')),
      mostSpecificWins: message.mostSpecificHeaderMutationsWins,
    };
  },
};

export const headerMutationPerRouteDecoder: ExtensionDecoder = {
  kind: HeaderMutationPerRouteSchema.typeName,
  decode(bytes, reasons): MutationsData {
    const message = fromBinary(HeaderMutationPerRouteSchema, bytes);
    perRouteFields.check(message, reasons);
    return decodeMutations(message.mutations, reasons.at('mutations'));
  },
};

function decodeMutations(message: Mutations | undefined, reasons: Reasons): MutationsData {
  if (message !== undefined) mutationsFields.check(message, reasons);
  const of = (list: Mutations['requestMutations'] | undefined, field: string) =>
    decodeHeaderMutations(list ?? [], field, reasons);
  return {
    request: of(message?.requestMutations, 'request_mutations'),
    query: decodeQueryMutations(message?.queryParameterMutations ?? [], 'query_parameter_mutations', reasons),
    response: of(message?.responseMutations, 'response_mutations'),
    requestTrailers: of(message?.requestTrailersMutations, 'request_trailers_mutations'),
    responseTrailers: of(message?.responseTrailersMutations, 'response_trailers_mutations'),
  };
}
