import type { Reasons } from '../core/rejection.ts';
import { SupportedFields } from '../core/supported-fields.ts';
import { decodeAddress } from '../listener/decode.ts';
import { decodeNameMatcher } from '../observe/stats/decode.ts';
import { AdminSchema, type Admin } from '../proto/envoy/config/bootstrap/v3/bootstrap_pb.js';
import type { AdminData } from './admin-data.ts';

const adminFields = new SupportedFields(
  AdminSchema,
  ['access_log', 'access_log_path', 'address', 'allow_paths'],
  // Where Envoy's profilers write, and a limit that sekisho's admin connections do not count for.
  ['profile_path', 'ignore_global_conn_limit'],
);

/** The bootstrap's `admin`. Null: there is none to serve, or reasons were added. `access_log` and `access_log_path` are the caller's. */
export function decodeAdmin(admin: Admin | undefined, reasons: Reasons): AdminData | null {
  if (admin === undefined) return null;
  adminFields.check(admin, reasons);
  const allowPaths = admin.allowPaths.map((matcher, index) =>
    decodeNameMatcher(matcher, reasons.at('allow_paths', index)),
  );
  if (admin.address === undefined) return null;
  const address = decodeAddress(admin.address, reasons.at('address'));
  if (address === null) return null;
  const specifier = admin.address.address;
  const mode = specifier.case === 'pipe' ? specifier.value.mode : 0;
  return {
    address,
    pipeMode: mode === 0 ? null : mode,
    allowPaths: allowPaths.filter((matcher) => matcher !== null),
  };
}
