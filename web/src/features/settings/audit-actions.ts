/** What people call the actions that the console knows of. */
export const actionNames: Readonly<Record<string, string>> = {
  deviceCreate: 'Created a device',
  deviceUpdate: 'Changed a device',
  deviceDecommission: 'Decommissioned a device',
  deviceTokenIssue: 'Issued a token',
  deviceTokenRevoke: 'Revoked a token',
  claimCodeCreate: 'Made a claim code',
  claimCodeRevoke: 'Revoked a claim code',
  deviceImport: 'Imported a device',
  deviceClaim: 'Enrolled with a claim code',
  deviceCertificateIssue: 'Issued a certificate',
  deviceCertificateGenerate: 'Generated a certificate',
  deviceCertificateRenew: 'Renewed a certificate',
  tenantCaRotate: 'Replaced the certificate authority',
  deviceCertificateRevoke: 'Revoked a certificate',
  memberInvite: 'Invited somebody',
  memberUpdate: 'Changed a role',
  memberRemove: 'Removed a member',
  invitationAccept: 'Accepted an invitation',
  invitationRevoke: 'Revoked an invitation',
  'member.join': 'Joined by the identity provider',
  'member.role': 'Got a role from the identity provider',
  'session.start': 'Signed in',
  'api_key.new_address': 'Used a key from a new network',
  apiKeyCreate: 'Created an API key',
  apiKeyRotate: 'Rotated an API key',
  apiKeyRevoke: 'Revoked an API key',
};

/** One that the console does not know yet goes by its own name. */
export const actionOf = (action: string): string => actionNames[action] ?? action;
