let lastId = 0;

/** A thread's connections are numbered as they come, whatever carries them. */
export function nextConnectionId(): number {
  return ++lastId;
}
