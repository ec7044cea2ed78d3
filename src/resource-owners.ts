/** Who needs the secrets of a listener of the configuration. */
export function listenerOwner(name: string): string {
  return `listener/${name}`;
}
