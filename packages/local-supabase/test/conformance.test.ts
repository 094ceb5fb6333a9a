/** What the functions of migrations/ promise, over supabase-js, on every engine. */
import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { engines } from './engines.ts';
import { Orchestra } from './orchestra.ts';
import { accessSuite } from './suites/access.ts';
import { accessMatrixSuite } from './suites/access-matrix.ts';
import { anchorSuite } from './suites/anchors.ts';
import { claimingSuite } from './suites/claiming.ts';
import { endingSuite } from './suites/endings.ts';
import { instanceSuite } from './suites/instances.ts';
import { leaseSuite } from './suites/leases.ts';
import { logSuite } from './suites/logs.ts';
import { losingSuite } from './suites/losing.ts';
import { operatingSuite } from './suites/operating.ts';
import { progressSuite } from './suites/progress.ts';
import { resolvingSuite } from './suites/resolving.ts';
import { turnSuite } from './suites/turns.ts';

describe.each(engines)('$name', (engine) => {
  let orchestra: Orchestra;
  beforeAll(async () => {
    orchestra = new Orchestra(await engine.start());
  });
  afterAll(() => orchestra.server.stop());
  beforeEach(() => orchestra.clear());

  describe('claiming', () => claimingSuite(() => orchestra, engine));
  describe('instances', () => instanceSuite(() => orchestra, engine));
  describe('leases', () => leaseSuite(() => orchestra));
  describe('endings', () => endingSuite(() => orchestra));
  describe('a lost job', () => losingSuite(() => orchestra));
  describe('operating', () => operatingSuite(() => orchestra));
  describe('progress', () => progressSuite(() => orchestra));
  describe('resolving', () => resolvingSuite(() => orchestra));
  describe('what jobs log', () => logSuite(() => orchestra));
  describe('a turn', () => turnSuite(() => orchestra));
  describe('access', () => accessSuite(() => orchestra, engine));
  describe('access', () => accessMatrixSuite(() => orchestra));
  describe('anchors', () => anchorSuite(() => orchestra));
});
