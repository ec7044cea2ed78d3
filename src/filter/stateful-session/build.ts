import type { FilterBuilder } from '../filter.ts';
import type { StatefulSessionData } from './stateful-session-data.ts';
import { SessionCounts, StatefulSessionFilter } from './stateful-session.ts';

export const statefulSessionBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.stateful_session.v3.StatefulSession',
  build(data, { filterName, stats }) {
    const session = data as StatefulSessionData;
    const counts = session.statPrefix === '' ? null : new SessionCounts(stats, session.statPrefix);
    return { create: () => new StatefulSessionFilter(filterName, session, counts) };
  },
  perRouteKind: 'envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute',
  buildPerRoute: (data) => data,
};
