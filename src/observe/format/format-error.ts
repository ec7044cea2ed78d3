/** A format that Envoy would refuse, with its reason. Never leaves this folder: `formatProblem` turns it into a value. */
export class FormatError extends Error {}
