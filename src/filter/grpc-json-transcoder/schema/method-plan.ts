import type { MethodData } from '../transcoder-data.ts';
import { bodyPathNames, resolveFieldPath } from './field-path.ts';
import type { FieldPlan, MessagePlan } from './message-plan.ts';
import type { Schema } from './schema.ts';

const httpBodyType = 'google.api.HttpBody';

/** A gRPC method that HTTP requests become calls of. */
export interface MethodPlan {
  /** `/package.Service/Method` */
  readonly path: string;
  readonly input: MessagePlan;
  readonly output: MessagePlan;
  readonly isClientStream: boolean;
  readonly isServerStream: boolean;
  /** Where in the request a google.api.HttpBody takes any body; null: the body is JSON. */
  readonly requestBody: readonly FieldPlan[] | null;
  readonly responseBody: readonly FieldPlan[] | null;
}

/** @returns the method, or why it cannot be called over HTTP, in Envoy's words */
export function planMethod(schema: Schema, data: MethodData): MethodPlan | string {
  const input = schema.message(data.input);
  const output = schema.message(data.output);
  if (input === undefined) return `Could not resolve type: ${data.input}`;
  if (output === undefined) return `Could not resolve type: ${data.output}`;
  const requestPath = resolveFieldPath(input, bodyPathNames(data.body));
  if (typeof requestPath === 'string') return requestPath;
  const responsePath = resolveFieldPath(output, bodyPathNames(data.responseBody));
  if (typeof responsePath === 'string') return responsePath;
  const responseBody = isHttpBody(output, responsePath) ? responsePath : null;
  if (responsePath.length > 0 && responseBody === null)
    return `Setting "response_body" is not supported yet for non-HttpBody fields: ${data.service}.${data.name}`;
  return {
    path: `/${data.service}/${data.name}`,
    input,
    output,
    isClientStream: data.isClientStream,
    isServerStream: data.isServerStream,
    requestBody: isHttpBody(input, requestPath) ? requestPath : null,
    responseBody,
  };
}

function isHttpBody(message: MessagePlan, path: readonly FieldPlan[]): boolean {
  const type = path.length === 0 ? message : path[path.length - 1].message;
  return type?.typeName === httpBodyType;
}
