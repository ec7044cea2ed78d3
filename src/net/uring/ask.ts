/** What a connection asks of the ring: given back with each completion. */
export const Ask = { Read: 1, ReadEvents: 2, Send: 3 } as const;
