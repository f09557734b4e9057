import type { TemplateMigrationQuery } from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';

export const migrationDocument = graphql(`
  query TemplateMigration($key: String!, $toVersion: Int) {
    templateMigrationPreview(input: { templateKey: $key, toVersion: $toVersion }) {
      toVersion
      deviceCount
      steps {
        fromVersion
        deviceCount
        devices(first: 10) {
          nodes {
            id
            key
            name
          }
        }
        sensorsAppear
        sensorsVanish
        slotsAppear
        slotsVanish
        commandsAppear
        commandsVanish
        intervalBefore
        intervalAfter
        diff {
          breaking
        }
        obstacles {
          device {
            id
            key
            name
          }
          faults {
            code
            message
          }
        }
      }
    }
  }
`);

type Preview = NonNullable<TemplateMigrationQuery['templateMigrationPreview']>;
export type MigrationStep = Preview['steps'][number];

export const templateMigrateDocument = graphql(`
  mutation TemplateMigrate($input: TemplateMigrateInput!) {
    outcome: templateMigrate(input: $input) {
      __typename
      ...BulkOutcome
      ...Failure
    }
  }
`);
