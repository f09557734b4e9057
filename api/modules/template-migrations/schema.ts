import { builder } from '#api/graphql/builder.ts';
import { pageCost } from '#api/graphql/cost.ts';
import type { MigrationFault } from '#core/fleet/template-migration.ts';
import { deviceConnectionRef, deviceRef, requireDevice } from '../devices/schema.ts';
import { completeDevice, listDevices } from '../devices/service.ts';
import { moduleRef } from '../modules/schema.ts';
import { diffRef, templateRef } from '../templates/schema.ts';
import { requireTemplate } from '../templates/service.ts';
import {
  type MigrationPreview,
  type MigrationStep,
  type Obstacle,
  obstaclesOf,
  previewMigration,
} from './service.ts';

const faultRef = builder.objectRef<MigrationFault>('TemplateMigrationFault').implement({
  description: 'Something that keeps a device from moving.',
  fields: (t) => ({
    code: t.exposeString('code', {
      description:
        'Stable, for programs: NO_SUCH_SLOT, NOT_COMPATIBLE, SLOT_FULL, ADDRESS_NEEDED, ADDRESS_TAKEN (a module no longer fits), METRIC_TAKEN (a module measures what the new version names), DECOMMISSIONED, OTHER_TEMPLATE.',
    }),
    message: t.exposeString('message', { description: 'One sentence for a person.' }),
  }),
});

const obstacleRef = builder.objectRef<Obstacle>('TemplateMigrationObstacle').implement({
  description: 'A device that would stay with its version.',
  fields: (t) => ({
    device: t.field({
      type: deviceRef,
      description: 'Which one.',
      resolve: ({ deviceId }, _args, operation) => requireDevice(operation, deviceId),
    }),
    faults: t.field({
      type: [faultRef],
      description: 'Everything that is in the way.',
      resolve: ({ faults }) => [...faults],
    }),
  }),
});

const stepRef = builder.objectRef<MigrationStep>('TemplateMigrationStep').implement({
  description: 'What moving from one version to another does.',
  fields: (t) => ({
    fromVersion: t.exposeInt('fromVersion', { description: 'The version that the devices have.' }),
    deviceCount: t.exposeInt('devices', { description: 'How many have it, decommissioned ones left out.' }),
    devices: t.connection(
      {
        type: deviceRef,
        description: 'They, in the order of their keys.',
        complexity: pageCost,
        resolve: ({ templateKey, fromVersion }, args, operation) =>
          listDevices(
            operation,
            args,
            {
              ...{ templateKeys: [templateKey], templateVersions: [fromVersion] },
              statuses: ['ACTIVE', 'DISABLED'],
            },
            { field: 'KEY', direction: 'ASC' },
          ),
      },
      deviceConnectionRef,
    ),
    diff: t.field({
      type: diffRef,
      description: 'Everything in which the two versions differ.',
      resolve: ({ diff }) => diff,
    }),
    sensorsAppear: t.stringList({
      description: 'Metrics that are required now: a device without a sensor for one gets it.',
      resolve: ({ change }) => change.sensorsAppear,
    }),
    sensorsVanish: t.stringList({
      description: 'Metrics that are not named any more: their sensors become inactive, their readings stay.',
      resolve: ({ change }) => change.sensorsVanish,
    }),
    commandsAppear: t.stringList({
      description: 'Commands that there are now.',
      resolve: ({ change }) => change.commandsAppear,
    }),
    commandsVanish: t.stringList({
      description: 'Commands that are gone.',
      resolve: ({ change }) => change.commandsVanish,
    }),
    slotsAppear: t.stringList({
      description: 'Slots that there are now.',
      resolve: ({ change }) => change.slotsAppear,
    }),
    slotsVanish: t.stringList({
      description: 'Slots that are gone; a device with a module in one stays.',
      resolve: ({ change }) => change.slotsVanish,
    }),
    intervalBefore: t.int({
      description: 'Seconds between two messages, as the version before has it.',
      resolve: ({ change }) => change.intervalBefore,
    }),
    intervalAfter: t.int({
      description: 'The same of the new version, for devices that have no interval of their own.',
      resolve: ({ change }) => change.intervalAfter,
    }),
    obstacles: t.field({
      type: [obstacleRef],
      description:
        'Devices that would stay, and why: at most 100, found among the first 1 000 that have modules.',
      complexity: { field: 20, multiplier: 10 },
      resolve: (step, _args, operation) => obstaclesOf(operation, step),
    }),
  }),
});

const previewRef = builder.objectRef<MigrationPreview>('TemplateMigrationPreview').implement({
  description: 'What becomes of the devices of a template that move to one of its versions.',
  fields: (t) => ({
    template: t.field({
      type: templateRef,
      description: 'Which template.',
      resolve: ({ template }) => template,
    }),
    toVersion: t.exposeInt('toVersion', { description: 'Where they move.' }),
    deviceCount: t.int({
      description: 'How many have another version, decommissioned ones left out.',
      resolve: ({ steps }) => steps.reduce((sum, { devices }) => sum + devices, 0),
    }),
    steps: t.field({
      type: [stepRef],
      description: 'What it does, for each version that devices have, oldest first.',
      complexity: { field: 5, multiplier: 5 },
      resolve: ({ steps }) => [...steps],
    }),
  }),
});

const previewInput = builder.inputType('TemplateMigrationPreviewInput', {
  description: 'A move to look at before it is made.',
  fields: (t) => ({
    templateKey: t.string({ required: true, description: 'Key of the template.' }),
    toVersion: t.int({ description: 'Where to; the newest version by default.' }),
  }),
});

builder.queryField('templateMigrationPreview', (t) =>
  t.field({
    type: previewRef,
    nullable: true,
    description:
      'What `templateMigrate` would do to all devices of a template; null when there is no such template or version.',
    complexity: 10,
    args: { input: t.arg({ type: previewInput, required: true, description: 'The move.' }) },
    resolve: async (_root, { input }, operation) => (await previewMigration(operation, input)) ?? null,
  }),
);

builder.objectFields(deviceRef, (t) => ({
  template: t.field({
    type: templateRef,
    nullable: true,
    description: 'What it is made of; null for a device that just sends.',
    async resolve(node, _args, operation) {
      const { templateId } = await completeDevice(operation, node);
      return templateId === null ? null : requireTemplate(operation, templateId);
    },
  }),
  templateVersion: t.int({
    nullable: true,
    description: 'Which version of its template it has; null without one.',
    resolve: async (node, _args, operation) => (await completeDevice(operation, node)).templateVersion,
  }),
}));

builder.objectField(moduleRef, 'template', (t) =>
  t.field({
    type: templateRef,
    description: 'What it is made of.',
    resolve: ({ templateId }, _args, operation) => requireTemplate(operation, templateId),
  }),
);
