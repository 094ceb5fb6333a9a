/** What a page may open, by the operator's permissions: web addresses, files, nothing of the browser's own. */
import { fileURLToPath } from 'node:url';
import type { BrowserContext } from 'playwright-core';
import { NodeError } from '../errors.ts';
import { requireHost } from '../net/guarded-lookup.ts';
import { showUrl } from './page-url.ts';
import type { NodeContext } from './ports.ts';

type Scope = Pick<NodeContext, 'access' | 'resolvePath'>;

const WEB = new Set(['http:', 'https:', 'ws:', 'wss:', 'ftp:']);
const INNER = new Set(['about:', 'data:', 'blob:']);

/** @throws NodeError `PERMISSION_DENIED` */
export async function requireUrl(ctx: Scope, text: string): Promise<void> {
  const url = new URL(text.replace(/^(view-source:)+/i, ''));
  if (INNER.has(url.protocol)) return;
  if (url.protocol === 'file:') {
    ctx.resolvePath(pathOf(url));
    return;
  }
  if (WEB.has(url.protocol)) {
    await requireHost(ctx.access, url.hostname, Number(url.port) || (url.protocol === 'http:' ? 80 : 443));
    return;
  }
  if (ctx.access.isNetworkOpen) return;
  ctx.access.refuse(
    new NodeError(`Pages of the kind ${url.protocol} may not be opened: ${showUrl(text)}.`, {
      code: 'PERMISSION_DENIED',
      errorType: 'PermissionError',
    }),
  );
}

const watched = new WeakSet<BrowserContext>();

/**
 * Holds what pages load from disk to the allowed folders. Only browsers that open a file need it: pages from the web
 * cannot load files, and looking at every request costs the browser its cache.
 */
export async function guardFiles(ctx: Pick<NodeContext, 'access'>, context: BrowserContext): Promise<void> {
  if (watched.has(context)) return;
  watched.add(context);
  await context.route(
    (url) => url.protocol === 'file:',
    async (route) => {
      const refusal = ctx.access.refusalOfPath(pathOf(new URL(route.request().url())));
      await (refusal === null ? route.continue() : route.abort('accessdenied'));
    },
  );
}

export function isFileUrl(text: string): boolean {
  return /^(view-source:)*file:/i.test(text);
}

function pathOf(url: URL): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new NodeError(`"${showUrl(url.href)}" names no file of this machine.`, { code: 'URL_INVALID', cause });
  }
}
