/** The error rules of every field that a run touches, joined: each package knows its own. */
import { classifyError as classifyServiceError } from '@casare/connection/classification';
import type { ClassifyError } from '@casare/execution';
import { classifyBrowserError } from '@casare/nodes';
import { classifyStoreError } from '@casare/offline-store/errors';

/** A node that states code and category is believed; anything else is looked up. */
export const classifyRunError: ClassifyError = (error) => {
  const stated = error as { code?: unknown; category?: unknown; ambiguous?: unknown } | null;
  const category = stated?.category;
  if (
    typeof stated?.code === 'string' &&
    (category === 'transient' || category === 'permanent' || category === 'unknown')
  ) {
    return { category, code: stated.code, ambiguous: stated.ambiguous === true };
  }
  const fromStore = classifyStoreError(error);
  if (fromStore !== null) return { category: fromStore.category, code: fromStore.code };
  const fromBrowser = classifyBrowserError(error);
  if (fromBrowser !== undefined) return fromBrowser;
  const { category: found, code, ambiguous } = classifyServiceError(error);
  return { category: found, code, ambiguous };
};
