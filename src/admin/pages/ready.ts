import { text, type Page } from '../page.ts';

/** `/ready`: 200 while traffic should come here, 503 otherwise. */
export const readyPage: Page = (_request, source) => text(`${source.state}\n`, source.state === 'LIVE' ? 200 : 503);
