import { builder } from '#api/graphql/builder.ts';
import type { Operation } from '#api/graphql/context.ts';
import type { TemplateDefinition } from '#core/fleet/templates.ts';
import { deviceRef } from '../devices/schema.ts';
import { completeDevice } from '../devices/service.ts';
import { commandRef, slotRef } from '../templates/schema.ts';
import { requireDefinition } from '../templates/service.ts';

type DeviceNode = Parameters<typeof completeDevice>[1];

/** Of what the version of its template says that a device has; nothing for a device without a template. */
const saidOf =
  <Item>(read: (definition: TemplateDefinition) => readonly Item[]) =>
  async (node: DeviceNode, _args: object, operation: Operation): Promise<Item[]> => {
    const { templateId, templateVersion } = await completeDevice(operation, node);
    if (templateId === null || templateVersion === null) return [];
    return [...read(await requireDefinition(operation, templateId, templateVersion))];
  };

builder.objectFields(deviceRef, (t) => ({
  slots: t.field({
    type: [slotRef],
    description: 'Where modules go, as its version of its template has it; none without a template.',
    complexity: { field: 2, multiplier: 3 },
    resolve: saidOf(({ slots }) => slots),
  }),
  commandTypes: t.field({
    type: [commandRef],
    description: 'What it can be told, as its version of its template has it; none without a template.',
    complexity: { field: 2, multiplier: 3 },
    resolve: saidOf(({ commands }) => commands),
  }),
}));
