import { builder } from '#api/graphql/builder.ts';

export const deviceStatusEnum = builder.enumType('DeviceStatus', {
  description: 'What the owner says about a device.',
  values: {
    ACTIVE: { description: 'In service.' },
    DISABLED: { description: 'Kept, but not let in.' },
    DECOMMISSIONED: { description: 'Gone for good: its credentials are revoked, its data is kept.' },
  },
});

export const credentialKindEnum = builder.enumType('CredentialKind', {
  description: 'How a credential proves who a device is.',
  values: {
    TOKEN: { description: 'A password we made.' },
    CERTIFICATE: { description: 'A client certificate.' },
  },
});

export const sortDirectionEnum = builder.enumType('SortDirection', {
  description: 'Which end of an order comes first.',
  values: {
    ASC: { description: 'Smallest or oldest first.' },
    DESC: { description: 'Largest or newest first.' },
  },
});

export const deviceOrderFieldEnum = builder.enumType('DeviceOrderField', {
  description: 'What devices are sorted by; devices that are equal by it keep the order of their creation.',
  values: {
    KEY: { description: 'The key.' },
    NAME: { description: 'The name.' },
    CREATED_AT: { description: 'When the device was created.' },
    LAST_SEEN_AT: { description: 'Last traffic; a device never heard of counts as oldest.' },
  },
});

export const revocationReasonEnum = builder.enumType('RevocationReason', {
  description: 'Why a certificate was revoked (RFC 5280, section 5.3.1).',
  values: {
    UNSPECIFIED: { description: 'Not said.' },
    KEY_COMPROMISE: { description: 'Somebody else has, or may have, the private key.' },
    AFFILIATION_CHANGED: { description: 'The device belongs to somebody else now.' },
    SUPERSEDED: { description: 'Another certificate has taken its place.' },
    CESSATION_OF_OPERATION: { description: 'The device is no longer in service.' },
    PRIVILEGE_WITHDRAWN: { description: 'The device may no longer do what the certificate allows.' },
  },
});
