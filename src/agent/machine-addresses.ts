import { networkInterfaces } from 'node:os';

/** Addresses of the interfaces, but loopback and link-local ones. */
export function machineAddresses(): string[] {
  return Object.keys(networkInterfaces()).flatMap(addressesOfInterface);
}

/** The same of one interface; none where there is no such. */
export function addressesOfInterface(name: string): string[] {
  return (networkInterfaces()[name] ?? [])
    .filter(({ internal, address }) => !internal && !/^(169\.254\.|fe[89ab][0-9a-f]:)/i.test(address))
    .map(({ address }) => address);
}
