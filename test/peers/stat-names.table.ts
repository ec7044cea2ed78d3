/** Names that Envoy lists and sekisho does not, by the feature that moves them: it is refused here, or Envoy's own inside. */
export const absentNames: Readonly<Record<string, RegExp>> = {
  'the admin is Node’s own server and not counted as traffic': /^(http|listener)\.admin\./,
  'no request of our own goes through a router': /^http\.async-client\./,
  'HTTP/2 from an upstream that ends without an error': /_rx_reset_no_error$/,
  'HTTP/3 and early data': /http3|0_?rtt|early_data/,
  TLS: /_ssl_|transport_socket_connect_timeout|ocsp/,
  upgrades: /_upgrades_/,
  'internal redirects': /internal_redirect_/,
  'the overload manager': /overload|_global_cx_overflow$/,
  'listener filters': /_pre_cx_|_listener_filter_/,
  'metadata frames and floods, of HTTP/1 by name only': /http1\.(metadata_not_supported_error|response_flood)$/,
  'headers with underscores from upstreams': /^cluster\..*\.http1\./,
  'how many connections one wake-up accepts': /connections_accepted_per_socket_event$/,
  'pinning of workers': /\.workers_pinned$/,
  'Envoy’s watchdog': /watchdog/,
  'look-ups of stat names': /stats_recent_lookups$/,
  'the main thread has no clusters to inflate': /main_thread\.clusters_inflated$/,
};

/** What `usedonly` shows on one of the two only, and why. */
export const usedOnlyDifferences: Readonly<Record<string, RegExp>> = {
  'bytes between the sockets are not measured': /_bytes_buffered$/,
  'the log was written by now, or not yet': /^filesystem\./,
  'who closes first is a race': /_cx_destroy_(local|remote)/,
};
