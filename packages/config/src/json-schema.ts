/** The configuration file as JSON Schema, for editors and other tools. */
import { z } from 'zod';
import { sectionNames, settingList } from './setting-catalog.ts';

/**
 * JSON Schema (draft 2020-12) of the configuration file. Every setting may be left out.
 *
 * @example
 * writeFileSync('config.schema.json', JSON.stringify(configJsonSchema(), null, 2));
 */
export function configJsonSchema(): Record<string, unknown> {
  const sections = sectionNames.map((section) => {
    const settings = settingList.filter((setting) => setting.section === section);
    const shape = settings.map(({ name, kind }) => [name, kind.schema.optional().describe(`Must be ${kind.allowed}.`)]);
    return [section, z.strictObject(Object.fromEntries(shape)).optional()];
  });
  const file = z.strictObject({ $schema: z.string().optional(), ...Object.fromEntries(sections) });
  return { ...z.toJSONSchema(file) };
}
