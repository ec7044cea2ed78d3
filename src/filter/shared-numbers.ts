/**
 * Which numbers a filter counts over all workers (`FilterContext.sharedNumber`), by the message name of its
 * configuration: the main thread allots them before a worker builds the filter.
 */
export const sharedNumbersOfFilters: ReadonlyMap<string, readonly string[]> = new Map([
  ['envoy.extensions.filters.http.fault.v3.HTTPFault', ['fault.active_faults']],
  // Those of whatever filter is behind it.
  ['envoy.extensions.common.matching.v3.ExtensionWithMatcher', ['fault.active_faults']],
]);
