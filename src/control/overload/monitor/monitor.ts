/** One resource. */
export interface ResourceMonitor {
  /**
   * How much of it is taken: 1 is all.
   * @throws Error when that cannot be told now
   */
  pressure(): number;
}
