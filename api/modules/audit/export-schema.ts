import { builder } from '#api/graphql/builder.ts';
import { MUTATION_COST } from '#api/graphql/cost.ts';
import { mutationIdDescription } from '#api/graphql/mutations.ts';
import {
  conflictErrorRef,
  forbiddenErrorRef,
  notFoundErrorRef,
  resultTypeOf,
  validationErrorRef,
} from '#api/graphql/user-errors.ts';
import { type AuditExportMade, exportAudit } from './export.ts';
import { auditFilterInput } from './schema.ts';

const formatEnum = builder.enumType('AuditExportFormat', {
  description: 'How a file of the audit log is written.',
  values: {
    CSV: {
      description: 'Comma-separated with a first line of names (RFC 4180); `before` and `after` are JSON.',
    },
    JSONL: { description: 'One JSON object a line.' },
  },
});

const createInput = builder.inputType('AuditExportCreateInput', {
  description: 'Which entries of the audit log to download.',
  fields: (t) => ({
    where: t.field({ type: auditFilterInput, description: 'Which ones; all of them by default.' }),
    format: t.field({ type: formatEnum, required: true, description: 'How the file is written.' }),
    clientMutationId: t.string({ description: mutationIdDescription }),
  }),
});

const successRef = builder.objectRef<AuditExportMade>('AuditExportCreateSuccess').implement({
  description: 'The file can be downloaded.',
  fields: (t) => ({
    url: t.string({
      description: 'Downloads the entries of now, the oldest first. Whoever has it needs no credential.',
      resolve: ({ url }) => url,
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'Until when a download can begin: five minutes.',
      resolve: ({ expiresAt }) => new Date(expiresAt),
    }),
  }),
});

const createResult = builder.unionType('AuditExportCreateResult', {
  description: 'What came of asking for a file of the audit log.',
  types: [successRef, validationErrorRef, notFoundErrorRef, conflictErrorRef, forbiddenErrorRef],
  resolveType: resultTypeOf('AuditExportCreateSuccess'),
});

builder.mutationField('auditExportCreate', (t) =>
  t.field({
    type: createResult,
    description:
      'Makes a link to download the audit log with, which the audit log notes. Needs `audit.read`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: createInput, required: true, description: 'Which entries.' }) },
    resolve: (_root, { input }, operation) => exportAudit(operation, input),
  }),
);
