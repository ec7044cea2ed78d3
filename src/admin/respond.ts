import type { AdminSource } from './admin-source.ts';
import type { Endpoint } from './endpoint.ts';
import { parseQuery, text, type PageRequest, type PageResponse } from './page.ts';
import { unknownPathPage } from './pages/help.ts';

/** Chooses pages and answers for them. Knows nothing of sockets. */
export class AdminPages {
  private readonly source: AdminSource;
  private readonly endpoints: readonly Endpoint[];
  private readonly byPath: ReadonlyMap<string, Endpoint>;
  private readonly allows: (target: string) => boolean;

  /** @param allows whether a request target (with its query) may be answered: `admin.allow_paths` */
  constructor(endpoints: readonly Endpoint[], source: AdminSource, allows: (target: string) => boolean = () => true) {
    this.source = source;
    this.endpoints = endpoints;
    this.byPath = new Map(endpoints.map((endpoint) => [endpoint.path, endpoint]));
    this.allows = allows;
  }

  /**
   * @param target of the request line
   * @param form body of a form, as it came; empty: none
   */
  async respond(method: string, target: string, form: string): Promise<PageResponse> {
    if (!this.allows(target)) return text(`request to path ${target} not allowed`, 403);
    const request = readRequest(method, target, form);
    const endpoint = this.byPath.get(request.path);
    if (endpoint === undefined) return unknownPathPage(this.endpoints)(request, this.source);
    if (endpoint.isMutating && method !== 'POST') return text(`Method ${method} not allowed, POST required.`, 405);
    return endpoint.page(request, this.source);
  }
}

function readRequest(method: string, target: string, form: string): PageRequest {
  const [withoutFragment = ''] = target.split('#', 1);
  const question = withoutFragment.indexOf('?');
  const path = question < 0 ? withoutFragment : withoutFragment.slice(0, question);
  const query = question < 0 ? '' : withoutFragment.slice(question + 1);
  // Envoy's admin merges slashes.
  return { method, path: path.replace(/\/{2,}/g, '/'), query: parseQuery(form === '' ? query : `${query}&${form}`) };
}
