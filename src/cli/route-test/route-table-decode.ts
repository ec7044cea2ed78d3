import { isConfigObject, type ConfigValue } from '../../config/config-value.ts';
import type { ConfigDocument } from '../../config/document.ts';
import { parseMessage } from '../../config/parse.ts';
import type { ConfigReason } from '../../config/problem.ts';
import type { Extensions } from '../../core/extension.ts';
import { Reasons } from '../../core/rejection.ts';
import { RouteConfigurationSchema } from '../../proto/envoy/config/route/v3/route_pb.js';
import { decodeRouteConfiguration } from '../../route/decode.ts';
import type { RouteConfigurationData } from '../../route/route-data.ts';

/** A route configuration, and where it stands in its file. */
export interface FoundTable {
  /** Field path of it; empty: it is the file. */
  readonly path: string;
  /** Null: it is refused. */
  readonly data: RouteConfigurationData | null;
  readonly reasons: readonly ConfigReason[];
}

interface Standing {
  readonly path: string;
  readonly value: ConfigValue;
}

/** The route configurations of a file: the one that it is, or of a bootstrap those that its listeners hold. */
export function decodeRouteTables(
  document: ConfigDocument,
  extensions: Extensions,
  maxProgramSize: number | undefined,
): FoundTable[] {
  const isBootstrap = isConfigObject(document.value) && namesOf(document.value).includes('static_resources');
  const standing = isBootstrap ? inside(document.value, '') : [{ path: '', value: document.value }];
  return standing.map((one) => decodeOne(document, one, extensions, maxProgramSize));
}

function decodeOne(
  document: ConfigDocument,
  { path, value }: Standing,
  extensions: Extensions,
  maxProgramSize: number | undefined,
): FoundTable {
  const { message, reasons } = parseMessage({ ...document, value, override: null }, RouteConfigurationSchema);
  const outer = reasons.map((reason) => ({ ...reason, path: joined(path, reason.path) }));
  if (reasons.some(({ isWarning }) => isWarning !== true)) return { path, data: null, reasons: outer };
  const decoding = new Reasons(path);
  const data = decodeRouteConfiguration(message, decoding, extensions, maxProgramSize);
  return { path, data, reasons: [...outer, ...decoding.list] };
}

function joined(outer: string, inner: string): string {
  return outer === '' || inner === '' ? outer + inner : `${outer}.${inner}`;
}

function namesOf(value: ConfigValue): string[] {
  return isConfigObject(value) ? Object.keys(value).map(protoName) : [];
}

function protoName(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Every `route_config`, wherever it stands. */
function inside(value: ConfigValue, path: string): Standing[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => inside(item, `${path}[${i}]`));
  if (!isConfigObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const name = protoName(key);
    const at = joined(path, name);
    return name === 'route_config' && isConfigObject(inner) ? [{ path: at, value: inner }] : inside(inner, at);
  });
}
