import type { RequestHead } from '../../../core/head.ts';
import type { MatchContext, Route, RouteTable } from '../../../route/route.ts';
import { scopeKey, type ScopeFragmentData } from './scoped-routes-data.ts';

/** Route configurations by the key of their scope, as they are at one moment. */
export class ScopedRouteTable implements RouteTable {
  readonly name: string;
  private readonly fragments: readonly ScopeFragmentData[];
  private readonly tables: ReadonlyMap<string, () => RouteTable>;

  /** `tables`: each is built when a request first asks for it. */
  constructor(fragments: readonly ScopeFragmentData[], tables: ReadonlyMap<string, () => RouteTable>) {
    this.name = '';
    this.fragments = fragments;
    this.tables = tables;
  }

  match(head: RequestHead, context: MatchContext): Route | null {
    const key = keyOf(this.fragments, head);
    const table = key === null ? undefined : this.tables.get(key);
    return table === undefined ? null : table().match(head, context);
  }
}

/** Null: something of it is not in the request. Source: Envoy `ScopeKeyBuilderImpl::computeScopeKey`. */
export function keyOf(fragments: readonly ScopeFragmentData[], head: RequestHead): string | null {
  const texts: string[] = [];
  for (const fragment of fragments) {
    const text = fragmentOf(fragment, head);
    if (text === null) return null;
    texts.push(text);
  }
  return scopeKey(texts);
}

function fragmentOf({ header, separator, index, element }: ScopeFragmentData, head: RequestHead): string | null {
  const value = head.get(header);
  if (value === undefined) return null;
  const elements = separator === '' ? [value] : value.split(separator);
  if (element === null) return index < elements.length ? elements[index] : null;
  for (const one of elements) {
    const at = element.separator === '' ? -1 : one.indexOf(element.separator);
    const key = at < 0 ? one : one.slice(0, at);
    if (key === element.key) return at < 0 ? '' : one.slice(at + element.separator.length);
  }
  return null;
}
