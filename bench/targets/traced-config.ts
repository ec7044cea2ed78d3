import type { TracedShape } from '../target.ts';
import { type } from './envoy-names.ts';

const providers = {
  'traced-zipkin': {
    name: 'envoy.tracers.zipkin',
    typed_config: {
      '@type': type('config.trace.v3.ZipkinConfig'),
      collector_cluster: 'backend',
      collector_endpoint: '/api/v2/spans',
      collector_endpoint_version: 'HTTP_JSON',
      trace_id_128bit: true,
    },
  },
  'traced-opentelemetry': {
    name: 'envoy.tracers.opentelemetry',
    typed_config: {
      '@type': type('config.trace.v3.OpenTelemetryConfig'),
      http_service: { http_uri: { uri: 'http://collector/v1/traces', cluster: 'backend', timeout: '1s' } },
      service_name: 'bench',
    },
  },
} as const;

/** Of a connection manager: one request in a hundred is told of, as istiod has it. */
export function traced(shape: TracedShape): object {
  return { tracing: { random_sampling: { value: 1 }, provider: providers[shape] } };
}
