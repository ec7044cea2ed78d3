import { isUpgrade } from '../../../codec/h1/connection-options.ts';
import type { Clock } from '../../../core/clock.ts';
import type { RequestHead, ResponseHead } from '../../../core/head.ts';
import type { Headers } from '../../../core/headers.ts';
import { NameTable } from '../../../core/name-table.ts';
import type { Outcome } from '../../../observe/outcome.ts';
import type { HcmData } from '../hcm-data.ts';
import { DateHeader } from './date.ts';
import { ProxyStatus } from './proxy-status.ts';

const Kind = { Drop: 1, Date: 2, Server: 4, Via: 8, Upgrade: 16 } as const;
const kinds = new NameTable<number>(
  [
    ['connection', Kind.Upgrade],
    ['keep-alive', Kind.Drop],
    ['proxy-connection', Kind.Drop],
    ['transfer-encoding', Kind.Drop],
    ['upgrade', Kind.Upgrade],
    ['date', Kind.Date],
    ['server', Kind.Server],
    ['via', Kind.Via],
  ],
  () => 0,
);

/**
 * What Envoy adds to and takes from every response's head on its way to the client. Built once per connection manager.
 * Order and results are Envoy's `ConnectionManagerImpl::ActiveStream::encodeHeaders`.
 */
export class ResponsePreparation {
  private readonly date: DateHeader;
  private readonly serverName: string;
  private readonly overwritesServer: boolean;
  private readonly addsServer: boolean;
  private readonly via: string;
  private readonly alwaysEchoesId: boolean;
  private readonly proxyStatus: ProxyStatus | null;

  constructor(data: HcmData, clock: Clock, nodeId: string) {
    const { response } = data;
    this.date = new DateHeader(clock);
    this.serverName = response.serverName;
    this.overwritesServer = response.serverHeader === 'OVERWRITE';
    this.addsServer = response.serverHeader !== 'PASS_THROUGH';
    this.via = response.via;
    this.alwaysEchoesId = data.requestId.alwaysSetInResponse;
    this.proxyStatus =
      response.proxyStatus === null ? null : new ProxyStatus(response.proxyStatus, response.serverName, nodeId);
  }

  /** For every final head, the upstream's and local replies alike. `request` is null where none was decoded. */
  prepare(head: ResponseHead, request: RequestHead | null, outcome: Outcome): void {
    const { headers } = head;
    const met = sweep(head, request);
    if ((met & Kind.Date) === 0) headers.add('date', this.date.value);
    if (this.addsServer) {
      if ((met & Kind.Server) === 0) headers.add('server', this.serverName);
      else if (this.overwritesServer) headers.set('server', this.serverName);
    }
    if (request !== null) this.echoRequestId(headers, request);
    if (this.via !== '') {
      if ((met & Kind.Via) === 0) headers.add('via', this.via);
      else headers.set('via', `${headers.getAll('via').join(',')}, ${this.via}`);
    }
    if (this.proxyStatus !== null) this.proxyStatus.apply(head, outcome);
  }

  /** For 100, 102, 103: hop-by-hop fields go, nothing is added. */
  prepareInformational(head: ResponseHead, request: RequestHead): void {
    sweep(head, null);
    this.echoRequestId(head.headers, request);
  }

  private echoRequestId(headers: Headers, request: RequestHead): void {
    if (!this.alwaysEchoesId && !request.headers.has('x-envoy-force-trace')) return;
    const id = request.headers.get('x-request-id');
    if (id !== undefined) headers.set('x-request-id', id);
  }
}

/** Takes the hop-by-hop fields out and says which others it met. */
function sweep(head: ResponseHead, request: RequestHead | null): number {
  const { headers } = head;
  const { names } = headers;
  let met = 0;
  kinds.begin();
  for (let i = 0; i < names.length; i++) met |= kinds.get(names[i]);
  if ((met & (Kind.Drop | Kind.Upgrade)) === 0) return met;
  if ((met & Kind.Upgrade) !== 0 && request !== null && isUpgrade(request.headers) && isUpgrade(headers)) {
    dropKinds(headers, Kind.Drop, head.status);
  } else dropKinds(headers, Kind.Drop | Kind.Upgrade, 0);
  return met;
}

/** `upgradeStatus`: of an answer to an upgrade that says one itself; Envoy has it say that nothing follows. Else 0. */
function dropKinds(headers: Headers, dropped: number, upgradeStatus: number): void {
  const { names, values, rawNames } = headers;
  if (upgradeStatus >= 200 && !headers.has('transfer-encoding') && !headers.has('content-length'))
    headers.add('content-length', '0');
  let kept = 0;
  kinds.begin();
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if ((kinds.get(name) & dropped) !== 0) continue;
    names[kept] = name;
    values[kept] = values[i]!;
    if (rawNames !== null) rawNames[kept] = rawNames[i]!;
    kept++;
  }
  headers.cut(kept);
}

/** `x-envoy-upstream-service-time`, in whole milliseconds; the router adds it unless suppress_envoy_headers. */
export function addUpstreamServiceTime(head: ResponseHead, elapsedMs: number): void {
  head.headers.set('x-envoy-upstream-service-time', String(Math.trunc(elapsedMs)));
}
