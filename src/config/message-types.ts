import { messageTypeNames } from '../proto/embedded.js';
import { nearName } from './near-name.ts';

export { messageType } from '../proto/embedded.js';

export interface UnknownType {
  readonly message: string;
  readonly suggestion: string | undefined;
}

/** What to say of a message name that there is not, with the one that was probably meant. */
export function unknownTypeName(name: string): UnknownType {
  if (/^envoy\.(?:api\.v2|.*\.v2(?:alpha\d*)?)\./.test(name))
    return { message: `${name} is of Envoy's API v2, which ended with Envoy 1.18`, suggestion: sameLastName(name) };
  return {
    message: `there is no message type ${name}`,
    suggestion: sameLastName(name) ?? nearName(name, messageTypeNames()),
  };
}

/** The nearest full name with the same message name. */
function sameLastName(name: string): string | undefined {
  const last = name.slice(name.lastIndexOf('.'));
  const same = [...messageTypeNames()].filter((one) => one.endsWith(last));
  return nearName(name, same) ?? (same.length === 1 ? same[0] : undefined);
}
