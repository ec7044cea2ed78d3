import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, missing } from '../test/peers/binaries.ts';
import { freePorts } from '../test/peers/ports.ts';
import { Core, Program } from './process.ts';

/** What every proxy forwards to: nginx, which answers from memory and costs less than any proxy before it. */
export interface Upstream {
  readonly port: number;
  /** The same over HTTP/2. */
  readonly h2Port: number;
  stop(): Promise<void>;
}

export async function startUpstream(directory: string): Promise<Upstream> {
  const nginx = findProgram('nginx');
  if (nginx === null) throw new Error(missing('nginx'));
  const [port, h2Port] = await freePorts(2);
  const home = join(directory, 'upstream');
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, '64k'), Buffer.alloc(64 * 1024, 'k'));
  writeFileSync(join(home, '1m'), Buffer.alloc(1024 * 1024, 'm'));
  const file = join(home, 'nginx.conf');
  writeFileSync(file, configuration(home, port, h2Port));
  const program = new Program('upstream', Core.Load, [nginx, '-c', file, '-p', home], join(home, 'log'));
  await program.listens(port);
  return { port, h2Port, stop: () => program.stop() };
}

/** Yes: a CheckResponse in which nothing is set, in its frame. */
const noMessage = '\0'.repeat(5);

function configuration(home: string, port: number, h2Port: number): string {
  const item = '{"id":1234567,"name":"item","tags":["a","b","c"],"price":12.5,"stock":42,"text":"lorem ipsum dolor"}';
  return `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
pid ${home}/pid;
error_log ${home}/error.log error;
events { worker_connections 20000; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  keepalive_timeout 3600s;
  open_file_cache max=16;
  client_body_temp_path ${home}/body;
  proxy_temp_path ${home}/proxy;
  fastcgi_temp_path ${home}/fastcgi;
  uwsgi_temp_path ${home}/uwsgi;
  scgi_temp_path ${home}/scgi;
  client_body_buffer_size 128k;
  client_max_body_size 16m;
  default_type text/plain;
  server {
    listen ${port} backlog=4096;
    listen ${h2Port} http2 backlog=4096;
    http2_max_concurrent_streams 1024;
    root ${home};
    location / { return 200 "${'x'.repeat(99)}\n"; }
    location /api/ {
      default_type application/json;
      add_header cache-control "private, max-age=0";
      add_header etag '"5f3a-1c2b"';
      add_header x-powered-by "bench";
      add_header set-cookie "session=abcdef0123456789; Path=/; HttpOnly";
      return 200 '[${Array.from({ length: 10 }, () => item).join(',')}]';
    }
    location /bench.Service/ {
      default_type application/grpc;
      add_trailer grpc-status 0;
      return 200 "${'x'.repeat(25)}";
    }
    location = /envoy.service.auth.v3.Authorization/Check {
      default_type application/grpc;
      add_trailer grpc-status 0;
      return 200 "${noMessage}";
    }
    location = /64k { }
    location = /slow { alias ${home}/64k; limit_rate 1; }
    location = /1m { }
  }
}
`;
}
