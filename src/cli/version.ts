/** Version of the package; a test holds it against package.json. */
export const version = '0.1.0';

/**
 * In the shape of Envoy's `<revision>/<version>/<revision status>/<build type>/<ssl library>`, since scripts cut the
 * second part out.
 */
export function versionString(opensslVersion: string): string {
  return `sekisho/${version}/Clean/RELEASE/OpenSSL-${opensslVersion}`;
}

/** Envoy's hot restart protocol, as `--hot-restart-version` and the admin pages show it: there is none. */
export const hotRestartVersion = 'disabled';
