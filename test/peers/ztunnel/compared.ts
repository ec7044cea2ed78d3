/** What is the same in both, of what they tell: without times, ports that the system chose, and what differs for a reason. */

type Node = 'clients' | 'servers';
type Access = Readonly<Record<string, Readonly<Record<Node, readonly string[]>>>>;

/** Access-log lines of a node, by what happened; threads tell of theirs in no order. */
export function comparedLines(access: Access, node: Node): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(access).map(([name, lines]) => [
      name,
      isCompared(name, node) ? lines[node].map((line) => comparedLine(line)).toSorted() : [],
    ]),
  );
}

/** How a reset is told of is chance with a genuine one, with an error or without; so is how its client hears of one. */
function isCompared(name: string, node: Node): boolean {
  if (name === 'deniedWhileOpen') return node === 'servers';
  return name !== 'serversReset' && name !== 'clientsReset';
}

function comparedLine(line: string): string {
  return (
    line
      .slice(line.indexOf('\t') + 1)
      .replace(/(src\.addr=[\d.]+):\d+/, '$1')
      .replace(/duration="\d+ms"/, 'duration')
      // Each library of TLS has words of its own.
      .replace(/error="(io error: invalid peer certificate|tls error|tls handshake error).*"/, 'error=tls')
      // The local form gives a genuine one's workloads no services by which it could guess.
      .replace(/ dst\.service="[a-z.]+"(?=.* direction="inbound")/, '')
  );
}

/** Samples of Istio's TCP metrics, by family and labels. */
export function comparedMetrics(text: string): Record<string, number> {
  const samples: Record<string, number> = {};
  for (const [, key, value] of text.matchAll(/^(istio_tcp_\w+\{.*\}) (\d+)$/gm)) {
    // Connections that are open are counted as they end; of a reporter that has reported nothing a genuine one says nothing.
    if (key.startsWith('istio_tcp_sockets_open')) continue;
    const isInbound = key.includes('reporter="destination"');
    const labels = isInbound ? key.replaceAll(/(destination_service\w*)="[^"]*"/g, '$1="guessed"') : key;
    samples[labels] = (samples[labels] ?? 0) + Number(value);
  }
  return samples;
}

/** Those of connections from one principal. */
export function metricsOf(text: string, principal: string): Record<string, number> {
  const all = Object.entries(comparedMetrics(text));
  return Object.fromEntries(all.filter(([labels]) => labels.includes(`source_principal="${principal}"`)));
}
