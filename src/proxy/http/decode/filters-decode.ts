import type { Extensions } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import { decodeExtensionSource } from '../../../listener/extension-source-decode.ts';
import {
  HttpFilterSchema,
  type HttpFilter,
} from '../../../proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { HttpFilterData } from '../hcm-data.ts';

/**
 * `is_optional` lets a proxy leave out a filter that it does not know. Nothing is left out here: a filter that Envoy
 * would run, and that may guard something, must not vanish silently.
 */
const filterFields = new SupportedFields(
  HttpFilterSchema,
  ['name', 'typed_config', 'config_discovery', 'disabled'],
  ['is_optional'],
);

const category = 'envoy.filters.http';
const routerKind = 'envoy.extensions.filters.http.router.v3.Router';

/** `http_filters`, or the `filters` of an upgrade: the router must be there, once and last. */
export function decodeHttpFilters(
  messages: readonly HttpFilter[],
  reasons: Reasons,
  extensions: Extensions,
  field = 'http_filters',
): HttpFilterData[] {
  const before = reasons.list.length;
  const filters = messages.flatMap((message, i) => decodeHttpFilter(message, reasons.at(field, i), extensions) ?? []);
  if (reasons.list.length === before) checkOrder(filters, reasons, field);
  return filters;
}

function decodeHttpFilter(message: HttpFilter, reasons: Reasons, extensions: Extensions): HttpFilterData | null {
  filterFields.check(message, reasons);
  const { name, disabled, configType } = message;
  if (configType.case === 'configDiscovery') {
    const at = reasons.at('config_discovery');
    const discovery = decodeExtensionSource(configType.value, name, category, at, extensions);
    return discovery === null ? null : { name, kind: '', data: null, disabled, discovery };
  }
  const opened = extensions.open(category, name, configType.value, reasons);
  if (opened === null) return null;
  if (opened.kind === routerKind && disabled) reasons.at('disabled').add('a terminal filter cannot be disabled');
  return { name, kind: opened.kind, data: opened.data, disabled };
}

function checkOrder(filters: readonly HttpFilterData[], reasons: Reasons, field: string): void {
  const last = filters.length - 1;
  if (last < 0) reasons.at(field).add('at least the router is needed, as the last filter');
  filters.forEach((filter, i) => {
    const describe = `filter named ${filter.name} of type ${filter.kind}`;
    if (filter.kind === routerKind && i < last)
      reasons.at(field, i).add(`terminal ${describe} must be the last filter in a http filter chain`);
    if (filter.kind !== routerKind && i === last)
      reasons.at(field, i).add(`non-terminal ${describe} is the last filter in a http filter chain`);
  });
}
