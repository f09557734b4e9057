import { MailOpen, MailX } from 'lucide-react';
import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import type { Session } from '../../auth/session.ts';
import { enterTenant } from '../../auth/tenant.ts';
import { describeError } from '../../data/client.ts';
import type { InvitationFault } from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';
import { usePageTitle } from '../../shell/page.tsx';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { FormError } from '../../ui/field.tsx';
import { roleNames } from './role-names.ts';

const offerDocument = graphql(`
  query InvitationOffer($token: String!) {
    invitationOffer(token: $token) {
      tenantName
      role
      email
      invitedBy
      expiresAt
      fault
    }
  }
`);

const acceptDocument = graphql(`
  mutation InvitationAccept($input: InvitationAcceptInput!) {
    invitationAccept(input: $input) {
      __typename
      ... on InvitationAcceptSuccess {
        tenantSlug
      }
      ...Failure
    }
  }
`);

const faults: Readonly<Record<InvitationFault, string>> = {
  ACCEPTED: 'It was used already. If it was you who used it, open the console.',
  EXPIRED: 'It has expired. Ask for a new one.',
  OTHER_ADDRESS: 'It was made for another e-mail address than the one you are signed in with.',
  REVOKED: 'It was taken back.',
};

/** Shows somebody who is signed in what they are invited to, and lets them in. Stands alone: they may belong to no tenant. */
export function AcceptInvitation({ token, session }: { token: string; session: Session }) {
  usePageTitle('Invitation');
  const [{ data, error, fetching }] = useQuery({ query: offerDocument, variables: { token } });
  const [{ fetching: accepting }, accept] = useMutation(acceptDocument);
  const [problem, setProblem] = useState<string>();
  const offer = data?.invitationOffer;
  const submit = async () => {
    const answer = await accept({ input: { token } });
    const result = answer.data?.invitationAccept;
    if (result?.__typename === 'InvitationAcceptSuccess') return enterTenant(result.tenantSlug);
    setProblem(
      result?.message ?? (answer.error ? describeError(answer.error).message : 'Nothing came of it.'),
    );
  };
  if (fetching) return <main aria-busy="true" className="h-full" />;
  const openConsole = <Button onClick={() => location.assign('/')}>Open the console</Button>;
  const signOut = <Button onClick={() => void session.signOut()}>Sign out</Button>;
  if (!offer || offer.fault)
    return (
      <main className="grid h-full place-items-center">
        <EmptyState
          page
          icon={MailX}
          title="This invitation does not let you in"
          action={offer?.fault === 'OTHER_ADDRESS' ? signOut : openConsole}
        >
          {error
            ? describeError(error).message
            : offer?.fault
              ? faults[offer.fault]
              : 'There is no such invitation. Is the link complete?'}
        </EmptyState>
      </main>
    );
  return (
    <main className="grid h-full place-items-center">
      <EmptyState
        page
        icon={MailOpen}
        title={`Join ${offer.tenantName}`}
        action={
          <Button look="primary" disabled={accepting} onClick={() => void submit()}>
            Accept as {roleNames[offer.role]}
          </Button>
        }
      >
        {offer.invitedBy} invites you, {offer.email}.
        <FormError message={problem} />
      </EmptyState>
    </main>
  );
}
