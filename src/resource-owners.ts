/** Who needs a secret. */
export function clusterOwner(name: string): string {
  return `cluster/${name}`;
}

export function listenerOwner(name: string): string {
  return `listener/${name}`;
}
