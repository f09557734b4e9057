import type { CommandStateFragment, CommandTypesQuery } from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';

// A command and everything that happened to it. Codegen finds it here; documents name it.
graphql(`
  fragment CommandState on Command {
    id
    uuid
    type
    params
    status
    actorName
    createdAt
    expiresAt
    finishedAt
    details
    detailsProblem
    transitions {
      happening
      status
      moved
      at
      details
    }
  }
`);

export type Command = CommandStateFragment;

export const commandListDocument = graphql(`
  query CommandList($id: ID!, $first: Int!, $after: String) {
    node(id: $id) {
      __typename
      id
      ... on Device {
        commands(first: $first, after: $after) {
          nodes {
            ...CommandState
          }
          pageInfo {
            hasNextPage
            endCursor
          }
        }
      }
    }
  }
`);

/** What the device can be told; nothing is known for one without a template. */
export const commandTypesDocument = graphql(`
  query CommandTypes($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on Device {
        template {
          id
          key
          name
        }
        commandTypes {
          key
          name
          description
          params
        }
      }
    }
  }
`);

type TypesNode = NonNullable<CommandTypesQuery['node']>;
export type CommandTypes = Extract<TypesNode, { __typename: 'Device' }>;

export const commandSendDocument = graphql(`
  mutation CommandSend($input: CommandSendInput!) {
    commandSend(input: $input) {
      __typename
      ... on CommandSendSuccess {
        command {
          ...CommandState
        }
      }
      ...Failure
    }
  }
`);

export const commandCancelDocument = graphql(`
  mutation CommandCancel($input: CommandCancelInput!) {
    commandCancel(input: $input) {
      __typename
      ... on CommandCancelSuccess {
        mayBeCarriedOut
        command {
          ...CommandState
        }
      }
      ...Failure
    }
  }
`);

/** Commands as they go from state to state. Every event brings the whole command, which finds its place in the cache by itself. */
export const commandsDocument = graphql(`
  subscription Commands($where: CommandFilter, $after: Cursor) {
    commands(where: $where, after: $after) {
      __typename
      ... on CommandSnapshot {
        cursor
        commands {
          ...CommandState
        }
      }
      ... on CommandChange {
        cursor
        happening
        command {
          ...CommandState
        }
      }
      ... on StreamGap {
        cursor
        from
        to
        reason
        missed
      }
    }
  }
`);
