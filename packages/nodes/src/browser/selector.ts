/**
 * Selectors as workflow files write them, in the form that Playwright takes: CSS (also with `css=`), XPath
 * (`xpath=`, or anything that starts like a path) and text (`text=`). Any other Playwright engine passes as it is.
 */
import { NodeError } from '../errors.ts';

const XPATH_START = /^\(*\.{0,2}\//;
const WINDOWS_SELECTOR = /^<\s*(webctrl|html|wnd|ctrl)\b/i;

/**
 * Normalizes a selector.
 *
 * @throws {NodeError} SELECTOR_INVALID for an empty selector, and for the XML selectors of desktop recorders.
 */
export function normalizeSelector(selector: string): string {
  const text = selector.trim();
  if (text === '') {
    throw new NodeError('The selector is empty: give a CSS, xpath= or text= selector.', {
      code: 'SELECTOR_INVALID',
    });
  }
  if (WINDOWS_SELECTOR.test(text)) {
    throw new NodeError(
      `The selector "${text.slice(0, 80)}" is an XML selector of a desktop recorder: use CSS, xpath= or text= instead.`,
      { code: 'SELECTOR_INVALID' },
    );
  }
  return XPATH_START.test(text) ? `xpath=${text}` : text;
}
