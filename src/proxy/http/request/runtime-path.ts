import { runtimeInteger, runtimePercent, type RuntimeView } from '../../../core/runtime-view.ts';
import type { PathOptionsData } from '../hcm-data.ts';

/** By number of `PathWithEscapedSlashesAction`; 0 is what the runtime itself decides. */
const actions = [
  'KEEP_UNCHANGED',
  'KEEP_UNCHANGED',
  'REJECT_REQUEST',
  'UNESCAPE_AND_REDIRECT',
  'UNESCAPE_AND_FORWARD',
] as const;

const prefix = 'http_connection_manager.';

/**
 * What the configuration leaves to the runtime, as it stands when the connection manager is built: as in Envoy, later
 * changes of the runtime do not reach it.
 */
export function runtimePath(data: PathOptionsData, runtime: RuntimeView, random: () => number): PathOptionsData {
  const { normalize, escapedSlashes } = data;
  return {
    ...data,
    normalize: normalize ?? runtimePercent(runtime, `${prefix}normalize_path`, 0, random()),
    escapedSlashes: runtimeSlashes(escapedSlashes, runtime, random),
  };
}

function runtimeSlashes(
  configured: PathOptionsData['escapedSlashes'],
  runtime: RuntimeView,
  random: () => number,
): PathOptionsData['escapedSlashes'] {
  const key = `${prefix}path_with_escaped_slashes_action`;
  if (configured === 'IMPLEMENTATION_SPECIFIC_DEFAULT')
    return actions[runtimeInteger(runtime, key, 0)] ?? 'KEEP_UNCHANGED';
  return runtimePercent(runtime, `${key}_enabled`, 100, random()) ? configured : 'KEEP_UNCHANGED';
}
