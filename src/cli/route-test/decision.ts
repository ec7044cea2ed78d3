import { RequestHead, ResponseHead } from '../../core/head.ts';
import { Headers } from '../../core/headers.ts';
import { noProtocols, type Peer } from '../../core/peer.ts';
import { Outcome } from '../../observe/outcome.ts';
import type { Route } from '../../route/route.ts';
import type { CaseInput, ExpectedText } from './route-case.ts';
import type { TestedRoute, TestedTable } from './tested-table.ts';

const loopback = { kind: 'ip', host: '127.0.0.1', port: 0 } as const;
/** Who asks: the checker's client is on the same machine. */
const client: Peer = {
  remote: loopback,
  local: loopback,
  directRemote: loopback,
  directLocal: loopback,
  serverName: '',
  alpn: '',
  transportProtocol: 'raw_buffer',
  applicationProtocols: noProtocols,
  ja3: '',
  ja4: '',
  tls: null,
};

/** What a route table does with a request, in the words of Envoy's route checker. */
export class Decision {
  readonly texts: Record<ExpectedText, string>;
  /** 0: the request is forwarded. */
  code: number;
  timeoutMs: number;
  readonly request: RequestHead;
  readonly response: ResponseHead;
  /** Null: no route matches. */
  readonly route: Route | null;
  readonly tested: TestedRoute | null;

  constructor(tested: TestedTable, input: CaseInput) {
    this.texts = {
      cluster_name: '',
      virtual_cluster_name: '',
      virtual_host_name: '',
      path_rewrite: '',
      host_rewrite: '',
      path_redirect: '',
    };
    this.code = 0;
    this.timeoutMs = 0;
    this.request = requestOf(input);
    this.response = new ResponseHead(200, new Headers());
    for (const { key, value } of input.responseHeaders) this.response.headers.add(key.toLowerCase(), value);
    const outcome = outcomeOf(this.request, input);
    // Runtime fractions have the case's own random value; see CaseRuntime.
    this.route = tested.table.match(this.request, { random: 0, outcome });
    this.tested = tested.routeOf(this.route);
    if (this.route === null) return;
    outcome.routeName = this.tested?.data.name ?? '';
    outcome.routeMetadata = this.route.metadata;
    outcome.virtualHostMetadata = this.route.virtualHostMetadata;
    this.follow(this.route, input, outcome);
  }

  private follow(route: Route, input: CaseInput, outcome: Outcome): void {
    const { action } = route;
    const { request, response, texts } = this;
    if (action.kind === 'forward') {
      const total = this.tested?.totalWeight ?? 1;
      const random = total === 0 ? 0 : (Number(input.randomValue % BigInt(total)) + 0.5) / total;
      const choice = action.cluster(request, random, outcome);
      texts.cluster_name = choice.name;
      texts.virtual_host_name = route.virtualHostName;
      this.timeoutMs = action.timeoutMs;
      action.mutateRequest(request, outcome, choice);
      texts.virtual_cluster_name = route.virtualCluster(request).statName;
      texts.path_rewrite = request.path;
      texts.host_rewrite = request.authority;
      choice.mutateResponse(response, outcome);
    } else {
      this.code = action.status;
      response.status = action.status;
      if (action.kind === 'redirect') texts.path_redirect = action.location(request, outcome);
      else {
        // The checker tells the URL that a redirect to the same place would have, whatever the status.
        texts.path_redirect = `${request.scheme}://${request.authority}${request.path}`;
        if (action.body !== '') {
          response.headers.set('content-length', String(action.body.length));
          response.headers.set('content-type', 'text/plain');
        }
      }
    }
    route.mutateResponse(response, outcome);
  }
}

function requestOf(input: CaseInput): RequestHead {
  const headers = new Headers();
  headers.add('x-forwarded-proto', input.isSsl ? 'https' : 'http');
  if (input.isInternal) headers.add('x-envoy-internal', 'true');
  for (const { key, value } of input.requestHeaders) headers.add(key.toLowerCase(), value);
  const head = new RequestHead(input.method, input.authority, input.path, 11, headers);
  head.scheme = input.isSsl ? 'https' : 'http';
  return head;
}

function outcomeOf(head: RequestHead, input: CaseInput): Outcome {
  const outcome = new Outcome();
  outcome.requestHead = head;
  outcome.protocol = 'HTTP/1.1';
  outcome.peer = client;
  outcome.isInternal = input.isInternal;
  outcome.dynamicMetadata = new Map(input.dynamicMetadata);
  return outcome;
}
