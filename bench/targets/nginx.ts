import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, missing } from '../../test/peers/binaries.ts';
import type { Place, Shape, Target } from '../target.ts';
import { clusterOf, realistic } from './workload.ts';

/** nginx with one worker. Its TCP module is not part of nginx-light, so the TCP shapes are not asked of it. */
export const nginx: Target = {
  name: 'nginx',
  unavailable: () => (findProgram('nginx') === null ? missing('nginx') : null),
  supports: (shape) => shape === 'plain' || shape === 'realistic' || shape === 'tls',
  prepare(shape, place, workers) {
    const home = join(place.directory, 'home');
    mkdirSync(home, { recursive: true });
    const file = join(place.directory, 'nginx.conf');
    writeFileSync(file, configuration(shape, place, home, workers));
    return [findProgram('nginx') ?? 'nginx', '-c', file, '-p', home];
  },
};

function configuration(shape: Shape, place: Place, home: string, workers: number): string {
  return `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes ${workers};
pid ${home}/pid;
error_log ${home}/error.log error;
worker_rlimit_nofile 20000;
events { worker_connections 19000; }
http {
  keepalive_requests 1000000000;
  keepalive_timeout 3600s;
  client_body_temp_path ${home}/body;
  proxy_temp_path ${home}/proxy;
  fastcgi_temp_path ${home}/fastcgi;
  uwsgi_temp_path ${home}/uwsgi;
  scgi_temp_path ${home}/scgi;
  client_max_body_size 16m;
  client_body_buffer_size 128k;
  proxy_request_buffering off;
  proxy_max_temp_file_size 0;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  server_names_hash_bucket_size 128;
${shape === 'realistic' ? realisticServers(place) : plain(place, shape === 'tls')}
}
`;
}

function upstream(name: string, place: Place): string {
  return `
  upstream ${name} {
    server 127.0.0.1:${place.upstreamPort} max_conns=10000;
    keepalive 1024;
    keepalive_requests 1000000000;
    keepalive_timeout 3600s;
  }`;
}

function plain(place: Place, isSecure: boolean): string {
  const { chain, key } = place.certificates.in;
  return `
  access_log off;
  ${upstream('backend', place)}
  server {
    listen 127.0.0.1:${place.listenPort} backlog=4096${isSecure ? ' ssl' : ''};
    ${isSecure ? `ssl_certificate ${chain}; ssl_certificate_key ${key}; ssl_protocols TLSv1.2 TLSv1.3;` : ''}
    location / { proxy_pass http://backend; }
  }`;
}

function realisticServers(place: Place): string {
  const upstreams = Array.from({ length: realistic.clusters }, (_, index) => upstream(clusterOf(index), place));
  return `
  log_format json escape=json '{"start_time":"$time_iso8601","method":"$request_method","path":"$request_uri",'
    '"protocol":"$server_protocol","response_code":$status,"bytes_received":$request_length,"bytes_sent":$bytes_sent,'
    '"duration":"$request_time","upstream_service_time":"$upstream_response_time",'
    '"forwarded_for":"$http_x_forwarded_for","user_agent":"$http_user_agent","request_id":"$request_id",'
    '"authority":"$http_host","upstream_host":"$upstream_addr","upstream_cluster":"$proxy_host"}';
  access_log ${place.directory}/access.log json buffer=64k flush=10s;
  merge_slashes on;
  ${upstreams.join('')}
  ${realistic.hosts.map((host, index) => realisticServer(host, index, place)).join('')}`;
}

function realisticServer(host: string, index: number, place: Place): string {
  const cluster = clusterOf(index);
  const exact = realistic.exactPaths.map((path) => `location = ${path} { proxy_pass http://${cluster}; }`);
  const prefixes = realistic.prefixes.map(
    (prefix, n) => `location ^~ ${prefix} { proxy_pass http://${cluster}/api/${n}/; }`,
  );
  return `
  server {
    listen 127.0.0.1:${place.listenPort}${index === 0 ? ' backlog=4096' : ''};
    server_name ${host};
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Request-Id $request_id;
    proxy_set_header X-Gateway bench;
    proxy_set_header X-Client-Address $remote_addr;
    proxy_set_header X-Internal-Secret "";
    proxy_hide_header X-Powered-By;
    add_header Strict-Transport-Security "max-age=31536000";
    proxy_next_upstream error timeout http_500 http_502 http_503 http_504;
    proxy_next_upstream_tries ${realistic.retries + 1};
    proxy_read_timeout 5s;
    ${exact.join('\n    ')}
    ${prefixes.join('\n    ')}
    location / { proxy_pass http://${cluster}; }
  }`;
}
