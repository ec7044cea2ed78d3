import { type MessagePlan, typeUrlPrefix } from './message-plan.ts';
import type { Schema } from './schema.ts';

/** @returns the message that a type URL names, or what is wrong with it in Envoy's words */
export function resolveAny(schema: Schema, url: string): MessagePlan | string {
  if (!url.startsWith(typeUrlPrefix))
    return `Invalid type URL, type URLs must be of the form '${typeUrlPrefix}<typename>', got: ${url}`;
  const name = url.slice(typeUrlPrefix.length);
  return schema.message(name) ?? `Invalid type URL, unknown type: ${name}`;
}
