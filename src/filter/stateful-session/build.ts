import type { FilterBuilder } from '../filter.ts';
import type { StatefulSessionData } from './stateful-session-data.ts';
import { StatefulSessionFilter } from './stateful-session.ts';

export const statefulSessionBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.stateful_session.v3.StatefulSession',
  build: (data, { filterName }) => ({
    create: () => new StatefulSessionFilter(filterName, data as StatefulSessionData),
  }),
  perRouteKind: 'envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute',
  buildPerRoute: (data) => data,
};
