/** What the bootstrap of a gateway must have to be one, without an agent beside it: istiod by plain gRPC. */
export function gatewayConfig(adminPort: number, grpcPort: number): string {
  return JSON.stringify({
    node: {
      id: 'router~127.0.0.1~gateway.istio-system~istio-system.svc.cluster.local',
      cluster: 'gateway.istio-system',
      metadata: {
        CLUSTER_ID: 'Kubernetes',
        INSTANCE_IPS: '127.0.0.1',
        ISTIO_VERSION: '1.29.6',
        LABELS: { app: 'istio-ingressgateway', istio: 'ingressgateway' },
        MESH_ID: 'cluster.local',
        NAME: 'gateway',
        NAMESPACE: 'istio-system',
        SERVICE_ACCOUNT: 'gateway',
        UNPRIVILEGED_POD: 'true',
      },
    },
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: adminPort } } },
    dynamic_resources: {
      lds_config: { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' },
      cds_config: { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' },
      ads_config: {
        api_type: 'DELTA_GRPC',
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds-grpc' } }],
      },
    },
    static_resources: {
      clusters: [
        {
          name: 'xds-grpc',
          type: 'STATIC',
          connect_timeout: '1s',
          load_assignment: {
            cluster_name: 'xds-grpc',
            endpoints: [
              {
                lb_endpoints: [
                  { endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: grpcPort } } } },
                ],
              },
            ],
          },
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
        },
      ],
    },
  });
}
