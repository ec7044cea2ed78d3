import { text, type Page } from '../page.ts';

/** `/contention`: there are no mutexes, so Envoy's answer without `--enable-mutex-tracing` is always right. */
export const contentionPage: Page = () =>
  text('Mutex contention tracing is not enabled. To enable, run Envoy with flag --enable-mutex-tracing.');

/** A page that Envoy answers this way in builds that lack the feature. */
export function unsupportedPage(feature: string): Page {
  return () => text(`The current build does not support ${feature}`, 501);
}
