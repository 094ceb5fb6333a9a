import { describe, expect, it } from 'vitest';
import type { BrowserChoice } from './find-browser.ts';
import { type LaunchFacts, type LaunchWishes, planLaunch } from './launch-options.ts';

const wishes: LaunchWishes = {
  browser_type: 'chromium',
  headless: false,
  window_state: 'normal',
  slow_mo: 0,
  viewport_width: 1_280,
  viewport_height: 720,
  user_agent: '',
  locale: '',
  timezone_id: '',
  color_scheme: 'light',
  ignore_https_errors: false,
  proxy_server: '',
};
const choice: BrowserChoice = { name: 'Chrome', executablePath: '/chrome', origin: 'installed', headlessOnly: false };
const facts: LaunchFacts = { choice, headlessGiven: false, hasDisplay: true, sandbox: true };

describe('the plan of a launch', () => {
  it('shows a window where there is a display, unless the workflow says headless', () => {
    expect(planLaunch(wishes, facts).context.headless).toBe(false);
    expect(planLaunch({ ...wishes, headless: true }, facts).context.headless).toBe(true);
    expect(planLaunch(wishes, { ...facts, hasDisplay: false })).toMatchObject({
      context: { headless: true },
      warnings: [],
    });
  });

  it('warns when a window was asked for and cannot be had', () => {
    const asked = { ...facts, headlessGiven: true };
    expect(planLaunch(wishes, asked).warnings).toEqual([]);
    expect(planLaunch(wishes, { ...asked, hasDisplay: false }).warnings).toEqual([
      expect.stringContaining('no display'),
    ]);
    expect(planLaunch(wishes, { ...asked, choice: { ...choice, headlessOnly: true } }).warnings).toHaveLength(1);
  });

  it('keeps the browser quiet and hides nothing', () => {
    const { args } = planLaunch(wishes, facts).context;
    expect(args).toEqual(
      expect.arrayContaining([
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-quic',
        '--no-first-run',
      ]),
    );
    expect(args?.join(' ')).not.toMatch(/AutomationControlled|web-security/);
  });

  it('maximizes a window only where there is one', () => {
    const maximized = { ...wishes, window_state: 'maximized' } as const;
    expect(planLaunch(maximized, facts).context).toMatchObject({ viewport: null });
    expect(planLaunch(maximized, { ...facts, hasDisplay: false }).context.viewport).toEqual({
      width: 1_280,
      height: 720,
    });
  });

  it('takes the credentials of a proxy out of its address', () => {
    const plan = planLaunch({ ...wishes, proxy_server: 'http://ada:p%40w@proxy.example:3128' }, facts);
    expect(plan.context.proxy).toEqual({ server: 'http://proxy.example:3128', username: 'ada', password: 'p@w' });
    expect(planLaunch({ ...wishes, proxy_server: 'proxy.example:3128' }, facts).context.proxy).toEqual({
      server: 'http://proxy.example:3128',
    });
  });
});
