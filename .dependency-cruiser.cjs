// The directions of import (ARCHITECTURE.md). `npm run check:imports` enforces them.
const notTests = "\\.test\\.tsx?$|/test-support/";
/** Package names that services and packages reach each other by. */
const forbid = (name, comment, from, to, fromNot = notTests) => ({
  name,
  comment,
  severity: "error",
  from: { path: from, pathNot: fromNot },
  to: { path: to },
});

module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    forbid(
      "kernel-imports-nothing",
      "kernel is the ground",
      "^packages/kernel/",
      "^(packages/(?!kernel/)|services/|edge-agent/|dashboard/|deploy/|node:)",
    ),
    forbid(
      "contracts-import-kernel-only",
      "contracts do no I/O",
      "^packages/contracts/",
      "^(packages/(?!kernel/|contracts/)|services/|edge-agent/|dashboard/|deploy/)",
    ),
    forbid(
      "media-imports-kernel-only",
      "media runs in the browser too",
      "^packages/media/",
      "^(packages/(?!kernel/|media/)|services/|edge-agent/|dashboard/|deploy/)",
    ),
    forbid(
      "packages-know-no-service",
      "packages are below the services",
      "^packages/",
      "^(services|edge-agent|dashboard|deploy)/",
    ),
    {
      name: "no-io-in-pure-packages",
      severity: "error",
      from: { path: "^packages/(kernel|contracts|media)/src/", pathNot: notTests },
      to: { dependencyTypes: ["core"] },
    },
    ...["ingest", "analytics", "api"].map((service) =>
      forbid(
        `${service}-meets-others-in-contracts`,
        "services never import each other",
        `^services/${service}/`,
        `^(services/(?!${service}/)|edge-agent/|dashboard/|deploy/)`,
      ),
    ),
    forbid(
      "edge-agent-meets-others-in-contracts",
      "the agent runs elsewhere",
      "^edge-agent/",
      "^(services/|dashboard/|deploy/)",
    ),
    forbid(
      "dashboard-imports-pure-packages-only",
      "the browser has no I/O but HTTP and WebSocket",
      "^dashboard/src/",
      "^(packages/(?!contracts/|kernel/|media/)|services/|edge-agent/|deploy/)",
    ),
    {
      name: "dashboard-features-stand-alone",
      severity: "error",
      from: { path: "^dashboard/src/features/([^/]+)/" },
      to: { path: "^dashboard/src/features/([^/]+)/", pathNot: "^dashboard/src/features/$1/" },
    },
    {
      name: "domain-is-pure",
      comment: "domain/ imports domain/, kernel and contracts",
      severity: "error",
      from: { path: "/domain/", pathNot: notTests },
      to: { pathNot: "/domain/|^packages/(kernel|contracts)/|node_modules/typebox" },
    },
    {
      name: "application-knows-no-adapter",
      severity: "error",
      from: { path: "/application/", pathNot: notTests },
      to: { path: "/adapters/|/compose\\.ts$" },
    },
    {
      name: "testkit-is-for-tests",
      severity: "error",
      from: { path: "^(packages/(?!testkit/)|services|edge-agent|dashboard|deploy)", pathNot: notTests },
      to: { path: "^packages/testkit/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)(dist|node_modules/(?!@huishi))/" },
    parser: "swc",
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: {
      conditionNames: ["huishi-source", "import", "types", "default"],
      exportsFields: ["exports"],
    },
  },
};
