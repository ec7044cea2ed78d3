import { existsSync, readFileSync } from 'node:fs';
import { GrpcChannel, type ChannelTls, type Metadata } from '../../agent/grpc/grpc-channel.ts';
import { ZtunnelSettingsError } from '../settings.ts';

/** Where istiod is, and how it proves that it is. */
export interface IstiodAddress {
  /** `https://host:port`, `http://host:port`. */
  readonly url: string;
  /** A path, `SYSTEM`, or PEM. */
  readonly roots: string;
  /** Instead of the host; empty: the host. */
  readonly serverName: string;
}

/** @throws ZtunnelSettingsError */
export function istiodChannel({ url, roots, serverName }: IstiodAddress): GrpcChannel {
  const found = /^(https?):\/\/(?:\[([^\]]+)\]|([^:/]+))(?::(\d{1,5}))?\/?$/.exec(url);
  if (found === null) throw new ZtunnelSettingsError(`'${url}' is no address of a control plane`);
  const [, scheme, ipv6, name, port] = found;
  const host = ipv6 ?? name;
  const isSecure = scheme === 'https';
  const tls = (): ChannelTls => ({ roots: rootsOf(roots), serverName: serverName || host, certificate: null });
  return new GrpcChannel({ host, port: Number(port ?? (isSecure ? 443 : 80)), tls: isSecure ? tls : null });
}

/** Metadata of a call: the token is read each time, for it is written anew before it ends. */
export function istiodMetadata(token: string, clusterId: string, headers: Readonly<Record<string, string>>): Metadata {
  const bearer = tokenOf(token);
  return { ...headers, clusterid: clusterId, ...(bearer === '' ? {} : { authorization: `Bearer ${bearer}` }) };
}

/** Null: those of the system. */
function rootsOf(roots: string): string | null {
  if (roots === 'SYSTEM') return null;
  return roots.includes('-----BEGIN') ? roots : readFileSync(roots, 'utf8');
}

/** A path, or the token itself. */
function tokenOf(token: string): string {
  return token !== '' && existsSync(token) ? readFileSync(token, 'utf8').trim() : token;
}
