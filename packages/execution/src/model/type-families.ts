/**
 * Node types of the original product that no registry of this robot holds: which names they go by, and why they
 * cannot run. A type that is registered is never looked up here.
 */

/** Names that older workflow files use, with today's. */
export const olderTypeNames: ReadonlyMap<string, string> = new Map([
  ['OCRNode', 'OCRExtractTextNode'],
  ['BrowserLaunchNode', 'LaunchBrowserNode'],
  ['BrowserNavigateNode', 'GoToURLNode'],
  ['BrowserWaitNode', 'WaitNode'],
  ['BrowserGetTextNode', 'ExtractTextNode'],
  ['BrowserScreenshotNode', 'ScreenshotNode'],
  ['BrowserCloseNode', 'CloseBrowserNode'],
  ['DriveRemovePermissionNode', 'DriveRemoveShareNode'],
]);

const abstractTypes = new Set([
  'BaseTriggerNode',
  'GoogleBaseNode',
  'DriveBaseNode',
  'GmailBaseNode',
  'SheetsBaseNode',
  'DocsBaseNode',
  'CalendarBaseNode',
  'BrowserBaseNode',
  'HttpBaseNode',
  'LLMBaseNode',
  'TelegramBaseNode',
  'WhatsAppBaseNode',
  'DocumentBaseNode',
]);

interface Family {
  readonly names: RegExp;
  /** Ends the sentence "It ...". */
  readonly needs: string;
}

const families: readonly Family[] = [
  { names: /^(Excel|Word|Outlook)[A-Z]/, needs: 'automates Microsoft Office on Windows' },
  {
    names:
      /^(Desktop[A-Z].*|(Launch|Close)Application|(Activate|Resize|Move|Maximize|Minimize|Restore|WaitFor)Window|(Get|Set)Window(List|Properties|State)|WindowManagementSuper|FindElement|GetElement(Text|Property)|SelectFromDropdown|CheckCheckbox|SelectRadioButton|SelectTab|ExpandTreeItem|ScrollElement|(Move|Drag)Mouse|MouseClick|GetMousePosition|SendKeys|SendHotKey|VerifyElement(Exists|Property)|Capture(Screenshot|ElementImage)|OCR[A-Za-z]*|CompareImages|YOLO[A-Za-z]*)Node$/,
    needs: 'controls the Windows desktop',
  },
  {
    names: /(Dialog|^MessageBox|^Tooltip|^SystemNotification|^Snackbar|^BalloonTip|^AudioAlert|^SplashScreen)Node$/,
    needs: 'shows a window to a person at the desktop',
  },
  {
    names: /^(Clipboard[A-Z].*|HotkeyWait|ScreenRegionPicker|VolumeControl|TextToSpeech|WebcamCapture)Node$/,
    needs: 'uses the clipboard, keyboard, sound or camera of a desktop session',
  },
  { names: /^(GetServiceStatus|(Start|Stop|Restart)Service|ListServices)Node$/, needs: 'manages Windows services' },
  { names: /^(Gmail|Sheets|Drive|Docs|Calendar|Google)[A-Z].*Node$/, needs: 'works with a Google account' },
  { names: /^(Telegram|WhatsApp)[A-Z].*Node$/, needs: 'works with a messaging account' },
  {
    names:
      /^(LLM[A-Z].*|AI[A-Z].*|Embedding|VectorStore[A-Z].*|VectorSearch|RAG|PromptTemplate|ListTemplates|GetTemplateInfo|SmartSelector[A-Za-z]*|RefineSelector|SolveCaptcha[A-Za-z]*)Node$/,
    needs: 'works with the account of an AI or captcha service',
  },
  {
    names: /^(ClassifyDocument|Extract(Invoice|Form|Table)|ValidateExtraction)Node$/,
    needs: 'works with the account of a document recognition service',
  },
  {
    names:
      /^(SendEmail|ReadEmails|GetEmailContent|FilterEmails|SaveAttachment|(Mark|Delete|Move)Email|EmailSuper)Node$/,
    needs: 'works with an e-mail account',
  },
];

export type TypeVerdict =
  | { readonly kind: 'abstract' }
  | { readonly kind: 'trigger' }
  | { readonly kind: 'unsupported'; readonly needs: string }
  | { readonly kind: 'unknown' };

/** Why a type that is not registered cannot run. */
export function judgeType(name: string): TypeVerdict {
  if (abstractTypes.has(name)) return { kind: 'abstract' };
  if (name.length > 80) return { kind: 'unknown' };
  if (name.endsWith('TriggerNode')) return { kind: 'trigger' };
  const family = families.find((candidate) => candidate.names.test(name));
  return family === undefined ? { kind: 'unknown' } : { kind: 'unsupported', needs: family.needs };
}
