import type { FilterBuilder } from '../filter.ts';
import { HealthCheckFilter } from './health-check.ts';
import type { HealthCheckData } from './health-check-data.ts';

export const healthCheckBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.health_check.v3.HealthCheck',
  build: (data, context) => new HealthCheckFilter(data as HealthCheckData, context),
};
