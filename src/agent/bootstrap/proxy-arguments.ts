import { load } from 'js-yaml';
import { AgentError } from '../agent-error.ts';
import { configDurationMs, type ProxyConfig } from './proxy-config.ts';

export interface ProxyArgumentFacts {
  /** Of the bootstrap. */
  readonly path: string;
  readonly proxyConfig: ProxyConfig;
  readonly isIpv6Only: boolean;
  /** `--proxyLogLevel`: `warning`, or with components `warning,misc:error`. */
  readonly logLevel: string;
  /** `--proxyComponentLogLevel`: counts where the level names no component. */
  readonly componentLogLevel: string;
  readonly skipsDeprecatedLogs: boolean;
  /** ISTIO_BOOTSTRAP_OVERRIDE's file; empty: none. */
  readonly override: string;
  readonly hostAddress: string;
}

/** The command line with which Istio's agent starts the proxy, without the program's name. */
export function proxyArguments(facts: ProxyArgumentFacts): string[] {
  const { proxyConfig } = facts;
  const levels = facts.logLevel.split(',');
  const level = levels.findLast((each) => !each.includes(':')) ?? '';
  const components = levels.filter((each) => /^[^:]+:[^:]+$/.test(each)).join(',') || facts.componentLogLevel;
  const flushMs = configDurationMs(proxyConfig.fileFlushInterval, 1000);
  const minSizeKb = proxyConfig.fileFlushMinSizeKb ?? 0;
  return [
    '-c',
    facts.path,
    '--drain-time-s',
    String(Math.trunc(configDurationMs(proxyConfig.drainDuration, 0) / 1000)),
    '--drain-strategy',
    'immediate',
    '--local-address-ip-version',
    facts.isIpv6Only ? 'v6' : 'v4',
    '--file-flush-interval-msec',
    String(Math.trunc(flushMs)),
    '--disable-hot-restart',
    '--allow-unknown-static-fields',
    ...(minSizeKb > 0 ? ['--file-flush-min-size-kb', String(minSizeKb)] : []),
    ...(level === '' ? [] : ['-l', level]),
    ...(components === '' ? [] : ['--component-log-level', components]),
    ...(facts.skipsDeprecatedLogs ? ['--skip-deprecated-logs'] : []),
    ...(facts.override === '' ? [] : ['--config-yaml', overrideJson(facts.override, facts.hostAddress)]),
    ...((proxyConfig.concurrency ?? 0) > 0 ? ['--concurrency', String(proxyConfig.concurrency)] : []),
  ];
}

/** YAML as JSON; `$(HOST_IP)` is the address of the node, in brackets where it is one of IPv6. */
function overrideJson(text: string, hostAddress: string): string {
  const host = hostAddress.includes(':') ? `[${hostAddress}]` : hostAddress;
  const filled = text.replaceAll(`[$(HOST_IP)]`, host).replaceAll('$(HOST_IP)', host);
  try {
    return JSON.stringify(load(filled));
  } catch (error) {
    throw new AgentError(`ISTIO_BOOTSTRAP_OVERRIDE cannot be read: ${(error as Error).message.split('\n', 1)[0]}`);
  }
}
