/** The URL of an Envoy message's type. */
export const type = (name: string): string => `type.googleapis.com/envoy.${name}`;
