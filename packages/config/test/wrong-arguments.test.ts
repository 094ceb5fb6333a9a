import { expect, it } from 'vitest';
import {
  type ConfigError,
  describeOrigin,
  loadConfig,
  RobotConfig,
  redactConfig,
  requireConnection,
  validateConfig,
} from '../src/index.ts';

// biome-ignore lint/suspicious/noExplicitAny: the point is what the types would not let through
type Anything = any;

const wrong: readonly unknown[] = [null, 42, Number.NaN, 'x', true, [], () => 1, Symbol('s'), 10n];

it.each<[string, (value: Anything) => unknown]>([
  ['RobotConfig', (value) => new RobotConfig(value)],
  ['a section of RobotConfig', (value) => new RobotConfig({ robot: value })],
  ['validateConfig', (value) => validateConfig(value)],
  ['requireConnection', (value) => requireConnection(value)],
  ['the connection of requireConnection', (value) => requireConnection({ connection: value })],
  ['the file of loadConfig', (value) => loadConfig({ env: {}, file: value === 'x' ? '' : value })],
  [
    'a variable of loadConfig',
    (value) => loadConfig({ env: { CASARE_ROBOT_NAME: value === 'x' ? 5 : value } as Anything }),
  ],
])('%s says by its own error what it was given wrongly', (_call, call) => {
  const raw = wrong.filter((value) => {
    try {
      call(value);
      return true;
    } catch (error) {
      return (error as ConfigError).code !== 'CONFIG_INVALID';
    }
  });
  expect(raw).toEqual([]);
});

it('no call answers nothing at all with an error of the language, and a misspelled option is named', () => {
  const calls: readonly ((value: Anything) => unknown)[] = [loadConfig, redactConfig, describeOrigin];
  for (const call of calls) {
    expect(() => call(null)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  }
  expect(() => loadConfig({ env: {}, flag: {} } as Anything)).toThrow('flag (code): is no option; did you mean flags?');
});
