import { AgentError } from '../agent-error.ts';

/** What the kubelet would have asked of the application, had the injector not sent it to the agent. */
export type AppProbe =
  | {
      readonly kind: 'http';
      readonly isTls: boolean;
      readonly path: string;
      readonly port: number;
      readonly timeoutMs: number;
    }
  | { readonly kind: 'tcp'; readonly port: number; readonly timeoutMs: number }
  | { readonly kind: 'grpc'; readonly service: string; readonly port: number; readonly timeoutMs: number };

const pathForm = /^\/(app-health|app-lifecycle)\/[^/]+\/(livez|readyz|startupz|prestopz|poststartz)$/;
const timeoutByDefaultMs = 1000;

interface WrittenProbe {
  readonly httpGet?: { readonly path?: string; readonly port?: unknown; readonly scheme?: string };
  readonly tcpSocket?: { readonly port?: unknown };
  readonly grpc?: { readonly port?: unknown; readonly service?: string | null };
  readonly timeoutSeconds?: number;
}

/** ISTIO_KUBE_APP_PROBERS: probes by the agent's path. @throws AgentError */
export function parseAppProbes(text: string): Map<string, AppProbe> {
  if (text === '') return new Map();
  let written: Record<string, WrittenProbe>;
  try {
    written = JSON.parse(text) as typeof written;
  } catch {
    throw new AgentError('ISTIO_KUBE_APP_PROBERS is no JSON');
  }
  return new Map(Object.entries(written).map(([path, probe]) => [path, parse(path, probe)]));
}

function parse(path: string, { httpGet, tcpSocket, grpc, timeoutSeconds }: WrittenProbe): AppProbe {
  if (!pathForm.test(path)) throw new AgentError(`ISTIO_KUBE_APP_PROBERS: '${path}' is no path of a probe`);
  const timeoutMs = timeoutSeconds === undefined || timeoutSeconds <= 0 ? timeoutByDefaultMs : timeoutSeconds * 1000;
  if ([httpGet, tcpSocket, grpc].filter((kind) => kind !== undefined && kind !== null).length !== 1)
    throw new AgentError(`ISTIO_KUBE_APP_PROBERS: '${path}' has not exactly one of httpGet, tcpSocket, grpc`);
  const port = (value: unknown): number => {
    if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536) return value;
    throw new AgentError(`ISTIO_KUBE_APP_PROBERS: the port of '${path}' is no number of a port`);
  };
  if (httpGet !== undefined)
    return {
      kind: 'http',
      isTls: httpGet.scheme === 'HTTPS',
      path: httpGet.path?.startsWith('/') === true ? httpGet.path : `/${httpGet.path ?? ''}`,
      port: port(httpGet.port),
      timeoutMs,
    };
  if (tcpSocket !== undefined) return { kind: 'tcp', port: port(tcpSocket.port), timeoutMs };
  return { kind: 'grpc', service: grpc?.service ?? '', port: port(grpc?.port), timeoutMs };
}
