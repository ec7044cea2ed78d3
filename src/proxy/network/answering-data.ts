export const echoKind = 'envoy.extensions.filters.network.echo.v3.Echo';
export const directResponseKind = 'envoy.extensions.filters.network.direct_response.v3.Config';

/** `envoy.extensions.filters.network.direct_response.v3.Config` as plain data. */
export interface NetworkDirectResponseData {
  readonly response: Uint8Array;
}
