import type { MatcherData } from '../../match/matcher-data.ts';
import type { FormatData } from '../../observe/access-log/access-log-data.ts';
import type { HeaderMutationsData } from '../../route/route-data.ts';

/** `envoy.extensions.filters.http.custom_response.v3.CustomResponse` as plain data, of the filter and of routes alike. */
export interface CustomResponseData {
  /** Actions are `LocalResponseData`, inputs `ResponseInputData`; null: nothing is replaced. */
  readonly matcher: MatcherData | null;
}

/** What of an exchange is looked at. Header names are lower-case. */
export type ResponseInputData =
  | { readonly kind: 'status' | 'status-class' | 'local-reply' }
  | { readonly kind: 'request-header' | 'response-header'; readonly name: string };

/** `LocalResponsePolicy`: what takes the place of an answer. */
export interface LocalResponseData {
  /** 0: as it was. */
  readonly status: number;
  /** A character per byte. */
  readonly body: string;
  /** Null: the body as it stands. */
  readonly bodyFormat: FormatData | null;
  readonly headers: HeaderMutationsData | null;
}
