import { request as requestPlain, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { request as requestTls } from 'node:https';

/** An answer with its whole body, up to what was allowed. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** It had more than that. */
  readonly isCut: boolean;
}

export interface HttpQuestion extends Pick<RequestOptions, 'localAddress' | 'headers' | 'method'> {
  readonly url: string;
  readonly timeoutMs: number;
  readonly bodyBytesMax: number;
}

/** One request over a connection of its own. TLS certificates are not looked at: those of probes are anyone's. @throws Error */
export function askHttp(question: HttpQuestion): Promise<HttpAnswer> {
  const { url, timeoutMs, bodyBytesMax, ...options } = question;
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? requestTls : requestPlain)(
      url,
      {
        ...options,
        agent: false,
        rejectUnauthorized: false,
        setHost: options.headers?.['host' as never] === undefined,
      },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        const done = (isCut: boolean): void => {
          clearTimeout(timer);
          const body = Buffer.concat(chunks).subarray(0, bodyBytesMax);
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body, isCut });
        };
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          bytes += chunk.length;
          if (bytes <= bodyBytesMax) return;
          response.destroy();
          done(true);
        });
        response.on('end', () => done(false));
        response.on('error', (error) => fail(error));
      },
    );
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
    request.on('error', fail);
    request.end();
  });
}
