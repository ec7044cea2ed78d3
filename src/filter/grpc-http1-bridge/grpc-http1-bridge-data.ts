/** `envoy.extensions.filters.http.grpc_http1_bridge.v3.Config`. */
export interface GrpcHttp1BridgeData {
  /** `application/x-protobuf` becomes gRPC: one message, framed, and the answer's frame taken off. */
  readonly upgradeProtobuf: boolean;
  readonly ignoreQuery: boolean;
}
