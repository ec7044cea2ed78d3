import type { DescMethod, DescService, FileRegistry } from '@bufbuild/protobuf';
import type { Reasons } from '../../core/rejection.ts';
import type { GrpcJsonTranscoder } from '../../proto/envoy/extensions/filters/http/grpc_json_transcoder/v3/transcoder_pb.js';
import { parsePathTemplate } from './path/path-template.ts';
import { type HttpRule, httpRuleExtension, readHttpRule } from './schema/http-rule.ts';
import { planMethod } from './schema/method-plan.ts';
import { Schema } from './schema/schema.ts';
import type { SchemaData } from './schema/schema-data.ts';
import type { HttpRuleData, MethodData } from './transcoder-data.ts';

const noRule: HttpRule = { method: '', path: '', body: '', responseBody: '', additional: [] };

/** Every method of the configured services, with the paths that it is called at. */
export function decodeMethods(
  message: GrpcJsonTranscoder,
  registry: FileRegistry,
  data: SchemaData,
  reasons: Reasons,
): MethodData[] {
  const methods: MethodData[] = [];
  const schema = new Schema(data);
  message.services.forEach((name, i) => {
    const service = registry.getService(name);
    if (service === undefined) {
      reasons.at('services', i).add(`transcoding_filter: Could not find '${name}' in the proto descriptor`);
      return;
    }
    for (const method of service.methods)
      methods.push(decodeMethod(service, method, message.autoMapping, schema, reasons.at('services', i)));
  });
  return methods;
}

function decodeMethod(
  service: DescService,
  method: DescMethod,
  isMappedAnyway: boolean,
  schema: Schema,
  reasons: Reasons,
): MethodData {
  const fullName = `${service.typeName}.${method.name}`;
  const annotated = readAnnotation(method, fullName, reasons);
  const mapped = { ...noRule, method: 'POST', path: `/${service.typeName}/${method.name}`, body: '*' };
  const rule = annotated ?? (isMappedAnyway ? mapped : noRule);
  const rules: HttpRuleData[] = [];
  flatten(rule, rules);
  for (const { path } of rules) {
    if (parsePathTemplate(path) !== null) continue;
    reasons.add(`transcoding_filter: Cannot register '${fullName}' to path matcher: '${path}' is no path template`);
  }
  const data: MethodData = {
    service: service.typeName,
    name: method.name,
    input: method.input.typeName,
    output: method.output.typeName,
    isClientStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
    isServerStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
    rules,
    body: rule.body,
    responseBody: rule.responseBody,
  };
  const plan = planMethod(schema, data);
  if (typeof plan === 'string') reasons.add(`transcoding_filter: Cannot register '${fullName}': ${plan}`);
  return data;
}

/** The google.api.http option: an extension of MethodOptions, so it lies among what is unknown there. */
function readAnnotation(method: DescMethod, name: string, reasons: Reasons): HttpRule | null {
  const unknown = method.proto.options?.$unknown?.findLast(({ no }) => no === httpRuleExtension);
  if (unknown === undefined) return null;
  try {
    return readHttpRule(lengthDelimited(unknown.data));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    reasons.add(`transcoding_filter: the google.api.http option of '${name}' cannot be read: ${why}`);
    return null;
  }
}

/** Unknown fields keep their length in front. */
function lengthDelimited(data: Uint8Array): Uint8Array {
  let at = 0;
  while (data[at] >= 128) at++;
  return data.subarray(at + 1);
}

/** A rule without a pattern registers nothing, but what it adds counts. */
function flatten(rule: HttpRule, rules: HttpRuleData[]): void {
  if (rule.method !== '') rules.push({ method: rule.method, path: rule.path, body: rule.body });
  for (const more of rule.additional) flatten(more, rules);
}
