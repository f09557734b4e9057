import { defineMutation } from '#api/graphql/define-mutation.ts';
import { deviceStatusEnum } from '../devices/schema.ts';
import {
  addDevicesToGroup,
  cancelJob,
  setSiteOfDevices,
  setStatusOfDevices,
  tagDevices,
  untagDevices,
} from './changes.ts';
import { jobRef, manyChanged, manyFields } from './schema.ts';
import { requireJob } from './service.ts';

/** Ends every description of a mutation of many devices. */
const BY_JOB = 'Up to 100 devices at once, more by a job.';
const DONE = 'The devices are changed, or a job is at it.';

defineMutation({
  name: 'devicesTag',
  description: `Gives devices tags, beside those they have. ${BY_JOB} Needs \`devices.write\`.`,
  input: {
    description: 'Tags to give to devices.',
    argument: 'The devices and the tags.',
    fields: (t) => ({
      ...manyFields(t),
      tags: t.stringList({ required: true, description: '1 to 32, each at most 64 characters.' }),
    }),
  },
  run: (operation, { input }) => tagDevices(operation, input),
  result: 'What came of tagging devices.',
  success: manyChanged(DONE),
});

defineMutation({
  name: 'devicesUntag',
  description: `Takes tags from devices. ${BY_JOB} Needs \`devices.write\`.`,
  input: {
    description: 'Tags to take from devices.',
    argument: 'The devices and the tags.',
    fields: (t) => ({
      ...manyFields(t),
      tags: t.stringList({ required: true, description: '1 to 32, each at most 64 characters.' }),
    }),
  },
  run: (operation, { input }) => untagDevices(operation, input),
  result: 'What came of taking tags from devices.',
  success: manyChanged(DONE),
});

defineMutation({
  name: 'devicesSetSite',
  description: `Says where devices are. ${BY_JOB} Needs \`devices.write\`.`,
  input: {
    description: 'Devices and their site.',
    argument: 'The devices and the site.',
    fields: (t) => ({
      ...manyFields(t),
      siteKey: t.string({ description: 'Key of the site; absent or null for none.' }),
    }),
  },
  run: (operation, { input }) => setSiteOfDevices(operation, input),
  result: 'What came of saying where devices are.',
  success: manyChanged(DONE),
});

defineMutation({
  name: 'devicesSetStatus',
  description: `Lets devices in or keeps them out. ${BY_JOB} Needs \`devices.write\`.`,
  input: {
    description: 'Devices and their status.',
    argument: 'The devices and the status.',
    fields: (t) => ({
      ...manyFields(t),
      status: t.field({ type: deviceStatusEnum, required: true, description: 'ACTIVE or DISABLED.' }),
    }),
  },
  run: (operation, { input }) => setStatusOfDevices(operation, input),
  result: 'What came of setting the status of devices.',
  success: manyChanged(DONE),
});

defineMutation({
  name: 'devicesAddToGroup',
  description: `Puts devices into a static group. ${BY_JOB} Needs \`groups.write\`.`,
  input: {
    description: 'Devices to put into a group.',
    argument: 'The devices and the group.',
    fields: (t) => ({
      ...manyFields(t),
      groupKey: t.string({ required: true, description: 'Key of the group.' }),
    }),
  },
  run: (operation, { input }) => addDevicesToGroup(operation, input),
  result: 'What came of putting devices into a group.',
  success: manyChanged(DONE),
});

defineMutation({
  name: 'jobCancel',
  description: 'Stops a job; what is done stays done. Needs the permission that asking for it needed.',
  input: {
    description: 'A job to stop.',
    argument: 'Which job.',
    fields: (t) => ({ id: t.id({ required: true, description: 'Which job.' }) }),
  },
  run: (operation, { input }) => cancelJob(operation, input),
  result: 'What came of stopping a job.',
  success: {
    description: 'No further device is changed by it.',
    fields: (t) => ({
      job: t.field({
        type: jobRef,
        description: 'The job as it is now.',
        resolve: ({ jobId }, _args, operation) => requireJob(operation, jobId),
      }),
    }),
  },
});
