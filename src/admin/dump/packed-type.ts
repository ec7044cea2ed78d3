import type { DescMessage, JsonObject, Registry } from '@bufbuild/protobuf';

export interface Packed {
  /** Undefined: unknown. */
  readonly type: DescMessage | undefined;
  readonly fields: JsonObject;
}

/** What `Any` and the two `TypedStruct`s hold, in JSON; undefined: `json` is an ordinary message. */
export function packedType(json: JsonObject, type: DescMessage, registry: Registry): Packed | undefined {
  if (type.typeName === 'google.protobuf.Any') {
    const inner = registry.getMessage(lastSegment(json['@type']));
    if (inner === undefined || !isTypedStruct(inner)) return { type: inner, fields: json };
    return packedStruct(json, registry);
  }
  return isTypedStruct(type) ? packedStruct(json, registry) : undefined;
}

function packedStruct(json: JsonObject, registry: Registry): Packed {
  return { type: registry.getMessage(lastSegment(json['type_url'])), fields: (json['value'] ?? {}) as JsonObject };
}

function isTypedStruct(type: DescMessage): boolean {
  return type.typeName === 'xds.type.v3.TypedStruct' || type.typeName === 'udpa.type.v1.TypedStruct';
}

function lastSegment(url: unknown): string {
  return typeof url === 'string' ? url.slice(url.lastIndexOf('/') + 1) : '';
}
