import type { FormatData } from '../../observe/access-log/access-log-data.ts';

/** `envoy.extensions.filters.http.set_filter_state.v3.Config` as plain data. */
export interface SetFilterStateData {
  readonly values: readonly FilterStateValueData[];
  /** The route is chosen anew. */
  readonly clearsRoute: boolean;
}

/** One text of the filter state. */
export interface FilterStateValueData {
  readonly key: string;
  readonly format: FormatData;
  readonly skipsEmpty: boolean;
  /** It is the address of a socket, or nothing is set; absent: it is a text. */
  readonly isAddress?: true;
  /** Whether upstream connections get to know it, and by whom they are shared then; null: they do not. */
  readonly shared: { readonly isHashable: boolean; readonly isTransitive: boolean } | null;
}
