import { messageTypeNames } from '../proto/embedded.js';
import { nearName } from './near-name.ts';

export { messageType } from '../proto/embedded.js';

/** The message name in a type URL. */
export function typeNameIn(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
}

/** Of either package: their wire formats are the same. */
export function isTypedStruct(typeName: string): boolean {
  return typeName === 'xds.type.v3.TypedStruct' || typeName === 'udpa.type.v1.TypedStruct';
}

export interface UnknownType {
  readonly message: string;
  readonly suggestion: string | undefined;
}

/** Edits in a full name that are still a slip: a version, a letter, a package in between. */
const slipEdits = 4;
const versionEdits = 8;

/** What to say of a message name that there is not, with the one that was probably meant. */
export function unknownTypeName(name: string): UnknownType {
  const last = name.slice(name.lastIndexOf('.'));
  const sameLast = [...messageTypeNames()].filter((one) => one.endsWith(last));
  const suggestion = nearName(name, sameLast, versionEdits) ?? nearName(name, messageTypeNames(), slipEdits);
  const isOfV2 = /^envoy\.(?:api\.v2|.*\.v2(?:alpha\d*)?)\./.test(name);
  if (isOfV2) return { message: `${name} is of Envoy's API v2, which ended with Envoy 1.18`, suggestion };
  return { message: `there is no message type ${name}`, suggestion };
}
