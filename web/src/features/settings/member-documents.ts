import type { InvitationRowFragment, MemberRowFragment } from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';

// What rows show. Codegen finds them here; documents name them.
graphql(`
  fragment MemberRow on Member {
    id
    subject
    name
    email
    role
    roleSource
    origin
    lastSignInAt
    removedAt
  }
`);

graphql(`
  fragment InvitationRow on Invitation {
    id
    email
    role
    invitedBy
    expiresAt
    acceptedAt
    revokedAt
  }
`);

export type MemberRow = MemberRowFragment;
export type InvitationRow = InvitationRowFragment;

export const memberListDocument = graphql(`
  query MemberList($first: Int!, $after: String, $where: MemberFilter) {
    members(first: $first, after: $after, where: $where) {
      totalCount
      nodes {
        ...MemberRow
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export const pendingInvitationsDocument = graphql(`
  query PendingInvitations {
    invitations(first: 100, pendingOnly: true) {
      totalCount
      nodes {
        ...InvitationRow
      }
    }
  }
`);

export const memberInviteDocument = graphql(`
  mutation MemberInvite($input: MemberInviteInput!) {
    memberInvite(input: $input) {
      __typename
      ... on MemberInviteSuccess {
        link
        invitation {
          ...InvitationRow
        }
      }
      ...Failure
    }
  }
`);

export const invitationRevokeDocument = graphql(`
  mutation InvitationRevoke($input: InvitationRevokeInput!) {
    invitationRevoke(input: $input) {
      __typename
      ... on InvitationRevokeSuccess {
        invitation {
          ...InvitationRow
        }
      }
      ...Failure
    }
  }
`);

export const memberUpdateDocument = graphql(`
  mutation MemberUpdate($input: MemberUpdateInput!) {
    memberUpdate(input: $input) {
      __typename
      ... on MemberUpdateSuccess {
        member {
          ...MemberRow
        }
      }
      ...Failure
    }
  }
`);

export const memberRemoveDocument = graphql(`
  mutation MemberRemove($input: MemberRemoveInput!) {
    memberRemove(input: $input) {
      __typename
      ... on MemberRemoveSuccess {
        member {
          ...MemberRow
        }
      }
      ...Failure
    }
  }
`);
