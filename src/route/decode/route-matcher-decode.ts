import type { PackedMessage } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { decodeMatcher } from '../../match/decode.ts';
import type { MatcherData } from '../../match/matcher-data.ts';
import { RouteListSchema, RouteSchema, type Route } from '../../proto/envoy/config/route/v3/route_components_pb.js';
import { FilterStateInputSchema } from '../../proto/envoy/extensions/matching/common_inputs/network/v3/network_inputs_pb.js';
import { HttpRequestHeaderMatchInputSchema } from '../../proto/envoy/type/matcher/v3/http_inputs_pb.js';
import type { StringMatcher } from '../../proto/envoy/type/matcher/v3/string_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import type { Matcher } from '../../proto/xds/type/matcher/v3/matcher_pb.js';
import { decodeStringMatcher } from '../match/decode.ts';
import type { RouteMatchInputData, RouteRangeData } from '../match/matcher-data.ts';
import type { RouteData } from '../route-data.ts';
import { lowerAscii, wireText } from '../wire-text.ts';

const listFields = new SupportedFields(RouteListSchema, ['routes']);
const headerInputFields = new SupportedFields(HttpRequestHeaderMatchInputSchema, ['header_name']);
const stateInputFields = new SupportedFields(FilterStateInputSchema, ['key']);

/**
 * A virtual host's `matcher`. Its routes are put into `routes`, and its actions say which of them they mean, so that
 * whoever goes through the routes of a table finds them all. `decodeRoute`: null where the route was refused.
 */
export function decodeRouteMatcher(
  message: Matcher,
  routes: RouteData[],
  reasons: Reasons,
  maxProgramSize: number,
  decodeRoute: (route: Route, reasons: Reasons) => RouteData | null,
): MatcherData {
  const add = (list: readonly Route[], at: (index: number) => Reasons): RouteRangeData => {
    const from = routes.length;
    list.forEach((route, i) => {
      const decoded = decodeRoute(route, at(i));
      if (decoded !== null) routes.push(decoded);
    });
    return { from, to: routes.length };
  };
  return decodeMatcher(message, reasons, {
    decodeInput,
    decodeString: (string, at) => decodeStringMatcher(string as unknown as StringMatcher, at, maxProgramSize),
    decodeAction: (name, config, at) => {
      const inside = at.at('typed_config');
      const kind = kindOf(config);
      if (kind === RouteSchema.typeName) return add([fromBinary(RouteSchema, config.value)], () => inside);
      if (kind === RouteListSchema.typeName) {
        const list = fromBinary(RouteListSchema, config.value);
        listFields.check(list, inside);
        return add(list.routes, (i) => inside.at('routes', i));
      }
      inside.add(`Didn't find a registered implementation for '${name}' with type URL: '${kind}'`);
      return add([], () => inside);
    },
  });
}

function decodeInput(name: string, config: PackedMessage, reasons: Reasons): RouteMatchInputData {
  const at = reasons.at('typed_config');
  switch (kindOf(config)) {
    case HttpRequestHeaderMatchInputSchema.typeName: {
      const input = fromBinary(HttpRequestHeaderMatchInputSchema, config.value);
      headerInputFields.check(input, at);
      return { kind: 'header', name: lowerAscii(wireText(input.headerName)) };
    }
    case FilterStateInputSchema.typeName: {
      const input = fromBinary(FilterStateInputSchema, config.value);
      stateInputFields.check(input, at);
      return { kind: 'filter-state', key: input.key };
    }
    default:
      at.add(
        `requirement violation while creating route match tree: INVALID_ARGUMENT: Route table can only match on request headers, saw ${config.typeUrl} (input '${name}')`,
      );
      return { kind: 'header', name: '' };
  }
}

function kindOf({ typeUrl }: PackedMessage): string {
  return typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
}
