/** `envoy.extensions.filters.http.basic_auth.v3.BasicAuth` as plain data. */
export interface BasicAuthData {
  readonly users: UsersData;
  /** Lower case; empty: the upstream is not told. */
  readonly forwardUsernameHeader: string;
  /** Lower case. */
  readonly authenticationHeader: string;
  readonly allowsMissing: boolean;
  readonly emitsMetadata: boolean;
}

/** Name → SHA-1 of the password, in Base64. Names are wire text. */
export type UsersData = ReadonlyMap<string, string>;
