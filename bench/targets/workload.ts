/**
 * The realistic workload in numbers, one source for all four configuration languages:
 * 50 virtual hosts with 20 routes each over 10 clusters, headers added and removed in both directions,
 * request ids, a JSON access log, retries and limits.
 */
export const realistic = {
  hosts: Array.from({ length: 50 }, (_, index) => `service-${index}.example.com`),
  /** Path prefixes of a virtual host, most specific first as all four evaluate them in order. */
  prefixes: Array.from({ length: 16 }, (_, index) => `/api/v1/resource-${index}/`),
  exactPaths: ['/healthz', '/favicon.ico'],
  clusters: 10,
  retries: 2,
} as const;

export function clusterOf(host: number): string {
  return `backend_${host % realistic.clusters}`;
}

/** Of RBAC, for all hosts together. */
export const policies = 100;

/** The large configuration: every virtual host has a cluster of its own. */
export const large = { clusters: 2000, endpoints: 5, routesPerHost: 5 } as const;

/** A cluster of very many hosts; the ring has a few points for each, as Envoy's at their number. */
export const hosts = { count: 10_000, subsets: 100, ringSize: 65_536 } as const;

/** Sent by wrk in the realistic scenario: what a browser sends. */
export const browserHeaders: Readonly<Record<string, string>> = {
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
  Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  'Accept-Language': 'en-GB,en;q=0.9,de;q=0.8',
  'Cache-Control': 'no-cache',
  Authorization: 'Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
  Cookie: 'session=0123456789abcdef0123456789abcdef; theme=dark; consent=1',
  'Sec-Fetch-Mode': 'navigate',
};

/** Fields of the JSON access log, as Envoy's command operators. */
export const accessLogFields: Readonly<Record<string, string>> = {
  start_time: '%START_TIME%',
  method: '%REQ(:METHOD)%',
  path: '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%',
  protocol: '%PROTOCOL%',
  response_code: '%RESPONSE_CODE%',
  response_flags: '%RESPONSE_FLAGS%',
  response_code_details: '%RESPONSE_CODE_DETAILS%',
  bytes_received: '%BYTES_RECEIVED%',
  bytes_sent: '%BYTES_SENT%',
  duration: '%DURATION%',
  upstream_service_time: '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%',
  forwarded_for: '%REQ(X-FORWARDED-FOR)%',
  user_agent: '%REQ(USER-AGENT)%',
  request_id: '%REQ(X-REQUEST-ID)%',
  authority: '%REQ(:AUTHORITY)%',
  upstream_host: '%UPSTREAM_HOST%',
  upstream_cluster: '%UPSTREAM_CLUSTER%',
  route_name: '%ROUTE_NAME%',
};
