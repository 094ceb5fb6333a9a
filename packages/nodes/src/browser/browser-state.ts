/**
 * What makes a user known to web pages: cookies, and the storage of the pages' origins. It is recorded sealed after each
 * step on a page, piece by piece and only what has changed (I8, I10), and put into a browser that takes the place of one
 * that a restart took. Not part of it: IndexedDB, caches, storage of frames from other origins, what was typed.
 */
import type { BrowserContext, Page } from 'playwright-core';
import { settlesWithin } from './abortable.ts';
import type { Clock, JsonObject, JsonValue } from './ports.ts';

/** Of one piece (the cookies, or what one origin stores), in characters of JSON. */
const MAX_PIECE_CHARS = 256 * 1024;
/** Of all pieces of one browser. */
const MAX_ALL_CHARS = 1024 * 1024;
/** A page that is busy, or on its way to another one, is looked at after the next step. */
const READ_LIMIT_MS = 500;

const COOKIES = 'cookies';
const LOCAL = 'local ';

type Items = readonly (readonly [string, string])[];
type StorageState = Exclude<Parameters<BrowserContext['setStorageState']>[0], string>;

/** What one page stores, as far as it can be read. */
export interface PageStorage {
  readonly origin: string;
  /** Null: too much to be recorded. */
  readonly local: Items | null;
  readonly session: Items | null;
}

/** The pieces of a browser's state as they were recorded last. */
export class RecordedState {
  readonly #pieces: Map<string, string>;
  readonly #refused = new Set<string>();

  /** @param sealed what was recorded before a restart */
  constructor(sealed: JsonObject = {}) {
    this.#pieces = new Map(Object.entries(sealed).map(([name, value]) => [name, JSON.stringify(value)]));
  }

  /** The pieces that differ from what is recorded, a null for one that is no more; they count as recorded from now on. */
  changes(
    cookies: JsonValue,
    storage: PageStorage | null,
  ): { readonly changed: JsonObject; readonly tooLarge: string[] } {
    const now: [string, JsonValue | undefined][] = [[COOKIES, cookies]];
    if (storage !== null) now.push([LOCAL + storage.origin, storage.local === null ? undefined : plain(storage.local)]);
    const changed: [string, JsonValue][] = [];
    const tooLarge: string[] = [];
    for (const [name, value] of now) {
      const text = value === undefined ? null : JSON.stringify(value);
      if (text === this.#pieces.get(name) || (text === '[]' && !this.#pieces.has(name))) continue;
      const isKept = text !== null && text !== '[]' && this.#hasRoomFor(name, text);
      if (isKept) this.#pieces.set(name, text);
      else if (text !== '[]' && !this.#refused.has(name)) tooLarge.push(name);
      if (text !== '[]' && !isKept) this.#refused.add(name);
      if (isKept) changed.push([name, value ?? null]);
      else if (this.#pieces.delete(name)) changed.push([name, null]);
    }
    return { changed: Object.fromEntries(changed), tooLarge };
  }

  #hasRoomFor(name: string, text: string): boolean {
    const others = [...this.#pieces].filter(([other]) => other !== name);
    const size = others.reduce((sum, [, { length }]) => sum + length, 0);
    return text.length <= MAX_PIECE_CHARS && size + text.length <= MAX_ALL_CHARS;
  }
}

/** Null when the page cannot be asked now, or stores nothing by its nature. */
export async function readStorage(page: Page, clock: Clock): Promise<PageStorage | null> {
  let answer: unknown = null;
  const asked = page.evaluate(`(${READ})(${MAX_PIECE_CHARS})`).then((read) => {
    answer = read;
  });
  await settlesWithin(READ_LIMIT_MS, clock, asked);
  return asStorage(answer);
}

/** Runs in the page. */
const READ = `(limit) => {
  const itemsOf = (store) => {
    let left = limit;
    const items = [];
    for (let index = 0; index < store.length; index += 1) {
      const key = store.key(index);
      const value = store.getItem(key) ?? '';
      left -= key.length + value.length;
      if (left < 0) return null;
      items.push([key, value]);
    }
    return items.sort(([a], [b]) => (a < b ? -1 : 1));
  };
  try {
    return { origin: location.origin, local: itemsOf(localStorage), session: itemsOf(sessionStorage) };
  } catch {
    return null;
  }
}`;

/** Pages are not to be trusted with what they answer. */
function asStorage(answer: unknown): PageStorage | null {
  if (typeof answer !== 'object' || answer === null) return null;
  const { origin, local, session } = answer as Record<keyof PageStorage, unknown>;
  if (typeof origin !== 'string' || !/^https?:\/\//.test(origin) || origin.length > 300) return null;
  return { origin, local: asItems(local), session: asItems(session) };
}

function asItems(value: unknown): Items | null {
  if (!Array.isArray(value)) return null;
  const isItem = (item: unknown): boolean =>
    Array.isArray(item) && item.length === 2 && item.every((text) => typeof text === 'string');
  return value.every(isItem) ? (value as Items) : null;
}

/** A copy that is plain JSON, whatever its type says. */
export function plain(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}

/**
 * Puts what was recorded into a new browser.
 *
 * @param hasOwnProfile the browser has kept its storage itself: only cookies, which may have been of the session, are set
 */
export async function restoreState(context: BrowserContext, sealed: JsonObject, hasOwnProfile: boolean): Promise<void> {
  const cookies = (sealed[COOKIES] ?? []) as unknown as StorageState['cookies'];
  if (hasOwnProfile) return context.addCookies(cookies);
  const origins = Object.entries(sealed).flatMap(([name, items]) =>
    name.startsWith(LOCAL) ? [{ origin: name.slice(LOCAL.length), localStorage: asEntries(asItems(items) ?? []) }] : [],
  );
  if (cookies.length + origins.length > 0) await context.setStorageState({ cookies, origins });
}

function asEntries(items: Items): StorageState['origins'][number]['localStorage'] {
  return items.map(([name, value]) => ({ name, value }));
}

/** Puts what an origin had stored for one tab back: from an empty page of that origin, for which nothing is asked. */
export async function restoreTabStorage(page: Page, saved: JsonValue | undefined, signal: AbortSignal): Promise<void> {
  const storage = asStorage({ local: [], ...asObject(saved) });
  if (storage === null || storage.session === null || storage.session.length === 0) return;
  const isOfOrigin = (url: URL): boolean => url.origin === storage.origin;
  await page.route(isOfOrigin, (route) => route.fulfill({ contentType: 'text/html', body: '' }));
  try {
    await page.goto(storage.origin, { signal });
    await page.evaluate(
      `(${JSON.stringify(storage.session)}).forEach(([key, value]) => sessionStorage.setItem(key, value))`,
    );
  } finally {
    await page.unroute(isOfOrigin);
  }
}

function asObject(value: JsonValue | undefined): object {
  return typeof value === 'object' && value !== null ? value : {};
}
