import { describe, expect, it } from 'vitest';
import { createNodeRegistry } from '../../src/model/registry.ts';
import { check, codesOf, file, findingsOf, log, onlyFinding, openBrowser, registry } from './sample-nodes.ts';

const typed = (type: string, config = {}) => file({ n: [type, config] });

describe('a node type', () => {
  it('that is unknown is refused with the nearest name', () => {
    const finding = onlyFinding(typed('SetVariabelNode'));
    expect(finding).toMatchObject({
      severity: 'error',
      code: 'UNKNOWN_NODE_TYPE',
      node: 'n',
      field: 'node_type',
      suggestion: 'SetVariableNode',
    });
    expect(finding.message).toContain('Did you mean "SetVariableNode"?');
  });

  it('may go by an older name or an alias of its own', () => {
    expect(check(typed('BrowserLaunchNode')).workflow?.nodes.get('n')?.type).toBe('LaunchBrowserNode');
    expect(check(typed('StartBrowserNode')).workflow?.nodes.get('n')?.type).toBe('LaunchBrowserNode');
  });

  it.each(['ScheduleTriggerNode', 'WebhookTriggerNode', 'GmailTriggerNode'])('%s is refused as a trigger', (type) => {
    const finding = onlyFinding(typed(type));
    expect(finding).toMatchObject({ severity: 'error', code: 'TRIGGER_NODE', node: 'n' });
    expect(finding.message).toContain('trigger');
  });

  it.each(['BaseTriggerNode', 'HttpBaseNode', 'LLMBaseNode', 'GoogleBaseNode', 'DocumentBaseNode'])(
    '%s is refused as an abstract base',
    (type) => {
      expect(onlyFinding(typed(type))).toMatchObject({ severity: 'error', code: 'ABSTRACT_NODE_TYPE' });
    },
  );

  it.each([
    ['ExcelOpenNode', 'Office'],
    ['OutlookSendEmailNode', 'Office'],
    ['LaunchApplicationNode', 'Windows'],
    ['DesktopClickElementNode', 'Windows'],
    ['WindowManagementSuperNode', 'Windows'],
    ['WaitForWindowNode', 'Windows'],
    ['GetWindowListNode', 'Windows'],
    ['SendHotKeyNode', 'Windows'],
    ['OCRNode', 'Windows'],
    ['MessageBoxNode', 'desktop'],
    ['FilePickerDialogNode', 'desktop'],
    ['TooltipNode', 'desktop'],
    ['ClipboardCopyNode', 'clipboard'],
    ['TextToSpeechNode', 'sound'],
    ['StartServiceNode', 'services'],
    ['ListServicesNode', 'services'],
    ['GmailSendEmailNode', 'Google'],
    ['SheetsGetCellNode', 'Google'],
    ['DriveRemovePermissionNode', 'Google'],
    ['TelegramSendMessageNode', 'messaging'],
    ['WhatsAppSendImageNode', 'messaging'],
    ['LLMChatNode', 'AI'],
    ['AIAgentNode', 'AI'],
    ['SmartSelectorNode', 'AI'],
    ['ExtractInvoiceNode', 'document'],
    ['SendEmailNode', 'e-mail'],
  ])('%s is refused, because this platform cannot run it', (type, word) => {
    const finding = onlyFinding(typed(type));
    expect(finding).toMatchObject({ severity: 'error', code: 'UNSUPPORTED_NODE_TYPE', node: 'n', field: 'node_type' });
    expect(finding.message).toContain("this platform can't run it");
    expect(finding.message).toContain(word);
  });

  it('of such a family that is registered runs', () => {
    const mail = { ...log, type: 'SendEmailNode' };
    expect(createNodeRegistry([mail]).get('SendEmailNode')).toBe(mail);
  });

  it('that cannot run is only a warning in a disabled node, which passes control on', () => {
    const source = file({ s: ['StartNode'], t: ['TooltipNode', { _disabled: true }], l: ['LogNode'] }, [
      's -> t',
      't -> l',
    ]);
    const { workflow, findings } = check(source);
    expect(findings).toMatchObject([{ severity: 'warning', code: 'UNSUPPORTED_NODE_TYPE', node: 't' }]);
    expect(workflow?.nodes.get('t')).toMatchObject({ type: 'CommentNode', disabled: true });
  });

  it('named like a property of every object is unknown', () => {
    for (const type of ['constructor', '__proto__', 'toString']) {
      expect(codesOf(typed(type))).toEqual(['UNKNOWN_NODE_TYPE']);
    }
  });

  it('with a name of any length is refused quickly', () => {
    const finding = onlyFinding(typed(`${'x'.repeat(1_000_000)}Node`));
    expect(finding.message.length).toBeLessThan(700);
  });
});

describe('the registry', () => {
  it('always holds the control-flow types', () => {
    const empty = createNodeRegistry([]);
    for (const type of ['StartNode', 'IfNode', 'ForLoopStartNode', 'TryNode', 'SetVariableNode']) {
      expect(empty.has(type)).toBe(true);
    }
  });

  it('refuses two types of one name', () => {
    expect(() => createNodeRegistry([log, log])).toThrow('LogNode');
  });

  it('lists aliases only of types that it holds', () => {
    expect(createNodeRegistry([openBrowser]).aliases.get('BrowserLaunchNode')).toBe('LaunchBrowserNode');
    expect(createNodeRegistry([]).has('BrowserLaunchNode')).toBe(false);
  });

  it.each([
    ['SetVarNode', 'SetVariableNode'],
    ['LogMessageNode', 'LogNode'],
    ['WhileNode', 'WhileLoopNode'],
    ['startnode', 'StartNode'],
    ['IfElseNode', 'IfNode'],
    ['ComparsionNode', 'ComparisonNode'],
  ])('takes %s for a misspelled %s', (name, nearest) => {
    expect(registry.nearest(name)).toBe(nearest);
  });

  it('suggests nothing for a name that resembles none', () => {
    expect(registry.nearest('FrobnicateNode')).toBeNull();
    expect(registry.nearest('')).toBeNull();
  });
});

describe('start nodes', () => {
  it('must not be more than one', () => {
    const findings = findingsOf(file({ a: ['StartNode'], b: ['StartNode'] }));
    expect(findings).toMatchObject([{ code: 'MULTIPLE_START_NODES', severity: 'error', node: 'b' }]);
  });
});
