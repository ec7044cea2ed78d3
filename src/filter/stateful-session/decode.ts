import { durationMs } from '../../core/duration.ts';
import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import type { TypedExtensionConfig } from '../../proto/envoy/config/core/v3/extension_pb.js';
import {
  StatefulSessionPerRouteSchema,
  StatefulSessionSchema,
  type StatefulSession,
} from '../../proto/envoy/extensions/filters/http/stateful_session/v3/stateful_session_pb.js';
import { CookieBasedSessionStateSchema } from '../../proto/envoy/extensions/http/stateful_session/cookie/v3/cookie_pb.js';
import { HeaderBasedSessionStateSchema } from '../../proto/envoy/extensions/http/stateful_session/header/v3/header_pb.js';
import { CookieAttributeSchema, CookieSchema } from '../../proto/envoy/type/http/v3/cookie_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { lowerAscii, wireText } from '../../route/wire-text.ts';
import type { SessionCarrierData, StatefulSessionData } from './stateful-session-data.ts';

const fields = new SupportedFields(StatefulSessionSchema, [
  'session_state',
  'strict',
  'stat_prefix',
  'status_on_strict_destination_not_found',
]);
const routeFields = new SupportedFields(StatefulSessionPerRouteSchema, ['disabled', 'stateful_session']);
const cookieStateFields = new SupportedFields(CookieBasedSessionStateSchema, ['cookie']);
const cookieFields = new SupportedFields(CookieSchema, ['name', 'ttl', 'path', 'attributes']);
const attributeFields = new SupportedFields(CookieAttributeSchema, ['name', 'value']);
const headerStateFields = new SupportedFields(HeaderBasedSessionStateSchema, ['name']);

export const statefulSessionDecoder: ExtensionDecoder = {
  kind: StatefulSessionSchema.typeName,
  decode: (bytes, reasons) => decodeSession(fromBinary(StatefulSessionSchema, bytes), reasons),
};

/** Without sessions where the route switches them off. */
export const statefulSessionPerRouteDecoder: ExtensionDecoder = {
  kind: StatefulSessionPerRouteSchema.typeName,
  decode: (bytes, reasons): StatefulSessionData => {
    const message = fromBinary(StatefulSessionPerRouteSchema, bytes);
    routeFields.check(message, reasons);
    if (message.override.case === 'statefulSession')
      return decodeSession(message.override.value, reasons.at('stateful_session'));
    return { carrier: null, isStrict: false, notFoundStatus: 0, statPrefix: '' };
  },
};

function decodeSession(message: StatefulSession, reasons: Reasons): StatefulSessionData {
  fields.check(message, reasons);
  const at = reasons.at('session_state');
  const status = message.statusOnStrictDestinationNotFound;
  if (status !== 0 && (status < 200 || status > 599))
    reasons.at('status_on_strict_destination_not_found').add(`${status} is no status of an answer: 200 to 599 are`);
  return {
    carrier: message.sessionState === undefined ? null : decodeCarrier(message.sessionState, at),
    isStrict: message.strict,
    notFoundStatus: status,
    statPrefix: message.statPrefix,
  };
}

function decodeCarrier({ name, typedConfig }: TypedExtensionConfig, reasons: Reasons): SessionCarrierData | null {
  const kind = typedConfig?.typeUrl.split('/').at(-1) ?? '';
  const at = reasons.at('typed_config');
  switch (kind) {
    case HeaderBasedSessionStateSchema.typeName: {
      const message = fromBinary(HeaderBasedSessionStateSchema, typedConfig!.value);
      headerStateFields.check(message, at);
      return { kind: 'header', name: lowerAscii(wireText(message.name)) };
    }
    case CookieBasedSessionStateSchema.typeName: {
      const message = fromBinary(CookieBasedSessionStateSchema, typedConfig!.value);
      cookieStateFields.check(message, at);
      return decodeCookie(message.cookie, at.at('cookie'));
    }
    default:
      reasons.add(`session state '${name}' of type '${kind}' is not supported by sekisho`);
      return null;
  }
}

type Cookie = ReturnType<typeof fromBinary<typeof CookieBasedSessionStateSchema>>['cookie'];

function decodeCookie(cookie: Cookie, reasons: Reasons): SessionCarrierData | null {
  if (cookie === undefined) {
    reasons.add('a session in a cookie needs one');
    return null;
  }
  cookieFields.check(cookie, reasons);
  for (const [i, attribute] of cookie.attributes.entries())
    attributeFields.check(attribute, reasons.at('attributes', i));
  return {
    kind: 'cookie',
    name: wireText(cookie.name),
    cookie: {
      maxAgeSeconds: Math.floor(durationMs(cookie.ttl, 0) / 1000),
      path: wireText(cookie.path),
      attributes: cookie.attributes.map(({ name, value }) => [wireText(name), wireText(value)] as const),
    },
  };
}
