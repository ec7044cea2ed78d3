/** What a proxy of Istio is: a workload's, a gateway's or a waypoint's. */
export type ProxyType = 'sidecar' | 'router' | 'waypoint';

/** `agent proxy`: flags of `pilot-agent proxy`, by the same names. */
export interface AgentFlags {
  readonly type: ProxyType;
  /** `--domain`; empty: `<POD_NAMESPACE>.svc.cluster.local`. */
  readonly domain: string;
  readonly meshConfigPath: string;
  readonly serviceCluster: string;
  readonly proxyLogLevel: string;
  readonly proxyComponentLogLevel: string;
  /** 0: not given. */
  readonly concurrency: number;
  readonly outlierLogPath: string;
  readonly templateFile: string;
  readonly logsJson: boolean;
}
