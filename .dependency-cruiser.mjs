/** The walls of docs/architecture.md. Each comment says what to do instead of going through one. */

const rooms = ['api', 'workers', 'standalone', 'simulator', 'bench', 'tests', 'web'];
const anyRoom = `^(${rooms.join('|')})/`;
const TEST = '\\.test\\.tsx?$';
const SHAPE = '/(live-schema|filter-schema|schema|mutations|token-mutations)\\.ts$';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-circle',
      comment: 'Two files that need each other are one file, or a third holds what both need.',
      severity: 'error',
      from: { pathNot: 'generated/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'fleet-is-pure',
      comment:
        'core/fleet decides and does no I/O: pass what it needs as an argument, and fetch or store in the worker or service that asks it.',
      severity: 'error',
      from: { path: '^core/fleet/', pathNot: TEST },
      to: { pathNot: '^(core/fleet/|crypto$|node:crypto$|node_modules/(zod|ajv|ajv-formats|re2js|@types)/)' },
    },
    {
      name: 'runtime-knows-nothing-of-ours',
      comment: 'core/runtime runs any service: what it needs of ours is a parameter that main.ts fills in.',
      severity: 'error',
      from: { path: '^core/runtime/', pathNot: TEST },
      to: { path: `^core/(?!runtime/)|${anyRoom}` },
    },
    {
      name: 'core-rooms-stay-apart',
      comment:
        'core/{bus,db,mqtt,auth,objects} may use core/{runtime,fleet}, never each other: take what you need of another as a typed parameter, filled in by main.ts.',
      severity: 'error',
      from: { path: '^core/(bus|db|mqtt|auth|objects)/', pathNot: TEST },
      to: { path: '^core/', pathNot: '^core/($1|runtime|fleet)/' },
    },
    {
      name: 'core-imports-no-room',
      comment: 'core is what rooms share. Move what you need into core, or hand it in as a parameter.',
      severity: 'error',
      from: { path: '^core/', pathNot: TEST },
      to: { path: anyRoom },
    },
    {
      name: 'api-stays-home',
      comment:
        'The API uses core only. A rule that a worker needs too belongs in core/fleet, a query in core/db.',
      severity: 'error',
      from: { path: '^api/', pathNot: TEST },
      to: { path: '^(workers|standalone|simulator|bench|tests|web)/' },
    },
    {
      name: 'workers-stay-apart',
      comment:
        'Workers speak through streams, never through imports. Move shared rules to core/fleet, shared queries to core/db.',
      severity: 'error',
      from: { path: '^workers/([^/]+)/', pathNot: TEST },
      to: { path: `^workers/(?!$1/)|^(api|standalone|simulator|bench|tests|web)/` },
    },
    {
      name: 'standalone-starts-by-path',
      comment: 'Standalone starts programs by the path of their main.ts and imports core only.',
      severity: 'error',
      from: { path: '^standalone/', pathNot: TEST },
      to: { path: '^(api|workers|simulator|bench|tests|web)/' },
    },
    {
      name: 'simulator-is-a-device',
      comment:
        'A pretend device knows MQTT and how to run: core/mqtt and core/runtime. Only simulator/oracle may read core/db.',
      severity: 'error',
      from: { path: '^simulator/', pathNot: `${TEST}|^simulator/oracle` },
      to: { path: `^core/(?!mqtt/|runtime/)|^(api|workers|standalone|bench|tests|web)/` },
    },
    {
      name: 'oracle-reads-the-database',
      comment: 'The oracle checks what arrived: core/{mqtt,runtime,db}, nothing else of ours.',
      severity: 'error',
      from: { path: '^simulator/oracle', pathNot: TEST },
      to: { path: `^core/(?!mqtt/|runtime/|db/)|^(api|workers|standalone|bench|tests|web)/` },
    },
    {
      name: 'console-knows-the-schema-only',
      comment:
        'The console knows schema.graphql through web/src/generated and nothing else of ours: ask the API for it.',
      severity: 'error',
      from: { path: '^web/', pathNot: TEST },
      to: { path: '^(core|api|workers|standalone|simulator|bench|tests|prisma)/' },
    },
    {
      name: 'modules-meet-in-services',
      comment:
        'A module asks another through its service.ts: put what you need there. Only a shape (schema.ts, live-schema.ts, filter-schema.ts, mutations.ts) may also refer to another shape.',
      severity: 'error',
      from: { path: '^api/modules/([^/]+)/', pathNot: `${TEST}|${SHAPE}` },
      to: { path: '^api/modules/(?!$1/)', pathNot: '/service\\.ts$' },
    },
    {
      name: 'shapes-refer-to-shapes',
      comment:
        'A shape refers to another module’s schema.ts, and asks its service.ts; everything else there is private.',
      severity: 'error',
      from: { path: `^api/modules/([^/]+)${SHAPE}` },
      to: { path: '^api/modules/(?!$1/)', pathNot: '/(service|schema)\\.ts$' },
    },
    {
      name: 'graphql-machinery-has-no-domain',
      comment:
        'api/graphql and api/live are machinery: a module registers itself with them. Only api/graphql/schema.ts gathers the modules.',
      severity: 'error',
      from: { path: '^api/(graphql|live)/', pathNot: `${TEST}|^api/graphql/schema\\.ts$` },
      to: { path: '^api/modules/' },
    },
    {
      name: 'tests-are-not-imported',
      comment:
        'Product code never imports a test or the test kit: move what it needs to the room that owns it.',
      severity: 'error',
      from: { path: `^(core|api|workers|standalone|simulator|web)/`, pathNot: TEST },
      to: { path: `^tests/|${TEST}` },
    },
    {
      name: 'main-is-the-end',
      comment:
        'Nothing imports a main.ts: it connects and runs. Start it by its path, or move what you need out of it.',
      severity: 'error',
      from: {},
      to: { path: '(^|/)main\\.ts$' },
    },
    {
      name: 'declared-packages-only',
      comment: 'A package in use stands in package.json, with its exact version.',
      severity: 'error',
      from: { pathNot: 'generated/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'everything-resolves',
      comment: 'The import leads nowhere: relative inside a room and ending in .ts, #room/… across.',
      severity: 'error',
      from: { pathNot: 'generated/' },
      to: { couldNotResolve: true, pathNot: '\\.css$|@graphql-typed-document-node/core$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules|generated/' },
    exclude: { path: 'web/dist/|schema_engine_bg' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
