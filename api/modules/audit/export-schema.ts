import { builder } from '#api/graphql/builder.ts';
import { defineMutation } from '#api/graphql/define-mutation.ts';
import { exportAudit } from './export.ts';
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

defineMutation({
  name: 'auditExportCreate',
  description: 'Makes a link to download the audit log with, which the audit log notes. Needs `audit.read`.',
  input: {
    description: 'Which entries of the audit log to download.',
    argument: 'Which entries.',
    fields: (t) => ({
      where: t.field({ type: auditFilterInput, description: 'Which ones; all of them by default.' }),
      format: t.field({ type: formatEnum, required: true, description: 'How the file is written.' }),
    }),
  },
  run: (operation, { input }) => exportAudit(operation, input),
  result: 'What came of asking for a file of the audit log.',
  success: {
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
  },
});
