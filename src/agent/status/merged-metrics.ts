import type { IncomingHttpHeaders } from 'node:http';
import { AgentError } from '../agent-error.ts';
import type { Log } from '../../observe/log/log.ts';
import { askHttp } from './http-request.ts';

/** Where the application has metrics: of the annotations prometheus.io/…, as the injector hands them on. */
export interface ScrapeTarget {
  readonly port: string;
  readonly path: string;
}

const plainText = 'text/plain; version=0.0.4; charset=utf-8';
const openMetrics = 'application/openmetrics-text';
/** What is handed on of a scraper's request. */
const passedHeaders = ['accept', 'user-agent', 'x-prometheus-scrape-timeout-seconds'];
const timeoutMs = 10_000;
/** The proxy's own: as many as a mesh of thousands of services makes. */
const proxyBytesMax = 256 << 20;
const applicationBytesMax = 10 << 20;

/**
 * ISTIO_PROMETHEUS_ANNOTATIONS: `{"scrape":"true","path":"/metrics","port":"80"}`. Empty: there is nothing to scrape.
 * @throws AgentError
 */
export function scrapeTargets(text: string, statusPort: number): ScrapeTarget[] {
  if (text === '') return [];
  let written: { scrape?: string; path?: string; port?: string; targets?: { path?: string; port?: string }[] };
  try {
    written = JSON.parse(text) as typeof written;
  } catch {
    throw new AgentError('ISTIO_PROMETHEUS_ANNOTATIONS is no JSON');
  }
  if (written.scrape === 'false') return [];
  const targets = (written.targets ?? [written]).map(({ path, port }) => ({
    path: path === undefined || path === '' ? '/metrics' : path,
    port: port === undefined || port === '' ? '80' : port,
  }));
  if (targets.some(({ port }) => port === String(statusPort)))
    throw new AgentError(
      `prometheus.io/port is ${statusPort}, the agent's own: it would ask itself. Is the pod injected twice?`,
    );
  return targets;
}

/** A page of metrics. */
export interface MetricsPage {
  readonly contentType: string;
  readonly body: string;
}

export interface MergedMetricsOptions {
  /** `http://127.0.0.1:15090`. */
  readonly proxyBase: string;
  readonly targets: readonly ScrapeTarget[];
  /** The agent's own, in Prometheus' text. */
  readonly own: () => Promise<string>;
  readonly log: Log;
}

/** The agent's metrics, the proxy's and the application's on one page; a part that is not to be had is left out. */
export class MergedMetrics {
  private readonly options: MergedMetricsOptions;

  constructor(options: MergedMetricsOptions) {
    this.options = options;
  }

  /** @param query of the scraper, with its question mark; empty: none */
  async page(query: string, headers: IncomingHttpHeaders): Promise<MetricsPage> {
    const { proxyBase, targets, own } = this.options;
    const passed = Object.fromEntries(
      passedHeaders.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]])),
    );
    const asked = await Promise.all([
      this.ask(`${proxyBase}/stats/prometheus${query}`, passed, proxyBytesMax),
      ...targets.map(({ port, path }) =>
        this.ask(`http://localhost:${port}${path.startsWith('/') ? path : `/${path}`}`, passed, applicationBytesMax),
      ),
    ]);
    const applications = asked.slice(1);
    const isOpen = applications.length > 0 && applications.every((page) => page?.contentType.startsWith(openMetrics));
    const pages = [await own(), ...asked.map((page) => page?.body ?? '')];
    const parts = pages.filter((body) => body !== '').map(withoutEnd);
    return {
      contentType: isOpen ? openTypeOf(applications[0]!.contentType) : plainText,
      body: parts.join('') + (isOpen ? '# EOF\n' : ''),
    };
  }

  private async ask(url: string, headers: Record<string, string>, bodyBytesMax: number): Promise<MetricsPage | null> {
    const wished = Number(headers['x-prometheus-scrape-timeout-seconds']) * 1000;
    try {
      const answer = await askHttp({
        url,
        headers,
        timeoutMs: wished > 0 ? Math.min(wished, 600_000) : timeoutMs,
        bodyBytesMax,
      });
      if (answer.status !== 200) throw new Error(`status ${answer.status}`);
      if (answer.isCut) throw new Error(`more than ${bodyBytesMax} bytes`);
      return { contentType: answer.headers['content-type'] ?? '', body: answer.body.toString() };
    } catch (error) {
      this.options.log.warn(`metrics are not to be had: ${url}: ${(error as Error).message}`);
      return null;
    }
  }
}

/** Each ends with a line's end, and none with the mark of OpenMetrics: another follows. */
function withoutEnd(body: string): string {
  const ended = body.replace(/\n?# EOF\n?$/, '\n');
  return ended.endsWith('\n') ? ended : `${ended}\n`;
}

function openTypeOf(contentType: string): string {
  return `${openMetrics}; version=${contentType.includes('1.0.0') ? '1.0.0' : '0.0.1'}; charset=utf-8`;
}
