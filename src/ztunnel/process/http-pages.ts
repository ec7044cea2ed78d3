import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** Answers one request. */
export type Page = (url: URL, method: string) => Promise<Answer> | Answer;

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

export const plainText = (text: string, status = 200): Answer => ({ status, type: 'text/plain', text });

/** How long a client may take for its request, and connections of each page. */
const requestMs = 10_000;
const connectionsMax = 1000;

/** A few pages at a port, for people and probes. */
export class HttpPages {
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
  }

  /** Throws where the port is not to be had. */
  static listen(host: string, port: number, pages: Readonly<Record<string, Page>>): Promise<HttpPages> {
    const server = createServer({ requestTimeout: requestMs, headersTimeout: requestMs }, (request, response) => {
      void answer(pages, request, response);
    });
    server.maxConnections = connectionsMax;
    return new Promise((resolve, reject) => {
      server.once('error', (error) => reject(new Error(`cannot listen on ${host}:${port}: ${error.message}`)));
      server.listen(port, host, () => resolve(new HttpPages(server)));
    });
  }

  get port(): number {
    const address = this.server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

async function answer(
  pages: Readonly<Record<string, Page>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const given = await answerOf(pages, request);
  response.writeHead(given.status, { 'content-type': given.type }).end(given.text);
}

async function answerOf(pages: Readonly<Record<string, Page>>, request: IncomingMessage): Promise<Answer> {
  try {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const page = Object.hasOwn(pages, url.pathname) ? pages[url.pathname] : undefined;
    return page === undefined ? plainText('not found\n', 404) : await page(url, request.method ?? 'GET');
  } catch (error) {
    return plainText(`${(error as Error).message}\n`, 500);
  }
}
