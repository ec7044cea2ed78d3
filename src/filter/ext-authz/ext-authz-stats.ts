import type { Counter, StatsScope } from '../../observe/stats/stats.ts';

/** Envoy's names, below `http.<stat_prefix>.ext_authz.` and `cluster.<upstream>.ext_authz.`. */
export class ExtAuthzStats {
  readonly ok: Counter;
  readonly denied: Counter;
  readonly error: Counter;
  readonly disabled: Counter;
  readonly failureModeAllowed: Counter;
  readonly invalid: Counter;
  readonly ignoredDynamicMetadata: Counter;
  readonly shadowDenied: Counter;
  readonly shadowError: Counter;

  readonly requestHeaderLimitsReached: Counter;
  readonly responseHeaderLimitsReached: Counter;

  constructor(scope: StatsScope) {
    this.ok = scope.counter('ok');
    this.denied = scope.counter('denied');
    this.error = scope.counter('error');
    this.disabled = scope.counter('disabled');
    this.failureModeAllowed = scope.counter('failure_mode_allowed');
    this.invalid = scope.counter('invalid');
    this.requestHeaderLimitsReached = scope.counter('request_header_limits_reached');
    this.responseHeaderLimitsReached = scope.counter('response_header_limits_reached');
    this.shadowDenied = scope.counter('shadow_denied');
    this.shadowError = scope.counter('shadow_error');
    this.ignoredDynamicMetadata = scope.counter('ignored_dynamic_metadata');
  }
}
