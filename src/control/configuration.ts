import { readConfig, type ConfigDocument, type ConfigSource } from '../config/document.ts';
import { isRefused, parseBootstrap } from '../config/parse.ts';
import { place } from '../config/place.ts';
import type { Problem } from '../config/problem.ts';
import { isAboutSupport, Reasons, type Reason } from '../core/rejection.ts';
import type { Bootstrap } from '../proto/envoy/config/bootstrap/v3/bootstrap_pb.js';
import type { BootstrapData } from './bootstrap-data.ts';
import { decodeBootstrap, type BootstrapOverrides } from './bootstrap-decode.ts';
import { extensionKinds } from './extension-kinds.ts';
import type { ExtensionTable } from './extension-table.ts';
import type { ResourceDecoding } from './resources/resource-decoding.ts';

/** A configuration that can be served, or everything that is wrong with it. */
export type Configuration =
  | {
      readonly isRefused: false;
      readonly document: ConfigDocument;
      readonly message: Bootstrap;
      readonly data: BootstrapData;
      /** For what comes to it from control planes. */
      readonly decoding: ResourceDecoding;
      /** Message names of the extensions that it names. */
      readonly extensions: readonly string[];
      readonly warnings: readonly Problem[];
    }
  | { readonly isRefused: true; readonly document: ConfigDocument; readonly problems: readonly Problem[] };

export interface ConfigurationSource extends ConfigSource, BootstrapOverrides {
  /** `--allow-unknown-static-fields`. */
  readonly allowUnknown: boolean;
  /** Told the message names of the extensions before anything else is done, so that others can load them meanwhile. */
  readonly onExtensions?: (names: readonly string[]) => void;
}

/** Text → messages → plain data, with every reason for refusal from every step, each at its place in the text. */
export async function loadConfiguration(
  source: ConfigurationSource,
  extensions: ExtensionTable,
): Promise<Configuration> {
  const document = readConfig(source);
  const kinds = extensionKinds(document.value);
  if (document.override !== null) extensionKinds(document.override.value, kinds);
  source.onExtensions?.([...kinds]);
  await extensions.load(kinds);
  const { message, reasons } = parseBootstrap(document, { allowUnknown: source.allowUnknown });
  if (isRefused(reasons)) {
    const further = unsupportedBesides(reasons, message, source, extensions);
    return { isRefused: true, document, problems: place([...reasons, ...further], document) };
  }
  const decoding = new Reasons();
  const decoded = decodeBootstrap(message, source, decoding, extensions.fork());
  const needs = decoded === null ? [] : decoding.needs;
  const google = needs.length === 0 ? null : await import('./resources/google-clusters.ts');
  const clusters = (await google?.makeGoogleClusters(google.googleServices(needs), decoded!.decoding, decoding)) ?? [];
  if (decoded === null || !decoding.isEmpty)
    return { isRefused: true, document, problems: place([...reasons, ...decoding.list], document) };
  const { data } = decoded;
  return {
    isRefused: false,
    document,
    message,
    ...decoded,
    data: clusters.length === 0 ? data : { ...data, clusters: [...data.clusters, ...clusters.map((one) => one.data)] },
    extensions: [...kinds, ...(google?.googleClusterKinds ?? [])],
    warnings: place(reasons, document),
  };
}

/**
 * What a refused configuration names besides that is not supported, so that one run tells everything. Of a message that
 * is not whole decoders would say more, but only what follows from the reasons known already.
 */
function unsupportedBesides(
  known: readonly Reason[],
  message: Bootstrap,
  source: ConfigurationSource,
  extensions: ExtensionTable,
): Reason[] {
  const decoding = new Reasons();
  try {
    decodeBootstrap(message, source, decoding, extensions.fork());
  } catch {
    // A decoder may rely on what validation has just found missing. What it said until then counts.
  }
  const isKnown = ({ path }: Reason): boolean =>
    known.some((one) => isWithin(one.path, path) || isWithin(path, one.path));
  return decoding.list.filter((reason) => isAboutSupport(reason) && !isKnown(reason));
}

/** `a.b[0]` is within `a.b` and within itself, `a.bc` is not. */
function isWithin(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`);
}
