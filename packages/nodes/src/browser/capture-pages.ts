/**
 * Pictures (and traces) of a job's open pages, for whoever looks into its failure. In a picture, password fields and
 * every element in which a secret can be read are painted over; where that cannot be found out, no picture is taken.
 * What only a person can read (a picture of a text, a canvas, a text cut into several elements) is not recognized.
 */
import { readFile } from 'node:fs/promises';
import type { Frame, Locator, Page } from 'playwright-core';
import { invalidArgument } from '../errors.ts';
import type { BrowserSession } from './browser-session.ts';
import type { OpenPage } from './open-page.ts';
import { showUrl } from './page-url.ts';

/** A live object of a job, as the engine lists it. */
export interface LiveObject {
  readonly kind: string;
  readonly value: unknown;
}

export interface CaptureOptions {
  /** Takes secrets out of a text: an element whose text it changes is painted over. */
  readonly redact: (text: string) => string;
  readonly signal: AbortSignal;
  /** Default true. */
  readonly screenshots?: boolean;
}

export interface PageCapture {
  readonly url: string;
  readonly title: string;
  /** PNG; null when there is none, and `note` says why. */
  readonly picture: Uint8Array | null;
  /** How many elements were painted over. */
  readonly masked: number;
  readonly note: string | null;
}

export interface BrowserCaptures {
  /** Newest first. */
  readonly pages: readonly PageCapture[];
  /** Playwright traces (zip) as they are: with everything that the browser was told. */
  readonly traces: readonly Uint8Array[];
}

const MOST_PAGES = 5;
const MOST_FRAMES = 20;
const MOST_ELEMENTS = 5_000;
const PICTURE_LIMIT_MS = 4_000;
const FIELDS = 'input, textarea, select, [contenteditable]';

/**
 * Never rejects, but for a wrong argument.
 *
 * @throws NodeError `INVALID_ARGUMENT`
 */
export async function captureBrowsers(
  objects: readonly LiveObject[],
  options: CaptureOptions,
): Promise<BrowserCaptures> {
  requireArguments(objects, options);
  const pages = objects
    .filter(({ kind }) => kind === 'page')
    .map(({ value }) => (value as OpenPage).page)
    .filter((page) => !page.isClosed())
    .toReversed()
    .slice(0, MOST_PAGES);
  const captures: PageCapture[] = [];
  for (const page of pages) if (!options.signal.aborted) captures.push(await capture(page, options));
  const traces: Uint8Array[] = [];
  for (const { kind, value } of objects) {
    if (kind !== 'browser' || options.signal.aborted) continue;
    const path = await (value as BrowserSession).takeTrace().catch(() => null);
    if (path !== null) traces.push(await readFile(path));
  }
  return { pages: captures, traces };
}

function requireArguments(objects: readonly LiveObject[], options: CaptureOptions): void {
  const isList = Array.isArray(objects) && objects.every((one) => typeof one === 'object' && one !== null);
  if (!isList) throw invalidArgument('objects must be a list of live objects: { kind, value }');
  if (typeof options !== 'object' || options === null) throw invalidArgument('options must be an object');
  if (typeof options.redact !== 'function') throw invalidArgument('options.redact must be a function');
  if (typeof options.signal?.aborted !== 'boolean') throw invalidArgument('options.signal must be an AbortSignal');
}

async function capture(page: Page, options: CaptureOptions): Promise<PageCapture> {
  const { redact, screenshots = true } = options;
  const about = { url: redact(showUrl(page.url())), title: '', picture: null, masked: 0 };
  try {
    const title = redact(await withinSignal(page.title(), options.signal));
    if (!screenshots) return { ...about, title, note: null };
    const mask = await withinSignal(secretElements(page, redact), options.signal);
    const picture = await withinSignal(
      page.screenshot({ mask, maskColor: '#000000', animations: 'disabled', timeout: PICTURE_LIMIT_MS }),
      options.signal,
    );
    return { ...about, title, picture, masked: mask.length, note: null };
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return { ...about, note: `no picture could be taken: ${redact(reason)}` };
  }
}

/** Secrets stay on this side: the texts of the page come here, and are looked through here. */
async function secretElements(page: Page, redact: (text: string) => string): Promise<Locator[]> {
  const frames = page.frames();
  if (frames.length > MOST_FRAMES) throw new Error(`the page has more than ${MOST_FRAMES} frames`);
  const found = await Promise.all(frames.map((frame) => secretElementsIn(frame, redact)));
  return found.flat();
}

async function secretElementsIn(frame: Frame, redact: (text: string) => string): Promise<Locator[]> {
  const isSecret = (text: string): boolean => text !== '' && redact(text) !== text;
  const fields = await frame.locator(FIELDS).evaluateAll((elements) =>
    elements.map((element) => {
      const { type = '', value = '', textContent } = element as unknown as FormField;
      return { isPassword: type === 'password', text: `${value}\n${textContent ?? ''}` };
    }),
  );
  const texts = await frame
    .locator('body *')
    .evaluateAll(
      (elements, most) =>
        elements.length > most
          ? null
          : elements.map((element) =>
              [...element.childNodes].map((node) => (node.nodeType === 3 ? node.nodeValue : '')).join(''),
            ),
      MOST_ELEMENTS,
    );
  if (texts === null) throw new Error(`the page has more than ${MOST_ELEMENTS} elements`);
  return [
    ...fields.flatMap(({ isPassword, text }, index) =>
      isPassword || isSecret(text) ? [frame.locator(FIELDS).nth(index)] : [],
    ),
    ...texts.flatMap((text, index) => (isSecret(text) ? [frame.locator('body *').nth(index)] : [])),
  ];
}

/** What is read of an element; the package knows no DOM. */
interface FormField {
  readonly type?: string;
  readonly value?: string;
  readonly textContent?: string | null;
}

/** A page that does not answer holds nobody up. */
function withinSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => undefined);
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new Error('the page did not answer in time'));
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
